"""Medians, intervals and verdicts against their definitions."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm as scipy_norm
from scipy.stats import t as scipy_t

from octprobe.stats import (
    Interval,
    Verdict,
    effective_share,
    holm,
    independent_ratio_interval,
    independent_ratio_p_value,
    median_interval,
    paired_difference,
    ratio_interval,
    series_interval,
    share_interval,
    share_over_seeds,
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


def test_a_paired_difference_is_what_was_lost_less_what_was_gained() -> None:
    """With the interval worked out by hand: Agresti and Min 2005, 40 lost and 25 gained of 5,000."""
    found = paired_difference(40, 25, 5000)
    half = 1.959964 * math.sqrt((66 / 5002 - (15 / 5002) ** 2) / 5002)
    assert (found.median, found.count) == (0.003, 5000)
    assert (found.low, found.high) == (pytest.approx(15 / 5002 - half), pytest.approx(15 / 5002 + half))


@given(st.integers(0, 50), st.integers(0, 50), st.integers(100, 200))
def test_a_paired_difference_changes_its_sign_with_the_sides(lost: int, gained: int, trials: int) -> None:
    """It lies in its interval's middle half, and the interval has a width where nothing changed."""
    found, other = paired_difference(lost, gained, trials), paired_difference(gained, lost, trials)
    assert found.low is not None
    assert found.high is not None
    assert other.high is not None
    assert found.median == -other.median
    assert found.low == pytest.approx(-other.high)
    assert found.low < found.median < found.high


def test_a_paired_difference_covers_the_truth() -> None:
    """Of 2,000 drawn from known shares, 95 % but for the chance of so many draws."""
    random = np.random.default_rng(0)
    lost, gained, trials = 0.012, 0.008, 1000
    draws = random.multinomial(trials, [lost, gained, 1 - lost - gained], size=2000)
    found = [paired_difference(int(a), int(b), trials) for a, b, _ in draws]
    covered = sum(
        each.low <= lost - gained <= each.high for each in found if each.low is not None and each.high
    )
    assert 0.93 < covered / len(found) < 0.97


def test_a_paired_difference_needs_a_trial() -> None:
    """Of none there is no share."""
    with pytest.raises(ValueError, match="at least one trial"):
        paired_difference(0, 0, 0)


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


SERIES = st.lists(st.floats(1, 1e3), min_size=20, max_size=60)


def noise(generator: np.random.Generator, count: int, size: float, correlation: float = 0.0) -> list[float]:
    """Give a series about 20 whose neighbours correlate."""
    level, series = 0.0, []
    for step in generator.normal(0, size, count + 50):
        level = correlation * level + step
        series.append(20 + level)
    return series[50:]


def test_a_ratio_of_medians_has_both_sides_distances_in_quadrature() -> None:
    """Against the definition by quantiles of the logarithms; alternating series count in full."""
    before = [value for pair in zip(range(100, 115), range(130, 145), strict=True) for value in pair]
    after = [1.2 * value for value in before]
    reach = 1.959964 * math.sqrt(30) / 2 / 29
    low, middle, high = np.quantile(np.log(before), [0.5 - reach, 0.5, 0.5 + reach])
    down = math.hypot(high - middle, middle - low)
    interval = independent_ratio_interval(before, after)
    assert effective_share(before) == 1
    assert (interval.median, interval.count) == (pytest.approx(1.2), 30)
    assert interval.low == pytest.approx(1.2 * math.exp(-down), rel=1e-6)
    assert interval.high == pytest.approx(1.2 * math.exp(down), rel=1e-6)


def test_constant_series_have_a_ratio_of_no_width() -> None:
    """What does not scatter is known exactly; off the band it is as sure as so many samples can make it."""
    interval = independent_ratio_interval([2.0] * 20, [3.0] * 30)
    assert (interval.low, interval.median, interval.high) == pytest.approx((1.5, 1.5, 1.5))
    assert interval.count == 20
    surest = math.erfc(19 / 20 * math.sqrt(20) / math.sqrt(2))
    assert independent_ratio_p_value([2.0] * 20, [3.0] * 30, 0.99, 1.01) == pytest.approx(surest)
    assert independent_ratio_p_value([2.0] * 20, [2.0] * 30, 0.99, 1.01) == 1


@pytest.mark.parametrize("sides", [([1.0] * 19, [1.0] * 40), ([1.0] * 40, [1.0] * 19)])
def test_nineteen_samples_a_side_are_too_few(sides: tuple[list[float], list[float]]) -> None:
    """A ratio and no claim."""
    assert independent_ratio_interval(sides[0], sides[1]) == Interval(1.0, None, None, 19)
    assert independent_ratio_p_value(sides[0], sides[1], 0.99, 1.01) is None


@pytest.mark.parametrize("bad", [[], [1.0] * 30 + [0.0], [1.0] * 30 + [-1.0], [1.0] * 30 + [math.nan]])
def test_a_ratio_of_what_is_no_time_is_refused(bad: list[float]) -> None:
    """Nothing, zero, below zero and not a number have no logarithm."""
    with pytest.raises(ValueError, match="above 0 on both sides"):
        independent_ratio_interval(bad, [1.0] * 30)
    with pytest.raises(ValueError, match="above 0 on both sides"):
        independent_ratio_p_value([1.0] * 30, bad, 0.99, 1.01)


def test_a_series_that_only_rises_has_no_interval() -> None:
    """A hundred samples of a trend are worth too few independent ones."""
    rising = [100.0 + step for step in range(100)]
    interval = independent_ratio_interval(rising, rising)
    assert (interval.median, interval.low, interval.high) == (1.0, None, None)


