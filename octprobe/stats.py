"""Samples to medians, intervals and verdicts; no figure without its doubt."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

CONFIDENCE = 0.95
# 2,000 resamples put the standard error of a 2.5 % percentile at .35 points: sqrt(.025 * .975 / 2000).
BOOTSTRAP_RESAMPLES = 2000
# Of 600 simulated A/A comparisons with 2 % noise (with 5 %), a band of 1 % calls .8 % (2.7 %) different at
# 20 pairs, and 2.2 % (6.0 %) at 10.
MIN_PAIRS_FOR_INTERVAL = 20
# Halvings of a range of a few standard errors: what is left is below 1e-11 of one.
_HALVINGS = 40


class Verdict(StrEnum):
    """How a point's time stands to its anchor's, in NVBench's words."""

    FASTER = "FASTER"
    SLOWER = "SLOWER"
    SAME = "SAME"
    AMBIGUOUS = "AMBIGUOUS"


@dataclass(frozen=True)
class Interval:
    """A median and its confidence interval; the ends are None where there are too few samples for one."""

    median: float
    low: float | None
    high: float | None
    count: int

    @property
    def relative_half_width(self) -> float | None:
        """Half the interval's width as a share of the median."""
        if self.low is None or self.high is None or self.median == 0:
            return None
        return (self.high - self.low) / 2 / abs(self.median)


