"""One point profiled: its latency without the profiler, then where the device's time goes."""

from dataclasses import dataclass
from pathlib import Path
from statistics import median

import torch

from octprobe.cost.closed_form import LayerRecorder
from octprobe.measure.breakdown import measure_breakdown
from octprobe.measure.device import Device
from octprobe.measure.environment import read_environment
from octprobe.measure.execution import Runnable, in_force, make_runnable
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
        path_macs: the forward's MACs by closed form, an item.
        doubts: of the latency and of the session.
        environment: the machine that the figures hold for.
    """

    latency: Latency
    breakdown: Breakdown
    profiled_calls: int
    path_macs: PathMacs
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
        UsageError: the network's name is not known, or needs `--allow-import`.
    """
    workload = build_workload(point, allow_import=allow_import)
    with garbage_held(), in_force(point.conditions):
        runnable = make_runnable(workload, point.conditions, device)
        path_macs = _path_macs(runnable)
        latency, doubts = _time(runnable, device, settings)
        breakdown, more = measure_breakdown(
            runnable,
            point.conditions,
            device,
            median(latency.samples_ms),
            calls=calls,
            trace_path=trace_path,
        )
    return Profile(
        latency=latency,
        breakdown=breakdown,
        profiled_calls=calls,
        path_macs=path_macs,
        doubts=(*doubts, *more),
        environment=read_environment(device, torch.get_num_threads()),
    )


def _path_macs(runnable: Runnable) -> PathMacs:
    with torch.no_grad(), LayerRecorder(runnable.module) as recorder:
        runnable.module(runnable.example)
    return recorder.total


def _time(runnable: Runnable, device: Device, settings: LatencySettings) -> tuple[Latency, tuple[Doubt, ...]]:
    timer = GroupTimer(device, settings, _SUBJECT, open_lookout(device))
    timer.add(_SUBJECT, runnable.call, compiles=runnable.compiles)
    timed = timer.run(lambda _: True)
    return timed.latencies[_SUBJECT], timed.doubts[_SUBJECT]
