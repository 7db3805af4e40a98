"""The real instrument: torch on one device, the passes of the protocol in their order."""

import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Protocol

import torch

from octprobe.cost.ledger import Ledger, count_fully
from octprobe.errors import ConversionError
from octprobe.measure.ability import unable
from octprobe.measure.account import account_for, attempt
from octprobe.measure.device import Device, open_device
from octprobe.measure.environment import read_environment
from octprobe.measure.execution import in_force, lacks_tf32, make_runnable
from octprobe.measure.failure import reason_of, status_of
from octprobe.measure.garbage import garbage_held
from octprobe.measure.latency import GroupTimer, LatencySettings, TimedGroup
from octprobe.measure.lookout import open_lookout
from octprobe.plan.point import DesignPoint
from octprobe.store.records import Environment, Measurement, PassSeconds, Status
from octprobe.workload import Workload, build_workload

# Seldom enough not to disturb timed blocks, often enough that a long round is no silence.
_HEARTBEAT_SECONDS = 5.0


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
        return read_environment(self._device, self._default_threads)

    def time_group(
        self, task: Task, note: Callable[[str], None], after_round: Callable[[int], bool]
    ) -> tuple[dict[str, Measurement], frozenset[str]]:
        """Time a group's subjects side by side; give a measurement for each, and which are settled."""
        try:
            return self._time_group(task, note, after_round)
        finally:
            self._let_go(task.anchor)

    def account(self, point: DesignPoint, latency_ms: float | None) -> Measurement:
        """Count one point's work and read its memory and device time; its latency stays None."""
        cost = attempt("MACs", lambda: self._ledger.cost(point))
        try:
            with self._conditions(point):
                return account_for(
                    point.conditions, self._device, cost, lambda: self._workload(point), latency_ms
                )
        finally:
            self._let_go(point)

    def _time_group(
        self, task: Task, note: Callable[[str], None], after_round: Callable[[int], bool]
    ) -> tuple[dict[str, Measurement], frozenset[str]]:
        timer = GroupTimer(self._device, task.settings, task.anchor.point_id, open_lookout(self._device))
        measurements: dict[str, Measurement] = {}
        with self._conditions(task.anchor):
            for point in task.subjects:
                note(f"building {point.label()}")
                measurements[point.point_id] = self._prepare(point, timer)
            timed = timer.run(after_round, _every(_HEARTBEAT_SECONDS, lambda: note("timing")))
        return _with_latencies(measurements, timed), timed.settled

    def _let_go(self, point: DesignPoint) -> None:
        """Give back what models and compiled code held; to be called when nothing refers to them any more."""
        if point.conditions.execution == "compiled":
            torch.compiler.reset()
        self._device.release()

    def _prepare(self, point: DesignPoint, timer: GroupTimer) -> Measurement:
        """Build and warm up one subject; what goes wrong is its status and costs the others nothing."""
        reason = unable(point.conditions, self._device.kind) or lacks_tf32(point.conditions, self._device)
        if reason:
            return Measurement(status=Status.SKIPPED, reason=reason)
        start = time.monotonic()
        try:
            runnable = make_runnable(self._workload(point), point.conditions, self._device)
            build_seconds = time.monotonic() - start
            timer.add(point.point_id, runnable.call, compiles=runnable.compiles)
        except ConversionError as error:
            return Measurement(status=Status.SKIPPED, reason=str(error))
        except Exception as error:  # whatever a network or a device raises is this point's status
            traceback.print_exc()
            failed = Measurement(
                status=status_of(error), reason=reason_of(error), log_tail=traceback.format_exc()
            )
        else:
            return Measurement(status=Status.MEASURED, seconds=PassSeconds(build=build_seconds))
        self._device.release()  # not before: until here the error's traceback held the model
        return failed

    def _workload(self, point: DesignPoint) -> Workload:
        with torch.inference_mode(mode=False):  # weights are ordinary tensors, as a person's own are
            return build_workload(point, allow_import=self._allow_import)

    @contextmanager
    def _conditions(self, point: DesignPoint) -> Iterator[None]:
        """Set threads, gradients and TF32, and keep the garbage collector out of timed blocks."""
        torch.set_num_threads(point.conditions.threads or self._default_threads)
        with garbage_held(), in_force(point.conditions):
            yield


def _every(seconds: float, act: Callable[[], None]) -> Callable[[], None]:
    """Give a function that acts when it is called, at most once in so many seconds."""
    last = time.monotonic()

    def perhaps() -> None:
        nonlocal last
        if time.monotonic() - last > seconds:
            last = time.monotonic()
            act()

    return perhaps


def _with_latencies(measurements: dict[str, Measurement], timed: TimedGroup) -> dict[str, Measurement]:
    return {name: _with_latency(measurement, timed, name) for name, measurement in measurements.items()}


def _with_latency(measurement: Measurement, timed: TimedGroup, name: str) -> Measurement:
    seconds = timed.seconds.get(name, PassSeconds())
    measurement = replace(
        measurement,
        latency=timed.latencies.get(name),
        doubts=(*measurement.doubts, *timed.doubts.get(name, ())),
        seconds=replace(seconds, build=measurement.seconds.build),
    )
    trouble = timed.troubles.get(name)
    return replace(measurement, status=Status.FAILED, reason=trouble) if trouble else measurement