@lru_cache(maxsize=1024)
def _median_rank(count: int, confidence: float) -> int | None:
    """Give the largest rank k, from 1, with P(Binomial(count, 1/2) < k) at most half the error, or None."""
    tail = (1 - confidence) / 2
    cumulative = 0.0
    rank = 0
    for successes in range(count // 2 + 1):
        cumulative += math.exp(_log_binomial(count, successes) - count * math.log(2))
        if cumulative > tail:
            break
        rank = successes + 1
    return rank or None


def _log_binomial(count: int, chosen: int) -> float:
    return math.lgamma(count + 1) - math.lgamma(chosen + 1) - math.lgamma(count - chosen + 1)


def effective_share(samples: Sequence[float]) -> float:
    """Give how many independent samples each of a series is worth, in (0, 1].

    Neighbours on the same side of the median say less than two samples would. The sides' autocorrelation is
    summed up to the first lag at which it is not positive.

    Source: Geyer 1992, the initial positive sequence, for the variance of a median.

    Args:
        samples: in the order taken.
    """
    values = np.asarray(samples, dtype=np.float64)
    sides = np.sign(values - np.median(values))
    power = float(sides @ sides)
    total = 1.0
    for lag in range(1, len(sides)):
        correlation = float(sides[:-lag] @ sides[lag:]) / power if power else 0.0
        if correlation <= 0:
            break
        total += 2 * correlation
    return 1 / total


def series_interval(samples: Sequence[float], confidence: float = CONFIDENCE) -> Interval:
    """Give the median of a series and its order-statistic interval, as wide as its effective samples ask for.

    A machine that drifts makes neighbours alike. Of 300 simulated series of 100 (300) samples, the interval
    held the median in 98 % (95 %) where they were independent and in 91 % (95 %) where neighbours correlated
    by .8; taken as independent, the latter would be 60 % (57 %).

    Args:
        samples: in the order taken.
        confidence: of the interval.

    Raises:
        ValueError: there is no sample.
    """
    plain = median_interval(samples, confidence)
    share = effective_share(samples)
    if plain.low is None or share == 1:
        return plain
    count = len(samples)
    reach = NormalDist().inv_cdf((1 + confidence) / 2) / 2 / math.sqrt(count * share)
    rank = min(max(1, math.floor(count * (0.5 - reach))), _median_rank(count, confidence) or 1)
    ordered = np.sort(np.asarray(samples, dtype=np.float64))
    return Interval(plain.median, float(ordered[rank - 1]), float(ordered[-rank]), count)


def median_interval(samples: Sequence[float], confidence: float = CONFIDENCE) -> Interval:
    """Give the median of independent samples and its distribution-free interval between two order statistics.

    Source: Conover, Practical Nonparametric Statistics, section 3.2.

    Raises:
        ValueError: there is no sample.
    """
    if not len(samples):
        raise ValueError("a median needs at least one sample")
    ordered = np.sort(np.asarray(samples, dtype=np.float64))
    rank = _median_rank(len(ordered), confidence)
    median = float(np.median(ordered))
    if rank is None:
        return Interval(median, None, None, len(ordered))
    return Interval(median, float(ordered[rank - 1]), float(ordered[-rank]), len(ordered))


def ratio_interval(pair_ratios: Sequence[float], seed: int = 0, confidence: float = CONFIDENCE) -> Interval:
    """Give the median of paired ratios and its circular block bootstrap interval.

    Blocks of n^(1/3) neighbouring pairs keep the correlation that a drifting machine puts between them
    (Hall, Horowitz and Jing 1995).

    Raises:
        ValueError: there is no pair.
    """
    if not len(pair_ratios):
        raise ValueError("a ratio needs at least one pair")
    ratios = np.asarray(pair_ratios, dtype=np.float64)
    count = len(ratios)
    median = float(np.median(ratios))
    if count < MIN_PAIRS_FOR_INTERVAL:
        return Interval(median, None, None, count)
    length = max(1, round(count ** (1 / 3)))
    starts = np.random.default_rng(seed).integers(0, count, (BOOTSTRAP_RESAMPLES, math.ceil(count / length)))
    picks = (starts[:, :, None] + np.arange(length)).reshape(BOOTSTRAP_RESAMPLES, -1)[:, :count] % count
    medians = np.median(ratios[picks], axis=1)
    tail = (1 - confidence) / 2
    low, high = np.quantile(medians, [tail, 1 - tail])
    return Interval(median, float(low), float(high), count)


@dataclass(frozen=True)
class _LogSeries:
    """The logarithms of a series, ascending, and how many independent samples they are worth."""

    ordered: Sequence[float]
    effective: float

    @classmethod
    def of(cls, samples: Sequence[float]) -> "_LogSeries":
        values = np.asarray(samples, dtype=np.float64)
        if not len(values) or not np.all(np.isfinite(values) & (values > 0)):
            raise ValueError("a ratio of medians needs samples above 0 on both sides")
        return cls(np.sort(np.log(values)).tolist(), len(values) * effective_share(samples))

    @property
    def most(self) -> float:
        """How many standard errors off the median the outermost samples lie."""
        return (len(self.ordered) - 1) / len(self.ordered) * math.sqrt(self.effective)

    def off(self, errors: float) -> float:
        """Give the quantile so many standard errors off the median, between neighbouring samples."""
        last = len(self.ordered) - 1
        place = last / 2 + errors * len(self.ordered) / math.sqrt(self.effective) / 2
        below = min(max(math.floor(place), 0), last)
        share = min(max(place - below, 0.0), 1.0)
        return self.ordered[below] * (1 - share) + self.ordered[min(below + 1, last)] * share


def _log_bound(below: _LogSeries, above: _LogSeries, errors: float) -> float:
    """Give the lower bound, so many standard errors down, of the log of `above` over `below`."""
    centre_below, centre_above = below.off(0), above.off(0)
    reach = math.hypot(below.off(errors) - centre_below, centre_above - above.off(-errors))
    return centre_above - centre_below - reach


def independent_ratio_interval(
    before: Sequence[float], after: Sequence[float], confidence: float = CONFIDENCE
) -> Interval:
    """Give the ratio of two independent series' medians, `after` over `before`, and its interval.

    On logarithms the distances of each median from the ends of its own order-statistic interval, as wide as
    its effective samples ask for, are added in quadrature. Of 4,000 simulated A/A comparisons at 41 (100)
    samples a side, a 95 % interval missed the truth in 2 % (3 %) where samples were independent, 6 % (4 %)
    where neighbours correlated by .5 and 11 % (7 %) by .8. A block bootstrap misses in 5, 8 and 24 % at 41
    and cannot resolve the small p-values that many comparisons ask for.

    Source: Zou and Donner 2008, the variance recovered from separate limits; Hettmansperger and Sheather
    1986, interpolated order statistics.

    Args:
        before: samples of the denominator, in the order taken.
        after: samples of the numerator, in the order taken.
        confidence: of the interval.

    Raises:
        ValueError: a side has no samples, or one that is not above 0.
    """
    below, above = _LogSeries.of(before), _LogSeries.of(after)
    ratio, count = math.exp(above.off(0) - below.off(0)), min(len(before), len(after))
    errors = NormalDist().inv_cdf((1 + confidence) / 2)
    if count < MIN_PAIRS_FOR_INTERVAL or errors > min(below.most, above.most):
        return Interval(ratio, None, None, count)
    low, high = _log_bound(below, above, errors), -_log_bound(above, below, errors)
    return Interval(ratio, math.exp(low), math.exp(high), count)


def independent_ratio_p_value(
    before: Sequence[float], after: Sequence[float], low: float, high: float
) -> float | None:
    """Give the two-sided p-value of "the ratio of medians lies in [low, high]"; None without an interval.

    It is 1 less the largest confidence at which the interval of `independent_ratio_interval` lies wholly
    outside: at p below .05 the 95 % interval does. Never smaller than what the outermost samples tell.

    Raises:
        ValueError: a side has no samples, or one that is not above 0.
    """
    below, above = _LogSeries.of(before), _LogSeries.of(after)
    if min(len(before), len(after)) < MIN_PAIRS_FOR_INTERVAL:
        return None
    ratio = math.exp(above.off(0) - below.off(0))
    if ratio > high:
        return _tail_p_value(below, above, math.log(high))
    return _tail_p_value(above, below, -math.log(low)) if ratio < low else 1.0


def _tail_p_value(below: _LogSeries, above: _LogSeries, log_limit: float) -> float:
    """Find, by halving, how far down the lower bound stays above a limit; give both tails' share there."""
    near, far = 0.0, min(below.most, above.most)
    if _log_bound(below, above, far) > log_limit:
        near = far
    for _ in range(_HALVINGS):
        middle = (near + far) / 2
        near, far = (middle, far) if _log_bound(below, above, middle) > log_limit else (near, middle)
    return math.erfc(near / math.sqrt(2))


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values so that calling all below a level holds the chance of any false call to that level.

    Source: Holm 1979; no independence is assumed.
    """
    adjusted, largest = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = largest
    return adjusted


def share_interval(hits: int, trials: int, confidence: float = CONFIDENCE) -> Interval:
    """Give a share of trials and its score interval, which holds for shares near 0 and 1 as well.

    Source: Wilson 1927.

    Raises:
        ValueError: there is no trial.
    """
    if trials < 1:
        raise ValueError("a share needs at least one trial")
    share, z = hits / trials, NormalDist().inv_cdf((1 + confidence) / 2)
    centre = (share + z**2 / (2 * trials)) / (1 + z**2 / trials)
    half = z / (1 + z**2 / trials) * math.sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2))
    return Interval(share, max(0.0, centre - half), min(1.0, centre + half), trials)


def share_over_seeds(flags: npt.NDArray[np.bool_], confidence: float = CONFIDENCE) -> Interval:
    """Give the mean share of right answers over trainings, and its interval over seeds and images.

    The variance of the mean is that of the seeds' shares over their number, and that of the images' shares
    over theirs, for all seeds answer the same images. The two are added, and Student's t has the degrees of
    freedom of the sum: with three seeds that differ much the interval is as wide as three seeds make it. One
    seed has the Wilson interval over images, and so have seeds that tell nothing of the spread.

    Source: Satterthwaite 1946.

    Args:
        flags: (seeds, images), whether each image was answered right.
        confidence: of the interval.

    Raises:
        ValueError: there is no seed or no image.
    """
    from scipy.special import stdtrit  # takes a third of a second, and few need it

    seeds, images = flags.shape
    if not seeds or not images:
        raise ValueError("a mean share needs at least one seed and one image")
    share = float(flags.mean())
    of_seeds = float(flags.mean(1).var(ddof=1)) / seeds if seeds > 1 else 0.0
    of_images = float(flags.mean(0).var(ddof=1)) / images if images > 1 else 0.0
    total = of_seeds + of_images
    if seeds == 1 or not of_images:
        wilson = share_interval(round(share * images), images, confidence)
        return Interval(share, wilson.low, wilson.high, images)
    freedom = total**2 / (of_seeds**2 / (seeds - 1) + of_images**2 / (images - 1))
    reach = float(stdtrit(freedom, (1 + confidence) / 2)) * math.sqrt(total)
    return Interval(share, max(0.0, share - reach), min(1.0, share + reach), images)


def paired_difference(lost: int, gained: int, trials: int, confidence: float = CONFIDENCE) -> Interval:
    """Give the share of trials lost less the share gained, with its interval; both took the same trials.

    Source: the adjusted Wald interval of Agresti and Min 2005, half a trial added to each of the four cells.

    Raises:
        ValueError: there is no trial.
    """
    if trials < 1:
        raise ValueError("a share needs at least one trial")
    z, count = NormalDist().inv_cdf((1 + confidence) / 2), trials + 2
    centre, discordant = (lost - gained) / count, (lost + gained + 1) / count
    half = z * math.sqrt((discordant - centre**2) / count)
    return Interval((lost - gained) / trials, max(-1.0, centre - half), min(1.0, centre + half), trials)


def verdict(ratio: Interval, band: float) -> Verdict:
    """Judge a time ratio: two times within the band of each other count as the same."""
    if ratio.low is None or ratio.high is None:
        return Verdict.AMBIGUOUS
    if ratio.high < 1 - band:
        return Verdict.FASTER
    if ratio.low > 1 + band:
        return Verdict.SLOWER
    if ratio.low >= 1 - band and ratio.high <= 1 + band:
        return Verdict.SAME
    return Verdict.AMBIGUOUS
