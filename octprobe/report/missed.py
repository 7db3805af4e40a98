"""Points that were not measured, each with its reason and the command that tries again."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from octprobe.explore.groups import Record
from octprobe.explore.labels import row_label
from octprobe.figures.shapes import Table
from octprobe.store.query import records
from octprobe.store.store import SPECS_FOLDER

# What a person reads; the store holds the rest.
_MOST_LISTED = 50


class Missed(NamedTuple):
    """A point that was not measured.

    Attributes:
        place: its label in the frame.
        label: its name.
        status: how it ended.
        reason: why.
        retry: the command that measures it again, with all of the sweep that ended so.
    """

    place: int
    label: str
    status: str
    reason: str
    retry: str


def missed_of(frame: pd.DataFrame, store: str) -> list[Missed]:
    """Give the first of the points that were not measured.

    Args:
        frame: their rows.
        store: the folder, for commands.
    """
    first = frame.head(_MOST_LISTED)
    return [
        Missed(
            place=int(place),
            label=row_label(row),
            status=row["status"],
            reason=row["reason"] or "no reason recorded",
            retry=_retry(row, store),
        )
        for place, row in zip(first.index, records(first.astype(object)), strict=True)
    ]


def missed_table(found: Sequence[Missed]) -> Table:
    """Give the points as rows."""
    return Table(("row", "status", "reason"), tuple((one.label, one.status, one.reason) for one in found))


def _retry(row: Record, store: str) -> str:
    file, digest = "FILE", str(row.get("spec_digest") or "")
    if digest.isalnum():  # it names a file: nothing outside the folder
        file = shlex.quote(str(Path(store) / SPECS_FOLDER / f"{digest}.yaml"))
    return f"octprobe sweep {file} --store {shlex.quote(store)} --retry {shlex.quote(str(row['status']))}"
