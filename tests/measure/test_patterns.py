"""Trends and states, against series whose answer is known."""

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from octprobe.measure.patterns import has_trend, is_bimodal, trend_of, two_states

Draw = Callable[[np.random.Generator, int], np.ndarray]
LEVEL_LAWS: dict[str, Draw] = {
    "normal": lambda g, n: g.normal(20, 0.2, n),
    "log-normal": lambda g, n: 20 * np.exp(g.normal(0, 0.2, n)),
    "student": lambda g, n: 20 * np.exp(0.02 * g.standard_t(2, n)),
    "exponential": lambda g, n: 20 + g.exponential(1, n),
}


def share(law: Callable[[np.random.Generator], list[float]], tell: Callable[[list[float]], bool]) -> float:
    """Give how often 300 series are told."""
    generator = np.random.default_rng(0)
    return sum(tell(law(generator)) for _ in range(300)) / 300


def test_a_straight_rise_has_its_slope_and_the_largest_z() -> None:
    """32 levels that rise by one each: every pair agrees, and the line spans 31."""
    trend = trend_of([100.0 + k for k in range(32)])
    pairs = 32 * 31 / 2
    assert trend.z == pytest.approx(pairs / math.sqrt(32 * 31 * 69 / 18))
    assert trend.movement == pytest.approx(31 / 115.5)


@given(st.lists(st.integers(1, 50), min_size=2, max_size=32))
def test_ranks_and_slopes_are_those_of_all_pairs(values: list[int]) -> None:
    """Up to 32 samples each is its own stretch: brute force over pairs gives the same."""
    pairs = list(itertools.combinations(range(len(values)), 2))
    score = sum((values[b] > values[a]) - (values[b] < values[a]) for a, b in pairs)
    slope = float(np.median([(values[b] - values[a]) / (b - a) for a, b in pairs]))
    trend = trend_of([float(value) for value in values])
    n = len(values)
    assert trend.z == pytest.approx(score / math.sqrt(n * (n - 1) * (2 * n + 5) / 18))
    assert trend.movement == pytest.approx(slope * (n - 1) / float(np.median(values)))


@given(st.lists(st.floats(1, 1e3), min_size=2, max_size=200))
def test_a_series_played_backwards_trends_the_other_way(samples: list[float]) -> None:
    """Time reversed turns the sign, where stretches are equally long."""
    even = samples[: len(samples) // 32 * 32] or samples[:32]
    forward, back = trend_of(even), trend_of(even[::-1])
    assert back.z == pytest.approx(-forward.z)
    assert back.movement == pytest.approx(-forward.movement)


def test_few_samples_and_zeros_have_no_trend() -> None:
    """One sample moves nowhere, and nothing is a share of zero."""
    assert not has_trend([20.0], 0.01)
    assert not has_trend([0.0] * 40, 0.01)


@pytest.mark.parametrize("count", [30, 100])
@pytest.mark.parametrize("law", LEVEL_LAWS.values(), ids=LEVEL_LAWS)
def test_level_series_are_seldom_called_a_trend(law: Draw, count: int) -> None:
    """Whatever the tail, at most 3 % of level series are told."""
    assert share(lambda g: law(g, count).tolist(), lambda s: has_trend(s, 0.01)) <= 0.03


def test_a_drift_of_five_percent_in_noise_is_told() -> None:
    """An exponential approach, as of a machine that warms up, is found by the first look."""

    def drift(generator: np.random.Generator) -> list[float]:
        rise = 1 + 0.05 * (1 - np.exp(-3 * np.linspace(0, 1, 30)))
        return (20 * rise * (1 + generator.normal(0, 0.01, 30))).tolist()

    assert share(drift, lambda s: has_trend(s, 0.01)) > 0.95


def test_a_movement_within_the_tolerance_is_let_pass() -> None:
    """A perfect order of half a percent is no matter for an interval of one."""
    rise = [20 * (1 + 0.005 * k / 99) for k in range(100)]
    assert not has_trend(rise, 0.01)
    assert has_trend(rise, 0.001)


def test_two_tight_states_are_parted_where_they_part() -> None:
    """Twelve of forty samples are a quarter slower: 70 % lie low, and the parting explains everything."""
    states = two_states([10.0] * 28 + [12.5] * 12)
    assert states is not None
    assert (states.explained, states.low_share, states.gap) == pytest.approx((1.0, 0.7, 0.25))
    assert (states.middle_share, states.rarer_share) == (0.0, pytest.approx(0.3))


@given(st.lists(st.integers(1, 20), min_size=30, max_size=60))
def test_the_parting_is_the_best_of_all(values: list[int]) -> None:
    """Brute force over every cut of the clipped samples finds no better one."""
    clipped = sorted(np.clip(values, *np.quantile(values, (0.05, 0.95))).tolist())
    states = two_states([float(value) for value in values])
    if len(set(clipped)) == 1:
        assert states is None
        return
    cuts = [(clipped[:k], clipped[k:]) for k in range(1, len(clipped))]
    within = min(np.var(low) * len(low) + np.var(high) * len(high) for low, high in cuts)
    assert states is not None
    assert 1 - states.explained == pytest.approx(within / (np.var(clipped) * len(clipped)), abs=1e-9)


@pytest.mark.parametrize(
    ("samples", "bimodal"),
    [
        ([10.0, 11.0] * 20, True),
        ([10.0, 10.2] * 20, False),
        ([10.0] * 39 + [30.0], False),
        ([10.0] * 15 + [11.0] * 10 + [12.0] * 15, False),
        ([10.0] * 20 + [float(k) for k in range(10, 30)], False),
        ([10.0, 11.0] * 20 + [500.0], True),
    ],
    ids=["two states", "states too close", "one stray", "no valley", "a long tail", "states and a stray"],
)
def test_two_states_are_told_from_what_is_none(samples: list[float], bimodal: bool) -> None:
    """Tight, common and apart: all three make a state."""
    assert is_bimodal(samples) is bimodal


@pytest.mark.parametrize("law", LEVEL_LAWS.values(), ids=LEVEL_LAWS)
def test_one_state_is_seldom_called_two(law: Draw) -> None:
    """Of 300 series at most one percent."""
    assert share(lambda g: law(g, 45).tolist(), is_bimodal) <= 0.01


def test_a_clock_of_two_speeds_in_noise_is_told() -> None:
    """A tenth slower in a third of the samples, each with 2 % noise: five deviations apart."""

    def clock(generator: np.random.Generator) -> list[float]:
        slow = generator.random(100) < 0.33
        return (20 * (1 + 0.1 * slow) * (1 + generator.normal(0, 0.02, 100))).tolist()

    assert share(clock, is_bimodal) > 0.65


def test_few_samples_have_no_states() -> None:
    """Two samples are always two heaps."""
    assert not is_bimodal([10.0, 11.0])
    assert not is_bimodal([10.0, 11.0] * 14)
    assert is_bimodal([10.0, 11.0] * 15)
