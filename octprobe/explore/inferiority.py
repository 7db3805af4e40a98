"""Whether one training for every alpha answers as often right as one for each: the test of non-inferiority.

At each alpha both answered the same test images, so images and seeds are drawn in pairs: a paired bootstrap
over both. Non-inferior is what is worse by less than a margin, with 95 % confidence on one side. Of few seeds
the bootstrap sees too little of their spread, and of one nothing: `Inferiority.seen_of_spread` says how much.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from octprobe.errors import UsageError
from octprobe.explore.price import Price, price_of
from octprobe.store.accuracy_run import AccuracyRun
from octprobe.store.accuracy_runs import Flags, answered, flags_of

# What the project aims at: half a point is within what a change of recipe moves.
MARGIN_POINTS = 0.5
CONFIDENCE = 0.95
_MOST_POINTS = 100.0
# The standard error of a 5 % quantile's place is .2 points: sqrt(.05 * .95 / 10,000).
RESAMPLES = 10_000
_TRAINED, _ELASTIC = "trained", "elastic"

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Inferiority:
    """How an elastic training stands to standalone ones at one alpha.

    Attributes:
        difference_points: elastic less standalone, mean over seeds and images.
        lower_points: the one-sided lower bound of it.
        margin_points: how much worse is not yet inferior.
        seeds: how many pairs of trainings.
        images: how many test images.
    """

    network: str
    dataset: str
    alpha: float | None
    alpha_map: str | None
    standalone_percent: float
    elastic_percent: float
    difference_points: float
    lower_points: float
    margin_points: float
    seeds: int
    images: int

    @property
    def is_shown(self) -> bool:
        """Whether the elastic one is shown to be not inferior by more than the margin."""
        return self.lower_points > -self.margin_points

    @property
    def seen_of_spread(self) -> float:
        """Give the share of the spread between seeds that drawing from so few of them shows.

        The variance of draws from n values is (n - 1) / n of that of what the values were drawn from.
        """
        return math.sqrt((self.seeds - 1) / self.seeds)


@dataclass(frozen=True)
class Comparison:
    """The test at every alpha that both were trained at, and what both took."""

    alphas: tuple[Inferiority, ...]
    price: Price


def lower_bound(
    worse: Flags, better: Flags, *, confidence: float = CONFIDENCE, resamples: int = RESAMPLES, seed: int = 0
) -> float:
    """Give the one-sided lower bound of the mean of `worse` less that of `better`, by a paired bootstrap.

    Each resample draws images with replacement, the same for all seeds, and pairs of seeds with replacement.
    Images on which all seeds of both agree are alike, so they are drawn together, by how many there are.

    Args:
        worse: (seeds, images), whether each answer was right; seed by seed the pair of `better`.
        better: of the same shape.
        confidence: of the bound.
        resamples: how many are drawn.
        seed: of the draws.

    Raises:
        ValueError: the shapes differ, or there is no answer.
    """
    if worse.shape != better.shape or not worse.size:
        raise ValueError("both need answers of as many seeds to the same images")
    differences = worse.astype(np.int8) - better.astype(np.int8)
    patterns, counts = np.unique(differences, axis=1, return_counts=True)
    seeds, images = differences.shape
    draws = np.random.default_rng(seed)
    drawn_images = draws.multinomial(images, counts / images, size=resamples)
    drawn_seeds = draws.multinomial(seeds, np.full(seeds, 1 / seeds), size=resamples)
    means: Floats = (drawn_images @ patterns.T * drawn_seeds).sum(1) / (seeds * images)
    return float(np.quantile(means, 1 - confidence))


def compare_trainings(
    rows: Iterable[AccuracyRun],
    *,
    margin_points: float = MARGIN_POINTS,
    standalone: str | None = None,
    elastic: str | None = None,
    dataset: str | None = None,
) -> Comparison:
    """Test elastic against standalone at every alpha that both were trained at, on test images.

    Args:
        rows: of a store, as `read_runs` gives them.
        margin_points: how much worse is not yet inferior, in points of top-1.
        standalone: beginning of the recipe's digest of the standalone trainings, where there are several.
        elastic: the same of the elastic ones.
        dataset: name of the data set, where one recipe was trained on several.

    Raises:
        UsageError: the margin is no number of points; there are no rows of one kind, or of several recipes,
            networks or data sets; or no alpha and seed in both.
    """
    if not 0 <= margin_points <= _MOST_POINTS:
        raise UsageError(
            f"--margin {margin_points:g}: is no number of points of top-1; give one from 0 to "
            f"{_MOST_POINTS:g}"
        )
    known = [row for row in answered(rows) if dataset in (None, row.dataset)]
    alone = _of_one_recipe(known, _TRAINED, standalone)
    together = _of_one_recipe(known, _ELASTIC, elastic)
    pairs = _pairs(alone, together)
    if not pairs:
        raise UsageError(
            "no alpha was trained both alone and elastic from the same seed, on the same network and data set"
        )
    _refuse_several(pairs)
    tested = tuple(_tested(each, margin_points) for each in pairs.values())
    compared = [pair for each in pairs.values() for pair in each]
    return Comparison(tested, price_of([one for one, _ in compared], [other for _, other in compared]))


_Pair = tuple[AccuracyRun, AccuracyRun]


class _What(NamedTuple):
    """What both were trained at."""

    network: str
    dataset: str
    resolution: int
    alpha: float | None
    alpha_map: str | None
    images: int | None


def _of_one_recipe(rows: Sequence[AccuracyRun], kind: str, digest: str | None) -> list[AccuracyRun]:
    chosen = [row for row in rows if row.kind == kind and row.recipe_digest.startswith(digest or "")]
    recipes = sorted({row.recipe_digest for row in chosen})
    if not recipes:
        of = f" of the recipe {digest}" if digest else ""
        raise UsageError(f"the store holds no {kind} accuracies{of}; `octprobe accuracy show` lists all")
    if len(recipes) > 1:
        option = "--standalone" if kind == _TRAINED else "--elastic"
        raise UsageError(
            f"the store holds {kind} accuracies of {len(recipes)} recipes; choose one with {option}: "
            + ", ".join(recipes)
        )
    return chosen


def _pairs(alone: Sequence[AccuracyRun], together: Sequence[AccuracyRun]) -> dict[_What, list[_Pair]]:
    """Gather pairs of one seed by what they were trained at, in the order of alpha."""
    by_seed = {(_what(row), row.seed): row for row in together}
    found: dict[_What, list[_Pair]] = {}
    for row in sorted(alone, key=lambda run: (run.alpha is None, run.alpha or 0, run.alpha_map or "")):
        other = by_seed.get((_what(row), row.seed))
        if other is not None:
            found.setdefault(_what(row), []).append((row, other))
    return found


def _what(row: AccuracyRun) -> _What:
    return _What(*(getattr(row, name) for name in _What._fields))


def _refuse_several(found: Iterable[_What]) -> None:
    """Stop where figures of several networks or data sets would be tested as one."""
    subjects = sorted({f"{what.network} on {what.dataset}, {what.resolution} px" for what in found})
    if len(subjects) > 1:
        raise UsageError(
            f"both were trained on {len(subjects)} networks or data sets: {'; '.join(subjects)}; choose the "
            "data set with --dataset, or the recipes with --standalone and --elastic"
        )


def _tested(pairs: Sequence[_Pair], margin_points: float) -> Inferiority:
    alone, together = (np.stack([flags_of(pair[side]) for pair in pairs]) for side in (0, 1))
    first = pairs[0][0]
    return Inferiority(
        network=first.network,
        dataset=first.dataset,
        alpha=first.alpha,
        alpha_map=first.alpha_map,
        standalone_percent=100 * float(alone.mean()),
        elastic_percent=100 * float(together.mean()),
        difference_points=100 * float(together.mean() - alone.mean()),
        lower_points=100 * lower_bound(together, alone),
        margin_points=margin_points,
        seeds=len(pairs),
        images=alone.shape[1],
    )
