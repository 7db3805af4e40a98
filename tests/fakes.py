"""Stand-ins that make measuring exact and instant: a clock, calls that take a set time, an instrument."""

import itertools
import os
import signal
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from octprobe.plan.point import DesignPoint, NetworkSubject
from octprobe.store.records import (
    Cost,
    Environment,
    Latency,
    Measurement,
    Memory,
    PassSeconds,
    PathMacs,
    Status,
)


class FakeClock:
    """A clock that moves only when it is told to."""

    def __init__(self) -> None:
        self.ns = 1_000

    def now_ns(self) -> int:
        """Give the time."""
        return self.ns

    def advance_ms(self, milliseconds: float) -> None:
        """Let time pass."""
        self.ns += round(milliseconds * 1e6)


class TimedCall:
    """A forward call that takes the next of a series of times, again and again."""

    def __init__(self, clock: FakeClock, times_ms: Iterable[float]) -> None:
        self._clock = clock
        self._times_ms = itertools.cycle(list(times_ms))
        self.calls = 0

    def __call__(self) -> None:
        self.calls += 1
        self._clock.advance_ms(next(self._times_ms))


ENVIRONMENT = Environment(
    device_kind="cpu",
    device_name="Fake CPU 3000",
    driver=None,
    torch="2.9.0",
    cuda=None,
    cudnn=None,
    deterministic=False,
    cpu_model="Fake CPU 3000",
    cpu_count=2,
    default_threads=2,
    governor=None,
    os="Linux 6.1",
)

COST = Cost(
    macs=1000,
    macs_dispatched=1000,
    macs_executed=1000,
    path_macs=PathMacs(h2h=400, h2l=100, l2h=100, l2l=100, plain=300),
    elementwise_flops=50,
    parameters=77,
    uncounted_ops={},
    bytes_read=10,
    bytes_written=5,
    operators=4,
    weights_bytes=308,
    input_bytes=64,
    peak_live_bytes=128,
)


class FakeInstrument:
    """Measures nothing, quickly; a network's name says what befalls it.

    `crash` ends the process with SIGSEGV, `hang` never answers, `fail` raises, `greedy` has no memory in
    company, `hungry` never has. Every subject that is timed is written to a journal, so that a test
    can see what was measured how often.
    """

    def __init__(self, journal: str, wait_for: str | None = None, kind: str = "cpu") -> None:
        self._journal = Path(journal)
        self._wait_for = wait_for
        self._kind = kind

    def environment(self) -> Environment:
        """Give a machine that does not exist."""
        return ENVIRONMENT

    def time_group(
        self, task: Any, note: Callable[[str], None], after_round: Callable[[int], bool]
    ) -> tuple[Mapping[str, Measurement], frozenset[str]]:
        """Give three rounds' samples for each subject."""
        note("timing")
        measurements = {point.point_id: self._time(point, task) for point in task.subjects}
        for number in range(1, 4):
            if not after_round(number):
                return measurements, frozenset()
        return measurements, frozenset(measurements)

    def account(self, point: DesignPoint, latency_ms: float | None) -> Measurement:
        """Give the same cost for everything."""
        if self._befalls(point, "clumsy"):
            os.kill(os.getpid(), signal.SIGKILL)
        return Measurement(
            status=Status.MEASURED, cost=COST, memory=Memory(peak_allocator_bytes=9, peak_reserved_bytes=None)
        )

    def _time(self, point: DesignPoint, task: Any) -> Measurement:
        with self._journal.open("a") as journal:
            journal.write(point.point_id + "\n")
        if self._befalls(point, "crash"):
            print("about to crash", flush=True)
            os.kill(os.getpid(), signal.SIGSEGV)
        if self._befalls(point, "hang"):
            threading.Event().wait()
        if self._befalls(point, "fail"):
            raise RuntimeError("the network is broken\nsecond line")
        if self._befalls(point, "hungry") or (self._befalls(point, "greedy") and len(task.subjects) > 2):
            return Measurement(status=Status.OUT_OF_MEMORY, reason="RuntimeError: out of memory")
        if self._befalls(point, "odd"):
            return Measurement(status=Status.SKIPPED, reason="no such alpha")
        base_ms = 10.0 if point.is_anchor else 8.0
        samples = tuple(base_ms + 0.001 * k for k in range(30))
        ratios = () if point.is_anchor else tuple(0.8 + 0.0001 * k for k in range(30))
        latency = Latency(
            samples_ms=samples,
            calls_per_sample=1,
            pair_ratios=ratios,
            rounds=3,
            first_call_ms=20.0,
            warmup_calls=4,
        )
        return Measurement(status=Status.MEASURED, latency=latency, seconds=PassSeconds(build=0.1))

    @staticmethod
    def _befalls(point: DesignPoint, fate: str) -> bool:
        subject = point.subject
        return (
            isinstance(subject, NetworkSubject)
            and subject.network == fate
            and not point.is_anchor
            and subject.alpha == subject.alpha.__class__("0.5")
        )
