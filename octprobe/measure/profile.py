"""One point profiled: its latency without the profiler, then where the device's time goes."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import nn

from octprobe.cost.closed_form import LayerRecorder
from octprobe.errors import OctprobeError, UsageError, wants_memory
from octprobe.measure.breakdown import measure_breakdown
from octprobe.measure.device import Device
from octprobe.measure.environment import read_environment
from octprobe.measure.execution import in_force, make_runnable
from octprobe.measure.failure import reason_of
from octprobe.measure.garbage import garbage_held
from octprobe.measure.latency import GroupTimer, LatencySettings
from octprobe.measure.lookout import open_lookout
from octprobe.plan.point import DesignPoint
from octprobe.store.records import Breakdown, Doubt, Environment, Latency, PathMacs
from octprobe.workload import build_workload

_SUBJECT = "subject"


@dataclass(frozen=True, kw_only=True)
class Profile:
    """What profiling one point gave.

    Attributes:
        latency: times of calls without the profiler.
        breakdown: what the profiler saw.
        profiled_calls: calls in its session.
        path_macs: the forward's MACs by closed form, an item; None for TorchScript, which hides its layers.
        doubts: of the latency and of the session.
        environment: the machine that the figures hold for.
    """

    latency: Latency
    breakdown: Breakdown
    profiled_calls: int
    path_macs: PathMacs | None
    doubts: tuple[Doubt, ...]
    environment: Environment


def profile_point(
    point: DesignPoint,
    device: Device,
    settings: LatencySettings,
    *,
    calls: int,
    trace_path: Path | None = None,
    allow_import: bool = False,
) -> Profile:
    """Time a point and then profile it; a process on CUDA may do so once.

    Args:
        point: what is called, and under which conditions.
        device: where.
        settings: how sharp the latency, and how long it may take.
        calls: calls in the profiled session.
        trace_path: where to keep the session's Chrome trace; an older file is replaced.
        allow_import: whether a `module:function` network may be imported.

    Raises:
        ConversionError: the network has no octave form at this alpha.
        MachineError: the clock was held down in every block.
        UsageError: the network's name is not known, or needs `--allow-import`; or its first call fails.
    """
    workload = build_workload(point, allow_import=allow_import)
    timer = GroupTimer(device, settings, _SUBJECT, open_lookout(device))
    with garbage_held(), in_force(point.conditions):
        with _first_calls(point):
            runnable = make_runnable(workload, point.conditions, device)
            timer.add(_SUBJECT, runnable.call, compiles=runnable.compiles)
        timed = timer.run(lambda _: True)
        latency = timed.latency_of(_SUBJECT)
        breakdown, more = measure_breakdown(
            runnable,
            point.conditions,
            device,
            median(latency.samples_ms),
            calls=calls,
            trace_path=trace_path,
        )
        path_macs = _path_macs(runnable.module, runnable.example)  # a call more: not before those reported
    return Profile(
        latency=latency,
        breakdown=breakdown,
        profiled_calls=calls,
        path_macs=path_macs,
        doubts=tuple(dict.fromkeys((*timed.doubts[_SUBJECT], *more))),
        environment=read_environment(device, torch.get_num_threads()),
    )


@contextmanager
def _first_calls(point: DesignPoint) -> Iterator[None]:
    """Say in a line what a network's own code raises; for want of memory the machine is to blame."""
    try:
        yield
    except OctprobeError:
        raise
    except Exception as error:  # whatever a person's own network raises
        if wants_memory(error):
            raise
        raise UsageError(
            f"{point.label()}: its first call fails: {reason_of(error)}; "
            "mend the network or choose another resolution; OCTPROBE_DEBUG=1 shows where"
        ) from error


def _path_macs(module: nn.Module, example: Any) -> PathMacs | None:
    if any(isinstance(inner, torch.jit.ScriptModule) for inner in module.modules()):
        return None
    with torch.no_grad(), LayerRecorder(module) as recorder:
        module(example)
    return recorder.total
