"""The real instrument: torch on one device, the passes of the protocol in their order."""

import gc
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Protocol

import torch

from octprobe.cost.count import disagreement
from octprobe.cost.ledger import Ledger, count_fully
from octprobe.errors import ConversionError
from octprobe.measure.breakdown import measure_breakdown
from octprobe.measure.device import Device, open_device
from octprobe.measure.environment import read_environment
from octprobe.measure.execution import Runnable, make_runnable, unable
from octprobe.measure.failure import reason_of, status_of
from octprobe.measure.latency import GroupTimer, LatencySettings, TimedGroup
from octprobe.measure.memory import measure_memory
from octprobe.plan.point import DesignPoint
from octprobe.store.records import Environment, Measurement, Status
from octprobe.workload import build_workload


class Task(Protocol):
    """What the instrument must know of a group."""

    @property
    def anchor(self) -> DesignPoint:
        """The alpha 0 point."""

    @property
    def subjects(self) -> tuple[DesignPoint, ...]:
        """The anchor and the points, each once."""

    @property
    def settings(self) -> LatencySettings:
        """How sharp, how long, in which order."""


class TorchInstrument:
    """Measures with torch on one device.

    Args:
        device: the device's name in a sweep: auto, cpu, cuda or cuda:1.
        allow_import: whether `module:function` networks may be imported.
    """

    def __init__(self, device: str = "auto", *, allow_import: bool = False) -> None:
        self._device: Device = open_device(device)
        self._allow_import = allow_import
        self._default_threads = torch.get_num_threads()
        self._ledger = Ledger(lambda point: count_fully(point, allow_import=allow_import), "full")

    def environment(self) -> Environment:
        """Describe the machine that figures hold for."""
        return read_environment(self._device)

    def time_group(
        self, task: Task, note: Callable[[str], None], after_round: Callable[[int], bool]
    ) -> tuple[dict[str, Measurement], frozenset[str]]:
        """Time a group's subjects side by side; give a measurement for each, and which are settled."""
        timer = GroupTimer(self._device, task.settings, task.anchor.point_id)
        measurements: dict[str, Measurement] = {}
        with self._conditions(task.anchor), torch.inference_mode():
            for point in task.subjects:
                note(f"building {point.label()}")
                measurements[point.point_id] = self._prepare(point, timer)
            timed = timer.run(after_round)
        self._device.release()
        return _with_latencies(measurements, timed), timed.settled

    def account(self, point: DesignPoint, latency_ms: float | None) -> Measurement:
        """Count one point's work and read its memory and device time; its latency stays None."""
        cost = self._ledger.cost(point)
        with self._conditions(point), torch.inference_mode():
            call = self._runnable(point).call
            memory = measure_memory(call, self._device)
            breakdown, doubts = measure_breakdown(call, self._device, latency_ms)
        self._device.release()
        return Measurement(
            status=Status.MEASURED,
            reason=disagreement(cost),
            doubts=doubts,
            cost=cost,
            memory=memory,
            breakdown=breakdown,
        )

    def _prepare(self, point: DesignPoint, timer: GroupTimer) -> Measurement:
        """Build and warm up one subject; what goes wrong is its status and costs the others nothing."""
        reason = unable(point.conditions, self._device)
        if reason:
            return Measurement(status=Status.SKIPPED, reason=reason)
        start = time.monotonic()
        try:
            runnable = self._runnable(point)
            build_seconds = time.monotonic() - start
            timer.add(point.point_id, runnable.call, compiles=runnable.compiles)
        except ConversionError as error:
            return Measurement(status=Status.SKIPPED, reason=str(error))
        except Exception as error:  # whatever a network or a device raises is this point's status
            traceback.print_exc()
            status = status_of(error)
            self._device.release()
            return Measurement(status=status, reason=reason_of(error), log_tail=traceback.format_exc())
        return Measurement(status=Status.MEASURED, build_seconds=build_seconds)

    def _runnable(self, point: DesignPoint) -> Runnable:
        workload = build_workload(point, allow_import=self._allow_import)
        return make_runnable(workload, point.conditions, self._device)

    @contextmanager
    def _conditions(self, point: DesignPoint) -> Iterator[None]:
        """Set the threads, and keep the garbage collector out of timed blocks."""
        torch.set_num_threads(point.conditions.threads or self._default_threads)
        gc.collect()
        gc.freeze()
        gc.disable()
        try:
            yield
        finally:
            gc.enable()
            gc.unfreeze()
            sys.stdout.flush()


def _with_latencies(measurements: dict[str, Measurement], timed: TimedGroup) -> dict[str, Measurement]:
    return {
        name: replace(
            measurement,
            latency=timed.latencies.get(name),
            doubts=(*measurement.doubts, *timed.doubts.get(name, ())),
        )
        for name, measurement in measurements.items()
    }
