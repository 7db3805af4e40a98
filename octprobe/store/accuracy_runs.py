"""The accuracies that a store holds: rows a seed in `accuracy/*.parquet`, read, and gathered over seeds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from octprobe.errors import StoreError
from octprobe.stats import Interval, share_over_seeds
from octprobe.store.accuracy import Accuracy
from octprobe.store.accuracy_run import RUN_SCHEMA_VERSION, AccuracyRun, RunStatus, percent
from octprobe.store.record_table import RecordTable
from octprobe.store.store import DamagedPart

ACCURACY_FOLDER = "accuracy"
TEST, VALIDATION = "test", "validation"
# Long enough to tell the recipes of a store apart, short enough to be typed.
_FAMILY_DIGITS = 8

Flags = npt.NDArray[np.bool_]
_TABLE = RecordTable(AccuracyRun, folder=ACCURACY_FOLDER, version=RUN_SCHEMA_VERSION)
_KEY = ("kind", "network", "alpha", "alpha_map", "dataset", "split", "resolution", "recipe_digest", "seed")


@dataclass(frozen=True)
class Runs:
    """The last row of each network, alpha, recipe, seed and split, oldest first, and damaged parts."""

    rows: tuple[AccuracyRun, ...]
    damaged: tuple[DamagedPart, ...] = ()


def append_runs(store: Path, rows: Sequence[AccuracyRun]) -> Path:
    """Publish rows as one new part of a store, which comes into being with it; give its path.

    Raises:
        StoreError: the disk is full or the folder cannot be written; then nothing was added.
    """
    return _TABLE.append(store, rows)


def accuracy_parts(store: Path) -> list[Path]:
    """List the parts of accuracies, oldest first.

    Raises:
        StoreError: the folder cannot be listed.
    """
    return _TABLE.parts(store)


def read_runs(store: Path) -> Runs:
    """Read the accuracies of a store; one without any gives none.

    Raises:
        StoreError: a part was written by a newer octprobe, or the folder cannot be listed.
    """
    rows, damaged = _TABLE.read(store)
    last: dict[tuple[Any, ...], AccuracyRun] = {}
    for row in rows:
        key = key_of(row)
        last.pop(key, None)
        last[key] = row
    return Runs(tuple(last.values()), tuple(damaged))


def key_of(run: AccuracyRun) -> tuple[Any, ...]:
    """Give what makes a row the same training's or evaluation's, on the same split, as another's."""
    return tuple(getattr(run, name) for name in _KEY)


def refuse_no_runs(store: Path, runs: Runs) -> None:
    """Stop where a store holds no accuracy.

    Raises:
        StoreError: it does not.
    """
    if runs.rows:
        return
    if runs.damaged:
        raise StoreError(f"{store} holds no accuracies that can be read: {runs.damaged[0]}")
    raise StoreError(
        f"{store} holds no accuracies; `octprobe accuracy train FILE --store {store}` trains some."
    )


def flags_of(run: AccuracyRun) -> Flags:
    """Say of each image of the split whether it was answered right.

    Raises:
        ValueError: the row has no answers.
    """
    if run.correct is None or run.images is None:
        raise ValueError("a row without answers says nothing of its images")
    return np.unpackbits(np.frombuffer(run.correct, np.uint8), count=run.images).astype(bool)


def family_of(run: AccuracyRun) -> str:
    """Name whose figures a row's are: its kind, recipe and data set; families are never mixed."""
    return f"{run.kind} {run.recipe_digest[:_FAMILY_DIGITS]} {run.dataset}"


def answered(rows: Iterable[AccuracyRun], split: str = TEST) -> list[AccuracyRun]:
    """Keep the rows of a split that ended with answers."""
    good = {RunStatus.TRAINED, RunStatus.EVALUATED}
    return [row for row in rows if row.split == split and row.status in good and row.correct is not None]


def own_accuracies(rows: Iterable[AccuracyRun], split: str = TEST) -> tuple[Accuracy, ...]:
    """Gather rows over seeds to accuracies: the mean, and an interval over seeds and images.

    Args:
        rows: as `read_runs` gives them.
        split: which part of the data sets.
    """
    groups: dict[tuple[Any, ...], list[AccuracyRun]] = {}
    for row in answered(rows, split):
        key = (family_of(row), row.network, row.resolution, row.alpha, row.alpha_map, row.images)
        groups.setdefault(key, []).append(row)
    intervals = {
        key: share_over_seeds(np.stack([flags_of(row) for row in group])) for key, group in groups.items()
    }
    baselines = {key[:3]: interval.median for key, interval in intervals.items() if key[3] == 0}
    return tuple(_accuracy(group, intervals[key], baselines.get(key[:3])) for key, group in groups.items())


def _accuracy(group: Sequence[AccuracyRun], top1: Interval, baseline: float | None) -> Accuracy:
    first = group[0]
    fives = [row.top5_percent for row in group if row.top5_percent is not None]
    return Accuracy(
        network=first.network,
        alpha=first.alpha,
        alpha_map=first.alpha_map,
        dataset=first.dataset,
        top1_percent=percent(top1.median),
        top1_ci_low_percent=percent(top1.low),
        top1_ci_high_percent=percent(top1.high),
        top5_percent=percent(sum(fives) / len(fives) / 100) if fives else None,
        baseline_top1_percent=percent(baseline),
        resolution=first.resolution,
        macs=first.macs,
        parameters=first.parameters,
        recipe=first.recipe,
        seeds=len(group),
        kind=first.kind,
        source_family=family_of(first),
        source=f"this store, {len(group)} {'seed' if len(group) == 1 else 'seeds'}",
    )
