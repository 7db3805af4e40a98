"""Reasons to trust a latency less, read from its samples and its first call."""

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from octprobe.measure.patterns import is_bimodal
from octprobe.store.records import Doubt, Latency

# Medians of rounds further apart than this mean that the machine changed between them: five times the
# half width that a sweep usually asks for.
UNSTABLE_SPREAD = 0.1
# A median of fewer samples says little about a round.
_MIN_ROUND_SAMPLES = 3
# The first call of a ResNet takes 1 to 6 times the later ones (Intel Xeon, torch 2.14, 2026-11): it makes
# oneDNN's primitives and packs weights. Beyond ten times the median tells nothing of a cold start.
SLOW_FIRST_CALL_RATIO = 10.0
# Below a tenth of a second a person does not feel a delay (Miller 1968).
SLOW_FIRST_CALL_MS = 100.0


def latency_doubts(latency: Latency, round_ends: Sequence[int], *, is_converged: bool) -> tuple[Doubt, ...]:
    """List what is doubtful about one subject's samples.

    Args:
        latency: the samples in the order taken, and the first call.
        round_ends: how many samples there were at the end of each round.
        is_converged: whether the interval asked for was reached.
    """
    samples_ms = latency.samples_ms
    raised = {
        Doubt.NOT_CONVERGED: not is_converged,
        Doubt.UNSTABLE: round_spread(samples_ms, round_ends) > UNSTABLE_SPREAD,
        Doubt.BIMODAL: is_bimodal(samples_ms),
        Doubt.SLOW_FIRST_CALL: is_first_call_slow(latency),
    }
    return tuple(doubt for doubt, is_raised in raised.items() if is_raised)


def round_spread(samples_ms: Sequence[float], round_ends: Sequence[int]) -> float:
    """Give the range of the rounds' medians as a share of the whole median; 0 where one round says enough."""
    rounds = [samples_ms[start:end] for start, end in pairwise([0, *round_ends])]
    medians = [median(taken) for taken in rounds if len(taken) >= _MIN_ROUND_SAMPLES]
    if len(medians) < 2:
        return 0.0
    return (max(medians) - min(medians)) / median(samples_ms)


def is_first_call_slow(latency: Latency) -> bool:
    """Tell a first call so long that the median does not stand for it; a compilation is no such call."""
    first_ms = latency.first_call_ms
    if first_ms is None or latency.compile_seconds is not None:
        return False
    slow_ms = max(SLOW_FIRST_CALL_MS, SLOW_FIRST_CALL_RATIO * median(latency.samples_ms))
    return first_ms > slow_ms
