"""When a point has been sampled enough."""

import pytest

from octprobe.measure.stopping import Progress, is_converged, is_exhausted, samples_until_next_look
from octprobe.plan.spec import Measure

SETTINGS = Measure(relative_ci=0.01, min_seconds=0.5, max_seconds=2.0, rounds=3)


def test_a_sharp_median_over_enough_seconds_is_converged() -> None:
    """30 equal samples of 20 ms are 0.6 s with an interval of no width."""
    assert is_converged(Progress([20.0] * 30, 1), SETTINGS)


@pytest.mark.parametrize(
    ("samples_ms", "calls"),
    [([20.0] * 29, 1), ([10.0] * 30, 1), ([20.0, 30.0] * 15, 1)],
    ids=["29 samples", "0.3 s", "wide interval"],
)
def test_few_short_or_wide_samples_are_not_converged(samples_ms: list[float], calls: int) -> None:
    """Each condition alone keeps a point going."""
    assert not is_converged(Progress(samples_ms, calls), SETTINGS)


def test_calls_per_sample_count_towards_the_seconds() -> None:
    """30 samples of two calls of 10 ms are 0.6 s."""
    assert Progress([10.0] * 30, 2).timed_seconds == pytest.approx(0.6)
    assert is_converged(Progress([10.0] * 30, 2), SETTINGS)


def test_the_cap_counts_timed_seconds() -> None:
    """Two seconds end a point that was capped at two."""
    assert not is_exhausted(Progress([100.0] * 19, 1), SETTINGS)
    assert is_exhausted(Progress([100.0] * 20, 1), SETTINGS)


def test_the_first_look_is_spread_over_the_rounds_and_later_ones_grow_by_half() -> None:
    """Three rounds of ten, then 15, 23, 34 more."""
    taken, rounds = 0, []
    for _ in range(6):
        rounds.append(samples_until_next_look(taken, SETTINGS))
        taken += rounds[-1]
    assert rounds == [10, 10, 10, 15, 23, 34]


@pytest.mark.parametrize("rounds", range(1, 40))
def test_any_number_of_rounds_reaches_the_first_look_exactly(rounds: int) -> None:
    """The first look stands at 30 samples however they are spread."""
    settings = SETTINGS.model_copy(update={"rounds": rounds})
    taken = 0
    while taken < 30:
        taken += samples_until_next_look(taken, settings)
    assert taken == 30
