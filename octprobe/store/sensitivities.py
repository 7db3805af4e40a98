"""The sensitivities that a store holds: `sensitivity/*.parquet`, one part a look at one checkpoint."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from octprobe.store.accuracy_runs import damaged_records
from octprobe.store.record_table import RecordTable
from octprobe.store.sensitivity import Sensitivity
from octprobe.store.store import DamagedPart

_KEY = ("network", "dataset", "split", "recipe_digest", "seed", "group_number", "alpha")
SENSITIVITIES = RecordTable(Sensitivity, folder="sensitivity", version=1)


@dataclass(frozen=True)
class Sensitivities:
    """The last row of each group, alpha and training, oldest first, and parts that are damaged."""

    rows: tuple[Sensitivity, ...]
    damaged: tuple[DamagedPart, ...] = ()


def append_sensitivities(store: Path, rows: Sequence[Sensitivity]) -> Path:
    """Publish rows as one new part of a store, which comes into being with it; give its path.

    Raises:
        StoreError: the disk is full or the folder cannot be written; then nothing was added.
    """
    return SENSITIVITIES.append(store, rows)


def read_sensitivities(store: Path) -> Sensitivities:
    """Read the sensitivities of a store; one without any gives none.

    Raises:
        StoreError: a part was written by a newer octprobe, or the folder cannot be listed.
    """
    rows, damaged = SENSITIVITIES.read(store)
    last: dict[tuple[Any, ...], Sensitivity] = {}
    for row in rows:
        key = tuple(getattr(row, name) for name in _KEY)
        last.pop(key, None)
        last[key] = row
    return Sensitivities(tuple(last.values()), damaged_records(damaged))
