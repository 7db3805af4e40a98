"""The real instrument: torch on one device, the passes of the protocol in their order."""

import gc
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Protocol, TypeVar

import torch

from octprobe.cost.count import disagreement
from octprobe.cost.ledger import Ledger, count_fully
from octprobe.errors import ConversionError
from octprobe.measure.ability import unable
from octprobe.measure.breakdown import measure_breakdown
from octprobe.measure.device import Device, open_device
from octprobe.measure.environment import read_environment
from octprobe.measure.execution import Runnable, make_runnable
from octprobe.measure.failure import reason_of, status_of
from octprobe.measure.latency import GroupTimer, LatencySettings, TimedGroup
from octprobe.measure.memory import measure_memory
from octprobe.plan.point import DesignPoint
from octprobe.store.records import Environment, Measurement, Status
from octprobe.workload import build_workload

# Seldom enough not to disturb timed blocks, often enough that a long round is no silence.
_HEARTBEAT_SECONDS = 5.0
Found = TypeVar("Found")


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
        timer = GroupTimer(self._device, task.settings, task.anchor.point_id)
        measurements: dict[str, Measurement] = {}
        with self._conditions(task.anchor), torch.inference_mode():
            for point in task.subjects:
                note(f"building {point.label()}")
                measurements[point.point_id] = self._prepare(point, timer)
            timed = timer.run(after_round, _every(_HEARTBEAT_SECONDS, lambda: note("timing")))
        self._let_go(task.anchor)
        return _with_latencies(measurements, timed), timed.settled

    def account(self, point: DesignPoint, latency_ms: float | None) -> Measurement:
        """Count one point's work and read its memory and device time; its latency stays None."""
        cost, *troubles = _attempt("MACs", lambda: self._ledger.cost(point))
        with self._conditions(point), torch.inference_mode():
            call = self._runnable(point).call
            memory, *more = _attempt("memory", lambda: measure_memory(call, self._device, point.conditions))
            profile, *most = _attempt(
                "device time", lambda: measure_breakdown(call, self._device, latency_ms)
            )
        self._let_go(point)
        breakdown, doubts = profile or (None, ())
        reasons = [disagreement(cost) if cost else None, *troubles, *more, *most]
        return Measurement(
            status=Status.MEASURED,
            reason="; ".join(filter(None, reasons)) or None,
            doubts=doubts,
            cost=cost,
            memory=memory,
            breakdown=breakdown,
        )

    def _let_go(self, point: DesignPoint) -> None:
        """Give back what a group's models and compiled code held."""
        if point.conditions.execution == "compiled":
            torch.compiler.reset()
        self._device.release()

    def _prepare(self, point: DesignPoint, timer: GroupTimer) -> Measurement:
        """Build and warm up one subject; what goes wrong is its status and costs the others nothing."""
        reason = unable(point.conditions, self._device.kind)
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
        with torch.inference_mode(mode=False):  # weights are ordinary tensors, as a person's own are
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


def _attempt(what: str, find: Callable[[], Found]) -> tuple[Found | None, str | None]:
    """Find a figure; what goes wrong costs this figure alone, and is told."""
    try:
        return find(), None
    except Exception as error:  # whatever a network or a profiler raises
        traceback.print_exc()
        return None, f"no {what}: {reason_of(error)}"


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
    return {
        name: replace(
            measurement,
            latency=timed.latencies.get(name),
            doubts=(*measurement.doubts, *timed.doubts.get(name, ())),
        )
        for name, measurement in measurements.items()
    }
