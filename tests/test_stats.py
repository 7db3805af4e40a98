"""Medians, intervals and verdicts against their definitions."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from octprobe.stats import (
    Interval,
    Verdict,
    effective_share,
    median_interval,
    ratio_interval,
    series_interval,
    share_interval,
    verdict,
)


def exact_coverage(count: int, rank: int) -> Fraction:
    """Probability that the median lies between the order statistics rank and count - rank + 1."""
    outside = sum(math.comb(count, k) for k in range(rank))
    return 1 - Fraction(2 * outside, 2**count)


@pytest.mark.parametrize("count", [6, 7, 10, 30, 31, 45, 101, 500])
def test_the_interval_is_the_narrowest_with_95_percent_coverage(count: int) -> None:
    """The rank holds 95 % exactly, and the next one in would not."""
    interval = median_interval(list(range(1, count + 1)))
    assert interval.low is not None
    rank = int(interval.low)
    assert exact_coverage(count, rank) >= Fraction(95, 100)
    assert exact_coverage(count, rank + 1) < Fraction(95, 100)
    assert interval.high == count - rank + 1


@pytest.mark.parametrize("count", range(1, 6))
def test_five_samples_are_too_few_for_an_interval(count: int) -> None:
    """Below six samples even the extremes cover less than 95 %."""
    interval = median_interval([1.0] * count)
    assert (interval.low, interval.high, interval.relative_half_width) == (None, None, None)


def test_no_samples_are_an_error() -> None:
    """A median of nothing is refused, never 0."""
    with pytest.raises(ValueError, match="at least one sample"):
        median_interval([])
    with pytest.raises(ValueError, match="at least one pair"):
        ratio_interval([])


@given(st.lists(st.floats(0.001, 1000), min_size=1, max_size=60), st.randoms())
def test_order_of_samples_does_not_matter_to_the_median(samples: list[float], random: object) -> None:
    """The interval is a function of the set of samples and holds its median."""
    shuffled = sorted(samples, key=lambda _: random.random())  # type: ignore[attr-defined]  # hypothesis types it as object
    one, other = median_interval(samples), median_interval(shuffled)
    assert one == other
    if one.low is not None and one.high is not None:
        assert one.low <= one.median <= one.high


def test_half_width_is_relative_to_the_median() -> None:
    """From 9 to 11 about 10 is one tenth."""
    assert Interval(10.0, 9.0, 11.0, 40).relative_half_width == pytest.approx(0.1)


def test_constant_ratios_have_an_interval_of_no_width() -> None:
    """The bootstrap of a constant is that constant."""
    assert ratio_interval([0.7] * 30) == Interval(0.7, 0.7, 0.7, 30)


def test_few_pairs_have_no_interval_and_an_ambiguous_verdict() -> None:
    """Nineteen pairs give a median and no claim."""
    interval = ratio_interval([0.5] * 19)
    assert (interval.median, interval.low) == (0.5, None)
    assert verdict(interval, 0.01) is Verdict.AMBIGUOUS


def test_bootstrap_covers_the_true_ratio_about_as_often_as_it_says() -> None:
    """Over 200 series of log-normal ratios the 95 % interval holds the truth at least 90 % of the time."""
    generator = np.random.default_rng(7)
    hits = 0
    for series in range(200):
        ratios = 0.9 * np.exp(generator.normal(0, 0.05, 40))
        interval = ratio_interval(ratios.tolist(), seed=series)
        assert interval.low is not None
        assert interval.high is not None
        hits += interval.low <= 0.9 <= interval.high
    assert hits >= 180


def test_the_same_seed_gives_the_same_interval() -> None:
    """Bootstrap figures can be reproduced."""
    ratios = list(np.random.default_rng(3).normal(1, 0.02, 50))
    assert ratio_interval(ratios, seed=5) == ratio_interval(ratios, seed=5)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.90, 0.98, Verdict.FASTER),
        (0.90, 0.99, Verdict.AMBIGUOUS),
        (1.02, 1.10, Verdict.SLOWER),
        (1.01, 1.10, Verdict.AMBIGUOUS),
        (0.99, 1.01, Verdict.SAME),
        (0.995, 1.02, Verdict.AMBIGUOUS),
        (0.5, 1.5, Verdict.AMBIGUOUS),
    ],
)
def test_verdicts_follow_the_band(low: float, high: float, expected: Verdict) -> None:
    """FASTER and SLOWER lie wholly outside the band, SAME wholly inside."""
    assert verdict(Interval(1.0, low, high, 30), 0.01) is expected


@given(st.floats(0.5, 1.5), st.floats(0.5, 1.5), st.floats(0.001, 0.2))
def test_a_verdict_never_contradicts_the_swapped_comparison(one: float, other: float, band: float) -> None:
    """If A is FASTER than B then B is not FASTER than A."""
    low, high = sorted((one, other))
    forward = verdict(Interval((low + high) / 2, low, high, 30), band)
    backward = verdict(Interval(2 / (low + high), 1 / high, 1 / low, 30), band)
    assert not (forward == backward and forward in (Verdict.FASTER, Verdict.SLOWER))


def test_every_pair_of_words_is_distinct() -> None:
    """Four verdicts, four words."""
    assert all(a != b for a, b in itertools.combinations([v.value for v in Verdict], 2))


@pytest.mark.parametrize(
    ("hits", "trials", "low", "high"),
    [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (81, 263, 0.2553, 0.3662), (5, 200, 0.0107, 0.0572)],
)
def test_a_share_has_wilsons_interval(hits: int, trials: int, low: float, high: float) -> None:
    """Figures of Newcombe 1998, table I, and of the same formula by hand; never outside [0, 1]."""
    interval = share_interval(hits, trials)
    assert (interval.median, interval.count) == (hits / trials, trials)
    assert (interval.low, interval.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


def test_a_share_of_nothing_is_refused() -> None:
    """No trial, no share."""
    with pytest.raises(ValueError, match="at least one trial"):
        share_interval(0, 0)


def test_alternating_samples_count_in_full() -> None:
    """Neighbours on both sides of the median tell all that independent ones would."""
    samples = [1.0, 3.0, 2.0, 4.0, 1.5, 3.5] * 10
    assert effective_share(samples) == 1
    assert series_interval(samples) == median_interval(samples)


def test_pairs_of_like_samples_count_half() -> None:
    """Sides ++--++-- go together at lag 1 alone: its sum by hand gives the share."""
    samples = [2.0, 2.0, 1.0, 1.0] * 10
    sides = [1.0, 1.0, -1.0, -1.0] * 10
    first = sum(a * b for a, b in itertools.pairwise(sides)) / 40
    assert first > 0
    assert sum(a * b for a, b in zip(sides, sides[2:], strict=False)) < 0
    assert effective_share(samples) == pytest.approx(1 / (1 + 2 * first))


def test_equal_samples_count_in_full() -> None:
    """A series without sides has no order to lose by."""
    assert effective_share([5.0] * 40) == 1
    assert series_interval([5.0] * 40) == Interval(5.0, 5.0, 5.0, 40)


@given(st.lists(st.floats(1, 1e3), min_size=1, max_size=80))
def test_a_series_interval_is_never_narrower_than_the_plain_one(samples: list[float]) -> None:
    """Order can only take certainty away; too few samples have no interval either way."""
    plain, series = median_interval(samples), series_interval(samples)
    assert 0 < effective_share(samples) <= 1
    if plain.low is None or series.low is None or plain.high is None or series.high is None:
        assert plain == series
    else:
        assert series.low <= plain.low
        assert plain.high <= series.high


@pytest.mark.parametrize(
    ("correlation", "count", "least"), [(0.0, 30, 0.94), (0.5, 100, 0.93), (0.8, 300, 0.92)]
)
def test_drifting_series_are_covered(correlation: float, count: int, least: float) -> None:
    """Of 400 series whose neighbours correlate, nearly as many as asked hold the true median."""
    generator = np.random.default_rng(7)
    hits = 0
    for _ in range(400):
        noise, level = generator.normal(0, 0.2, count + 50), 0.0
        series = []
        for step in noise:
            level = correlation * level + step
            series.append(20 + level)
        interval = series_interval(series[50:])
        assert interval.low is not None
        assert interval.high is not None
        hits += interval.low <= 20 <= interval.high
    assert hits / 400 >= least
