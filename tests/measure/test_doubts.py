"""Doubts read from samples and the first call."""

from dataclasses import replace

import pytest

from fakes_store import latency_of
from octprobe.measure.doubts import is_first_call_slow, latency_doubts, round_spread
from octprobe.store.records import Doubt

LEVEL = replace(latency_of(10.0, spread=0.0, count=30), first_call_ms=20.0)


@pytest.mark.parametrize(
    ("samples", "ends", "spread"),
    [
        ([10.0] * 9, [3, 6, 9], 0.0),
        ([10.0] * 3 + [12.0] * 3 + [10.0] * 3, [3, 6, 9], 0.2),
        ([10.0] * 3 + [99.0] * 2, [3, 5], 0.0),
        ([10.0, 20.0], [1, 2], 0.0),
    ],
    ids=["level", "one round off", "short round ignored", "single samples"],
)
def test_spread_is_the_range_of_round_medians(samples: list[float], ends: list[int], spread: float) -> None:
    """Rounds of fewer than three samples say nothing."""
    assert round_spread(samples, ends) == pytest.approx(spread)


def test_a_level_converged_series_has_no_doubt() -> None:
    """Nothing to say is an empty tuple."""
    assert latency_doubts(LEVEL, [10, 20, 30], is_converged=True) == ()


def test_doubts_add_up() -> None:
    """A wide and moving series has both doubts."""
    moving = replace(LEVEL, samples_ms=tuple([10.0] * 10 + [20.0] * 10 + [30.0] * 10))
    assert latency_doubts(moving, [10, 20, 30], is_converged=False) == (Doubt.NOT_CONVERGED, Doubt.UNSTABLE)


def test_two_clocks_are_told() -> None:
    """A clock that jumps by a tenth within every round is bimodal, not unstable."""
    jumping = replace(LEVEL, samples_ms=(10.0, 11.0, 10.0) * 10)
    assert latency_doubts(jumping, [10, 20, 30], is_converged=True) == (Doubt.BIMODAL,)


@pytest.mark.parametrize(
    ("first_ms", "median_ms", "slow"),
    [(99.0, 1.0, False), (101.0, 1.0, True), (999.0, 100.0, False), (1001.0, 100.0, True)],
    ids=["not felt", "a hundred times", "under ten times", "over ten times"],
)
def test_a_first_call_is_slow_by_ratio_and_by_feel(first_ms: float, median_ms: float, slow: bool) -> None:
    """Ten times the median and a tenth of a second both count."""
    latency = replace(latency_of(median_ms, spread=0.0), first_call_ms=first_ms)
    assert is_first_call_slow(latency) is slow


def test_compiling_and_an_unknown_first_call_are_not_slow() -> None:
    """A compilation has a column of its own."""
    assert not is_first_call_slow(replace(LEVEL, first_call_ms=9e4, compile_seconds=90.0))
    assert not is_first_call_slow(replace(LEVEL, first_call_ms=None))
