"""The accuracies that a store holds: rows a seed in `accuracy/*.parquet`."""

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from octprobe.errors import StoreError
from octprobe.store.accuracy_run import RUN_SCHEMA_VERSION, AccuracyRun, RunStatus, Split
from octprobe.store.publish import store_error
from octprobe.store.record_table import RecordTable
from octprobe.store.store import DamagedPart

ACCURACY_FOLDER = "accuracy"
TEST, VALIDATION = Split.TEST, Split.VALIDATION
# Long enough to tell the recipes of a store apart, short enough to be typed.
_FAMILY_DIGITS = 8

Flags = npt.NDArray[np.bool_]
_TABLE = RecordTable(AccuracyRun, folder=ACCURACY_FOLDER, version=RUN_SCHEMA_VERSION)
_KEY = ("kind", "network", "alpha", "alpha_map", "dataset", "split", "resolution", "recipe_digest", "seed")


@dataclass(frozen=True)
class DamagedRecords(DamagedPart):
    """A part of trainings, evaluations or looks at them that could not be read."""

    def __str__(self) -> str:
        return (
            f"{self.path} is damaged ({self.reason}); its rows are left out. Move the file away and give the "
            "command of `octprobe accuracy` that wrote it again."
        )


def damaged_records(parts: Iterable[DamagedPart]) -> tuple[DamagedRecords, ...]:
    """Give damaged parts with the way out that holds for what a sweep did not measure."""
    return tuple(DamagedRecords(part.path, part.reason) for part in parts)


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


def probe(store: Path) -> None:
    """Stop before any work where a store cannot be written; nothing comes into being, and nothing stays.

    Raises:
        StoreError: the folder is read-only, a file is in its way, or its disk is full.
    """
    folder = store / ACCURACY_FOLDER
    try:
        while not folder.exists():
            folder = folder.parent
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"room")
    except OSError as error:
        raise store_error(error, store) from error


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
    return Runs(tuple(last.values()), damaged_records(damaged))


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
