"""When a point has been sampled enough: looks on geometrically spaced counts, no trend, a cap of seconds."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from octprobe.measure.patterns import has_trend
from octprobe.stats import series_interval

# Fewer samples give an order-statistic interval that is mostly the sample's extremes.
MIN_SAMPLES = 30
# Each look tests the stopping rule once more; spacing the looks by half keeps their number, and so the
# chance of stopping on a lucky one, logarithmic in the samples.
LOOK_GROWTH = 1.5


class StoppingSettings(Protocol):
    """The part of a sweep's `measure` block that decides how long a point is sampled."""

    @property
    def relative_ci(self) -> float:
        """Half width of the median's interval asked for, as a share of the median."""

    @property
    def min_seconds(self) -> float:
        """Least timed seconds a point."""

    @property
    def max_seconds(self) -> float:
        """Most timed seconds a point, over all rounds."""

    @property
    def rounds(self) -> int:
        """Rounds that the first look's samples are spread over."""


@dataclass(frozen=True)
class Progress:
    """What has been taken of one point so far.

    Attributes:
        other_ms: time of blocks that gave none of these samples.
    """

    samples_ms: Sequence[float]
    calls_per_sample: int
    other_ms: float = 0.0

    @property
    def timed_seconds(self) -> float:
        """Seconds inside timed blocks."""
        return (sum(self.samples_ms) * self.calls_per_sample + self.other_ms) / 1e3


def is_converged(progress: Progress, settings: StoppingSettings) -> bool:
    """Tell whether the median is as sharp as was asked, was looked at long enough, and stands still.

    An interval says nothing of a level that moves: a series may be sharp at each look and drift on.
    """
    if len(progress.samples_ms) < MIN_SAMPLES or progress.timed_seconds < settings.min_seconds:
        return False
    width = series_interval(progress.samples_ms).relative_half_width
    if width is None or width > settings.relative_ci:
        return False
    return not has_trend(progress.samples_ms, settings.relative_ci)


def is_exhausted(progress: Progress, settings: StoppingSettings) -> bool:
    """Tell whether the point has used up its seconds."""
    return progress.timed_seconds >= settings.max_seconds


def samples_until_next_look(taken: int, settings: StoppingSettings) -> int:
    """Give the samples of the next round: the first look's share of a round, later half as many again."""
    if taken < MIN_SAMPLES:
        return min(math.ceil(MIN_SAMPLES / settings.rounds), MIN_SAMPLES - taken)
    return math.ceil(taken * (LOOK_GROWTH - 1))
