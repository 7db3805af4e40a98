"""One point accounted for: its output checked, its memory and device time read, each step on its own."""

import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from octprobe.cost.count import disagreement
from octprobe.measure.breakdown import measure_breakdown
from octprobe.measure.device import Device
from octprobe.measure.execution import make_runnable
from octprobe.measure.failure import reason_of
from octprobe.measure.memory import measure_memory
from octprobe.measure.output import OutputCheck, Reference, changed_input, check_output, find_reference
from octprobe.plan.point import Conditions
from octprobe.store.records import Breakdown, Cost, Doubt, Measurement, Memory, PassSeconds, Status
from octprobe.workload import Workload

Found = TypeVar("Found")


@dataclass(frozen=True)
class Attempt(Generic[Found]):
    """What came of looking for a figure.

    Attributes:
        value: the figure; None where something went wrong.
        trouble: what went wrong, in one line.
        seconds: wall time.
    """

    value: Found | None
    trouble: str | None
    seconds: float


@dataclass(frozen=True)
class Passes:
    """What came of each step of accounting for a point."""

    build_seconds: float
    cost: Attempt[Cost]
    reference: Attempt[Reference]
    first: Attempt[object]
    check: Attempt[OutputCheck]
    change: Attempt[str | None]
    memory: Attempt[Memory]
    profile: Attempt[tuple[Breakdown, tuple[Doubt, ...]]]

    def measurement(self) -> Measurement:
        """Gather the figures; a wrong output fails the point and costs no figure."""
        breakdown, doubts = self.profile.value or (None, ())
        check = self.check.value or OutputCheck()
        remarks = check.remark, self.change.value
        return Measurement(
            status=Status.FAILED if check.fault else Status.MEASURED,
            reason="; ".join(filter(None, (check.fault, *self._troubles(), *remarks))) or None,
            doubts=doubts,
            cost=self.cost.value,
            memory=self.memory.value,
            breakdown=breakdown,
            output_error=check.error,
            seconds=self._seconds(),
        )

    def _troubles(self) -> Iterator[str | None]:
        yield disagreement(self.cost.value) if self.cost.value else None
        steps = (self.cost, self.reference, self.first, self.check, self.change, self.memory, self.profile)
        yield from (step.trouble for step in steps)

    def _seconds(self) -> PassSeconds:
        return PassSeconds(
            build=self.build_seconds,
            cost=self.cost.seconds,
            memory=self.memory.seconds,
            breakdown=self.profile.seconds,
            check=self.reference.seconds + self.check.seconds + self.change.seconds,
        )


def account_for(
    conditions: Conditions,
    device: Device,
    cost: Attempt[Cost],
    build: Callable[[], Workload],
    latency_ms: float | None,
) -> Measurement:
    """Check one point's output and read its memory and device time; its latency stays None.

    Args:
        conditions: the point's, which are in force.
        device: where it runs.
        cost: what came of counting.
        build: makes the point's workload.
        latency_ms: its median latency, for the host-bound test; None where unknown.
    """
    workload, building_s = _timed(build)
    reference = attempt("output check", lambda: find_reference(workload, conditions, device))
    device.release()
    runnable, making_s = _timed(lambda: make_runnable(workload, conditions, device))
    first = attempt("first call", runnable.call)
    return Passes(
        build_seconds=building_s + making_s + first.seconds,
        cost=cost,
        reference=reference,
        first=first,
        check=_checked(first, reference, conditions.dtype),
        change=attempt("input check", lambda: changed_input(workload, runnable, conditions, device)),
        memory=attempt("memory", lambda: measure_memory(runnable, conditions, device)),
        profile=attempt("device time", lambda: measure_breakdown(runnable, conditions, device, latency_ms)),
    ).measurement()


def attempt(what: str, find: Callable[[], Found]) -> Attempt[Found]:
    """Find a figure; what goes wrong costs this figure alone, and is told."""
    start = time.monotonic()
    try:
        value, trouble = find(), None
    except Exception as error:  # whatever a network or a profiler raises
        traceback.print_exc()
        value, trouble = None, f"no {what}: {reason_of(error)}"
    return Attempt(value, trouble, time.monotonic() - start)


def _timed(make: Callable[[], Found]) -> tuple[Found, float]:
    """Make something and give the seconds that it took."""
    start = time.monotonic()
    return make(), time.monotonic() - start


def _checked(first: Attempt[object], reference: Attempt[Reference], dtype: str) -> Attempt[OutputCheck]:
    """Compare the first call's output with its reference, where there are both."""
    if first.trouble or reference.value is None:
        return Attempt(None, None, 0.0)
    wanted = reference.value
    return attempt("output check", lambda: check_output(first.value, wanted, dtype))
