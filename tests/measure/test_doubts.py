"""Doubts read from samples."""

import pytest

from octprobe.measure.doubts import latency_doubts, round_spread
from octprobe.store.records import Doubt


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
    assert latency_doubts([10.0] * 30, [10, 20, 30], is_converged=True) == ()


def test_doubts_add_up() -> None:
    """A wide and moving series has both doubts."""
    samples = [10.0] * 10 + [20.0] * 10 + [30.0] * 10
    assert latency_doubts(samples, [10, 20, 30], is_converged=False) == (Doubt.NOT_CONVERGED, Doubt.UNSTABLE)
