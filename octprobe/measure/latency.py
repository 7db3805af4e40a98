"""Latency of a group: subjects timed in interleaved rounds of adjacent pairs until each is sharp enough."""

import math
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from octprobe.errors import MachineError
from octprobe.measure.ability import usable_processors
from octprobe.measure.company import Lookout, NoLookout, company_doubts, holds_down
from octprobe.measure.device import Call, Device
from octprobe.measure.doubts import latency_doubts
from octprobe.measure.schedule import Visit, plan_round
from octprobe.measure.series import PERIOD_SAMPLES, Series
from octprobe.measure.stopping import (
    StoppingSettings,
    is_converged,
    is_exhausted,
    samples_until_next_look,
)
from octprobe.measure.warmup import warm_up
from octprobe.store.records import Doubt, Latency, PassSeconds


class LatencySettings(StoppingSettings, Protocol):
    """What the timing of a group must know."""

    @property
    def seed(self) -> int:
        """Seed of the rounds' order."""


@dataclass(frozen=True)
class TimedGroup:
    """What timing a group gave, by the subjects' names.

    Attributes:
        settled: subjects that need no more rounds; all of them, unless a request to stop came first.
        troubles: why a subject has no latency, one line each.
        seconds: wall time of warming up and of the latency pass.
    """

    latencies: Mapping[str, Latency]
    doubts: Mapping[str, tuple[Doubt, ...]]
    settled: frozenset[str]
    troubles: Mapping[str, str]
    seconds: Mapping[str, PassSeconds]

    def latency_of(self, name: str) -> Latency:
        """Give a subject's latency.

        Raises:
            MachineError: it has none; the message says why.
        """
        if name in self.troubles:
            raise MachineError(self.troubles[name])
        return self.latencies[name]


class GroupTimer:
    """Times the subjects of one group side by side.

    Args:
        device: where the calls run.
        settings: how sharp, how long, in how many rounds, with which seed.
        anchor: the subject that every other is paired with.
        lookout: tells what else ran during a block, and how the clock stood.
    """

    def __init__(
        self, device: Device, settings: LatencySettings, anchor: str, lookout: Lookout | None = None
    ) -> None:
        self._device = device
        self._settings = settings
        self._anchor = anchor
        self._lookout = lookout or NoLookout()
        self._series: dict[str, Series] = {}

    def add(self, name: str, call: Call, *, compiles: bool = False) -> None:
        """Warm a subject up and take it into the rounds; what its call raises passes through.

        Args:
            name: the subject's name, unique in the group.
            call: one call.
            compiles: whether the first call compiles; then its time is kept apart.
        """
        start = time.monotonic()
        warmup = warm_up(call, self._device)
        self._series[name] = Series(call, warmup, compiles, time.monotonic() - start)

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
            self._take_periods(generator, after_visit)
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

    def _is_settled(self, series: Series) -> bool:
        return is_converged(series.progress, self._settings) or is_exhausted(series.progress, self._settings)

    def _take(self, visit: Visit) -> None:
        """Time the blocks of a visit; a clock held down in one of them spoils all."""
        blocks = {name: self._series[name].time_block(self._device, self._lookout) for name in visit.order}
        spoilt = any(holds_down(block.glance) for block in blocks.values())
        for name, block in blocks.items():
            series = self._series[name]
            series.discard(block) if spoilt else series.keep(block)
        if visit.neighbour is not None and not spoilt:
            ratio = blocks[visit.subject].sample_ms / blocks[visit.neighbour].sample_ms
            self._series[visit.subject].pair_ratios.append(ratio)

    def _take_periods(self, generator: random.Random, after_visit: Callable[[], None]) -> None:
        """Time a round's share of blocks back to back, subjects in random order."""
        share = math.ceil(PERIOD_SAMPLES / self._settings.rounds)
        visits = [
            series
            for series in self._series.values()
            for _ in range(min(share, PERIOD_SAMPLES - len(series.period_samples_ms)))
        ]
        generator.shuffle(visits)
        for series in visits:
            if not is_exhausted(series.progress, self._settings):
                series.time_period(self._device, self._lookout)
                after_visit()

    def _result(self) -> TimedGroup:
        taken = {name: series for name, series in self._series.items() if series.samples_ms}
        latencies = {name: self._latency(series) for name, series in taken.items()}
        doubts = {name: self._doubts(series, latencies[name]) for name, series in taken.items()}
        settled = frozenset(name for name, series in self._series.items() if self._is_settled(series))
        troubles = {
            name: series.trouble for name, series in self._series.items() if series.trouble is not None
        }
        seconds = {
            name: PassSeconds(warm_up=series.warm_up_seconds, latency=series.pass_seconds)
            for name, series in self._series.items()
        }
        return TimedGroup(latencies, doubts, settled, troubles, seconds)

    def _doubts(self, series: Series, latency: Latency) -> tuple[Doubt, ...]:
        # A subject that was stopped before its seconds were used up is not what `not_converged` means.
        converged = not self._is_settled(series) or is_converged(series.progress, self._settings)
        return (
            *latency_doubts(latency, series.round_ends, is_converged=converged),
            *company_doubts(latency.company, latency.block_seconds * usable_processors()),
        )

    def _latency(self, series: Series) -> Latency:
        first_ms = series.warmup.first_call_ms
        return Latency(
            samples_ms=tuple(series.samples_ms),
            calls_per_sample=series.warmup.calls_per_sample,
            pair_ratios=tuple(series.pair_ratios),
            rounds=len(series.round_ends),
            first_call_ms=first_ms,
            warmup_calls=series.warmup.calls,
            compile_seconds=first_ms / 1e3 if series.compiles else None,
            period_samples_ms=tuple(series.period_samples_ms),
            calls_per_period_sample=series.period_calls if series.period_samples_ms else None,
            timed_together=len(self._series),
            company=series.company,
        )
