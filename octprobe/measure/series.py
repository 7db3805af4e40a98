"""One subject's samples while they are being taken: blocks timed, looked around at, kept or discarded."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from octprobe.measure.company import Glance, Lookout, holds_down, summarise_company
from octprobe.measure.device import Call, Device
from octprobe.measure.stopping import Progress
from octprobe.measure.warmup import WarmUp
from octprobe.store.records import Company

# A block back to back is as long as several samples, so that its one wait at the end weighs little.
_TARGET_PERIOD_BLOCK_MS = 50.0
# Two calls are the fewest that can follow each other.
_MIN_PERIOD_CALLS = 2
_MAX_PERIOD_CALLS = 1000
# The fewest samples whose median has a 95 % interval are six; nine survive a stray or two.
PERIOD_SAMPLES = 9


@dataclass(frozen=True)
class Block:
    """One timed block: milliseconds a call, and what was seen around it."""

    sample_ms: float
    glance: Glance


@dataclass
class Series:
    """What is known of one subject so far.

    Attributes:
        call: one call of the subject.
        warmup: what warming it up told.
        compiles: whether its first call compiled.
        warm_up_seconds: wall time of warming it up.
        pass_seconds: wall time of its blocks, with all that is done around each.
        other_ms: time of blocks that gave no sample: back to back, or the clock was held down.
    """

    call: Call
    warmup: WarmUp
    compiles: bool = False
    warm_up_seconds: float = 0.0
    pass_seconds: float = 0.0
    samples_ms: list[float] = field(default_factory=list)
    pair_ratios: list[float] = field(default_factory=list)
    period_samples_ms: list[float] = field(default_factory=list)
    round_ends: list[int] = field(default_factory=list)
    other_ms: float = 0.0
    _kept: list[Glance] = field(default_factory=list)
    _discarded: list[Glance] = field(default_factory=list)

    @property
    def progress(self) -> Progress:
        """Give what decides whether to go on."""
        return Progress(self.samples_ms, self.warmup.calls_per_sample, self.other_ms)

    @property
    def company(self) -> Company:
        """Give what was seen around the blocks."""
        return summarise_company(self._kept, self._discarded)

    @property
    def period_calls(self) -> int:
        """Give the calls of a block back to back."""
        wanted = round(_TARGET_PERIOD_BLOCK_MS / max(self.warmup.level_ms, 1e-6))
        return min(max(wanted, _MIN_PERIOD_CALLS), _MAX_PERIOD_CALLS)

    @property
    def trouble(self) -> str | None:
        """Say why there is no sample although there were blocks."""
        if self.samples_ms or not self._discarded:
            return None
        reasons = ", ".join(self.company.throttle_reasons or ())
        return (
            f"the clock was held down in all {len(self._discarded)} blocks ({reasons}); "
            "cool the device or lift its limit"
        )

    def time_block(self, device: Device, lookout: Lookout) -> Block:
        """Time one block; where a block has several calls, one more comes first to refill the caches."""
        calls = self.warmup.calls_per_sample
        with self._spending():
            if calls > 1:
                self.call()
            lookout.start()
            sample_ms = device.time_calls_ms(self.call, calls)
            return Block(sample_ms, lookout.read())

    def keep(self, block: Block) -> None:
        """Take a block's sample."""
        self.samples_ms.append(block.sample_ms)
        self._kept.append(block.glance)

    def discard(self, block: Block) -> None:
        """Count a block whose sample cannot be used; its time is spent all the same."""
        self.other_ms += block.sample_ms * self.warmup.calls_per_sample
        self._discarded.append(block.glance)

    def time_period(self, device: Device, lookout: Lookout) -> None:
        """Time one block of calls back to back; a clock held down meanwhile spoils it."""
        with self._spending():
            lookout.start()
            sample_ms = device.time_back_to_back_ms(self.call, self.period_calls)
            glance = lookout.read()
        self.other_ms += sample_ms * self.period_calls
        if holds_down(glance):
            self._discarded.append(glance)
        else:
            self.period_samples_ms.append(sample_ms)

    def end_round(self) -> None:
        """Mark the end of a round that gave samples."""
        if len(self.samples_ms) > (self.round_ends[-1] if self.round_ends else 0):
            self.round_ends.append(len(self.samples_ms))

    @contextmanager
    def _spending(self) -> Iterator[None]:
        start = time.monotonic()
        yield
        self.pass_seconds += time.monotonic() - start
