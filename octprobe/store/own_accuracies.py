"""Rows of a store a seed, gathered over seeds to accuracies."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from octprobe.stats import Interval, share_over_seeds
from octprobe.store.accuracy import Accuracy
from octprobe.store.accuracy_run import AccuracyRun, Split, percent
from octprobe.store.accuracy_runs import answered, family_of, flags_of


class _Whose(NamedTuple):
    """What rows share that differ by their seed alone."""

    family: str
    network: str
    resolution: int
    alpha: float | None
    alpha_map: str | None
    images: int | None


_Groups = dict[_Whose, list[AccuracyRun]]


def own_accuracies(rows: Iterable[AccuracyRun], split: str = Split.TEST) -> tuple[Accuracy, ...]:
    """Gather rows over seeds to accuracies: the mean, and an interval over seeds and images.

    Args:
        rows: as `read_runs` gives them.
        split: which part of the data sets.
    """
    kept = list(rows)
    groups = _gathered(answered(kept, split))
    test = {whose._replace(images=None): group for whose, group in _gathered(answered(kept)).items()}
    return tuple(
        _accuracy(
            group,
            share_over_seeds(np.stack([flags_of(row) for row in group])),
            baseline=_same_seeds(group, groups.get(whose._replace(alpha=0.0, alpha_map=None))),
            test=_same_seeds(group, test.get(whose._replace(images=None))),
        )
        for whose, group in groups.items()
    )


def _gathered(rows: Iterable[AccuracyRun]) -> _Groups:
    groups: _Groups = {}
    for row in rows:
        whose = _Whose(family_of(row), row.network, row.resolution, row.alpha, row.alpha_map, row.images)
        groups.setdefault(whose, []).append(row)
    return groups


def _same_seeds(group: Sequence[AccuracyRun], others: Sequence[AccuracyRun] | None) -> float | None:
    """Give the share that others answer right, of the group's own seeds; None where one of them lacks."""
    by_seed = {row.seed: row for row in others or ()}
    if not all(row.seed in by_seed for row in group):
        return None
    return float(np.mean([flags_of(by_seed[row.seed]).mean() for row in group]))


def _accuracy(
    group: Sequence[AccuracyRun], top1: Interval, *, baseline: float | None, test: float | None
) -> Accuracy:
    first = group[0]
    fives = [row.top5_percent for row in group if row.top5_percent is not None]
    return Accuracy(
        network=first.network,
        alpha=first.alpha,
        alpha_map=first.alpha_map,
        dataset=first.dataset,
        split=first.split,
        images=first.images,
        top1_percent=percent(top1.median),
        top1_ci_low_percent=percent(top1.low),
        top1_ci_high_percent=percent(top1.high),
        top5_percent=percent(sum(fives) / len(fives) / 100) if fives else None,
        baseline_top1_percent=percent(baseline),
        test_top1_percent=percent(test),
        resolution=first.resolution,
        macs=first.macs,
        parameters=first.parameters,
        recipe=first.recipe,
        seeds=len(group),
        kind=first.kind,
        source_family=family_of(first),
        source=f"this store, {len(group)} {'seed' if len(group) == 1 else 'seeds'}, {first.split} images",
    )
