"""Reasons to trust a latency less, read from its samples."""

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from octprobe.store.records import Doubt

# Medians of rounds further apart than this mean that the machine changed between them: five times the
# half width that a sweep usually asks for.
UNSTABLE_SPREAD = 0.1
# A median of fewer samples says little about a round.
_MIN_ROUND_SAMPLES = 3


def latency_doubts(
    samples_ms: Sequence[float], round_ends: Sequence[int], is_converged: bool
) -> tuple[Doubt, ...]:
    """List what is doubtful about one subject's samples.

    Args:
        samples_ms: the samples in the order taken.
        round_ends: how many samples there were at the end of each round.
        is_converged: whether the interval asked for was reached.
    """
    doubts = [] if is_converged else [Doubt.NOT_CONVERGED]
    if round_spread(samples_ms, round_ends) > UNSTABLE_SPREAD:
        doubts.append(Doubt.UNSTABLE)
    return tuple(doubts)


def round_spread(samples_ms: Sequence[float], round_ends: Sequence[int]) -> float:
    """Give the range of the rounds' medians as a share of the whole median; 0 where one round says enough."""
    rounds = [samples_ms[start:end] for start, end in pairwise([0, *round_ends])]
    medians = [median(taken) for taken in rounds if len(taken) >= _MIN_ROUND_SAMPLES]
    if len(medians) < 2:
        return 0.0
    return (max(medians) - min(medians)) / median(samples_ms)