@given(SERIES, SERIES, st.sampled_from([0.0, 0.01, 0.05]))
def test_the_p_value_and_the_interval_say_the_same(
    before: list[float], after: list[float], band: float
) -> None:
    """Below .05 exactly where the 95 % interval lies outside the band."""
    interval = independent_ratio_interval(before, after)
    p_value = independent_ratio_p_value(before, after, 1 - band, 1 + band)
    assert p_value is not None
    if interval.low is None or interval.high is None:
        assert p_value > 0.05
        return
    assert interval.low <= interval.median * (1 + 1e-12)
    assert interval.high >= interval.median * (1 - 1e-12)
    for end, limit in ((interval.low, 1 + band), (interval.high, 1 - band)):
        if abs(end - limit) < 1e-9:  # too near to say on which side
            return
    assert (p_value < 0.05) == (interval.low > 1 + band or interval.high < 1 - band)


@given(SERIES, SERIES)
def test_swapped_sides_turn_the_ratio_round(before: list[float], after: list[float]) -> None:
    """B over A and A over B tell one story."""
    forward, backward = (
        independent_ratio_interval(before, after),
        independent_ratio_interval(after, before),
    )
    assert forward.median == pytest.approx(1 / backward.median)
    if forward.low is not None and backward.high is not None:
        assert forward.low == pytest.approx(1 / backward.high)


@pytest.mark.parametrize(
    ("correlation", "count", "least"), [(0.0, 30, 0.95), (0.5, 41, 0.92), (0.8, 100, 0.90)]
)
def test_the_ratio_of_independent_series_is_covered(correlation: float, count: int, least: float) -> None:
    """Of 400 pairs of series whose neighbours correlate, nearly as many as asked hold the true ratio."""
    generator, hits = np.random.default_rng(11), 0
    for _ in range(400):
        sides = [noise(generator, count, 0.4, correlation) for _ in range(2)]
        interval = independent_ratio_interval(sides[0], sides[1])
        assert interval.low is not None
        assert interval.high is not None
        hits += interval.low <= 1 <= interval.high
    assert hits / 400 >= least


def test_holms_figures_by_hand() -> None:
    """Sorted, times 4, 3, 2, 1, never falling, at most 1; in the order given."""
    assert holm([0.03, 0.005, 0.02, 0.9]) == pytest.approx([0.06, 0.02, 0.06, 0.9])
    assert holm([]) == []
    assert holm([0.5, 0.5]) == [1.0, 1.0]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20), st.floats(0.001, 0.5))
def test_holm_rejects_what_the_step_down_definition_rejects(p_values: list[float], level: float) -> None:
    """Going up from the smallest, each at most level / (number left), until the first that is not."""
    rejected = set()
    for rank, place in enumerate(sorted(range(len(p_values)), key=lambda index: p_values[index])):
        if (len(p_values) - rank) * p_values[place] > level:
            break
        rejected.add(place)
    assert {place for place, p_value in enumerate(holm(p_values)) if p_value <= level} == rejected


def test_two_hundred_equal_points_are_hardly_ever_called_different() -> None:
    """Of 40 families of 200 A/A comparisons at most 5 % have a false call; without correction most have."""
    generator = np.random.default_rng(5)
    corrected = plain = 0
    for _ in range(40):
        sides = generator.normal(20, 1.2, (200, 2, 31))
        p_values = [independent_ratio_p_value(a, b, 0.99, 1.01) for a, b in sides]
        known = [p_value for p_value in p_values if p_value is not None]
        assert len(known) == 200
        plain += min(known) < 0.05
        corrected += min(holm(known)) < 0.05
    assert corrected <= 2
    assert plain >= 15


def test_a_share_over_seeds_by_hand() -> None:
    """Seeds' shares .5 and 1 of 4 images, whose own means are 1, 1, .5 and .5: both variances are added."""
    flags = np.array([[1, 1, 0, 0], [1, 1, 1, 1]], dtype=bool)
    of_seeds, of_images = 0.125 / 2, (0.25**2 * 4 / 3) / 4
    total = of_seeds + of_images
    freedom = total**2 / (of_seeds**2 / 1 + of_images**2 / 3)
    reach = float(scipy_t.ppf(0.975, freedom)) * total**0.5
    found = share_over_seeds(flags)
    assert found.median == 0.75
    assert found.low == pytest.approx(max(0.0, 0.75 - reach))
    assert found.high == pytest.approx(min(1.0, 0.75 + reach))


def test_one_seed_has_wilsons_interval() -> None:
    """And so have seeds that say nothing of the spread over images."""
    flags = np.array([[True, False, True, True]])
    assert share_over_seeds(flags) == share_interval(3, 4)
    assert share_over_seeds(np.ones((3, 50), dtype=bool)) == share_interval(50, 50)
    with pytest.raises(ValueError, match="at least one seed and one image"):
        share_over_seeds(np.ones((0, 5), dtype=bool))


def test_the_interval_over_seeds_holds_the_truth() -> None:
    """Of 400 simulated experiments of 3 seeds that differ, 95 % hold the mean, within what 400 can tell."""
    draws = np.random.default_rng(0)
    held = 0
    for _ in range(400):
        hard = draws.normal(0, 1, 500)
        shift = draws.normal(0, 0.1, 3)
        flags = draws.normal(0, 1, (3, 500)) < 1.2 + shift[:, None] - hard
        found = share_over_seeds(flags)
        # P(z < 1.2 + s - h) with s ~ N(0, .1), h and z ~ N(0, 1)
        truth = float(scipy_norm.cdf(1.2 / (2 + 0.01) ** 0.5))
        held += int(found.low is not None and found.high is not None and found.low <= truth <= found.high)
    assert held / 400 > 0.93
