"""Latency of a group: subjects timed in interleaved rounds of adjacent pairs until each is sharp enough."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from octprobe.measure.device import Call, Device
from octprobe.measure.doubts import latency_doubts
from octprobe.measure.schedule import Visit, plan_round
from octprobe.measure.stopping import (
    Progress,
    StoppingSettings,
    is_converged,
    is_exhausted,
    samples_until_next_look,
)
from octprobe.measure.warmup import WarmUp, warm_up
from octprobe.store.records import Doubt, Latency


class LatencySettings(StoppingSettings, Protocol):
    """What the timing of a group must know."""

    @property
    def seed(self) -> int:
        """Seed of the rounds' order."""


@dataclass
class _Series:
    """One subject's samples while they are being taken."""

    call: Call
    warmup: WarmUp
    compiles: bool = False
    samples_ms: list[float] = field(default_factory=list)
    pair_ratios: list[float] = field(default_factory=list)
    round_ends: list[int] = field(default_factory=list)

    @property
    def progress(self) -> Progress:
        return Progress(self.samples_ms, self.warmup.calls_per_sample)

    def end_round(self) -> None:
        """Mark the end of a round that gave samples."""
        if len(self.samples_ms) > (self.round_ends[-1] if self.round_ends else 0):
            self.round_ends.append(len(self.samples_ms))

    def take(self, device: Device) -> float:
        """Time one block; where a block has several calls, one more comes first to refill the caches."""
        calls = self.warmup.calls_per_sample
        if calls > 1:
            self.call()
        sample_ms = device.time_calls_ms(self.call, calls)
        self.samples_ms.append(sample_ms)
        return sample_ms


@dataclass(frozen=True)
class TimedGroup:
    """What timing a group gave, by the subjects' names.

    Attributes:
        settled: subjects that need no more rounds; all of them, unless a request to stop came first.
    """

    latencies: Mapping[str, Latency]
    doubts: Mapping[str, tuple[Doubt, ...]]
    settled: frozenset[str]


class GroupTimer:
    """Times the subjects of one group side by side.

    Args:
        device: where the calls run.
        settings: how sharp, how long, in how many rounds, with which seed.
        anchor: the subject that every other is paired with.
    """

    def __init__(self, device: Device, settings: LatencySettings, anchor: str) -> None:
        self._device = device
        self._settings = settings
        self._anchor = anchor
        self._series: dict[str, _Series] = {}

    def add(self, name: str, call: Call, *, compiles: bool = False) -> None:
        """Warm a subject up and take it into the rounds; what its call raises passes through.

        Args:
            name: the subject's name, unique in the group.
            call: one forward call.
            compiles: whether the first call compiles; then its time is kept apart.
        """
        self._series[name] = _Series(call, warm_up(call, self._device), compiles)

    def run(
        self, after_round: Callable[[int], bool], after_visit: Callable[[], None] = lambda: None
    ) -> TimedGroup:
        """Time rounds until every subject is sharp enough or has used up its seconds.

        Args:
            after_round: told the number of each round that is done; answers whether to go on.
            after_visit: called between timed blocks, to show that the rounds go on.
        """
        generator = random.Random(self._settings.seed)
        number = 0
        while wanted := self._wanted():
            for visit in plan_round(wanted, self._present_anchor, generator):
                if not is_exhausted(self._series[visit.subject].progress, self._settings):
                    self._take(visit)
                    after_visit()
            for series in self._series.values():
                series.end_round()
            number += 1
            if not after_round(number):
                break
        return self._result()

    @property
    def _present_anchor(self) -> str | None:
        return self._anchor if self._anchor in self._series else None

    def _wanted(self) -> dict[str, int]:
        """Blocks of the next round for each subject that needs more; pairs feed the anchor as they go."""
        wanted = {
            name: samples_until_next_look(len(series.samples_ms), self._settings)
            for name, series in self._series.items()
            if not self._is_settled(series)
        }
        if len(wanted) > 1:
            wanted.pop(self._anchor, None)
        return wanted

    def _is_settled(self, series: _Series) -> bool:
        return is_converged(series.progress, self._settings) or is_exhausted(series.progress, self._settings)

    def _take(self, visit: Visit) -> None:
        times_ms = {name: self._series[name].take(self._device) for name in visit.order}
        if visit.neighbour is not None:
            ratio = times_ms[visit.subject] / times_ms[visit.neighbour]
            self._series[visit.subject].pair_ratios.append(ratio)

    def _result(self) -> TimedGroup:
        taken = {name: series for name, series in self._series.items() if series.samples_ms}
        doubts = {
            name: latency_doubts(
                series.samples_ms, series.round_ends, is_converged(series.progress, self._settings)
            )
            for name, series in taken.items()
        }
        settled = frozenset(name for name, series in taken.items() if self._is_settled(series))
        return TimedGroup({name: _latency(series) for name, series in taken.items()}, doubts, settled)


def _latency(series: _Series) -> Latency:
    first_ms = series.warmup.first_call_ms
    return Latency(
        samples_ms=tuple(series.samples_ms),
        calls_per_sample=series.warmup.calls_per_sample,
        pair_ratios=tuple(series.pair_ratios),
        rounds=len(series.round_ends),
        first_call_ms=first_ms,
        warmup_calls=series.warmup.calls,
        compile_seconds=first_ms / 1e3 if series.compiles else None,
    )
