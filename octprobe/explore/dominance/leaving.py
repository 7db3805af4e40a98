"""Rows that have no place on any front, counted by reason."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from octprobe.explore.advice.arrays import Flags, Floats, Places
from octprobe.explore.dominance.parting import coded
from octprobe.explore.objectives import Objective
from octprobe.store.records import Status

_ROW = ("point_id", "env_id")
_FAMILY = "accuracy_family"
# What tells lines apart that are of one row.
_LINE = (*_ROW, _FAMILY)


@dataclass(frozen=True)
class LeftOut:
    """Rows that have no place on any front, and why."""

    count: int
    reason: str

    def __str__(self) -> str:
        return f"left out: {self.count} row{'' if self.count == 1 else 's'} ({self.reason})"


def left_out(
    frame: pd.DataFrame, goals: Sequence[Objective], bounded: Sequence[Objective]
) -> tuple[Places, tuple[LeftOut, ...]]:
    """Give the places of rows that have every figure, and why the others are left out.

    Args:
        frame: rows.
        goals: the objectives.
        bounded: what budgets bound; absent, its budget cannot be checked.
    """
    endings, complete = _endings(frame)
    is_measured = complete.copy()
    columns = [goal.column for goal in dict.fromkeys((*goals, *bounded))]
    for place, column in enumerate(columns):
        values = figures_of(frame, column)
        # An infinite figure has no place on an axis; beside a bound it has.
        complete &= np.isfinite(values) if place < len(goals) else ~np.isnan(values)
    lacking = frame[columns_in(frame, (*columns, *_LINE))][is_measured & ~complete]
    return np.flatnonzero(complete), (*endings, *_absences(lacking, columns, len(goals)))


def _absences(rows: pd.DataFrame, columns: Sequence[str], goals: int) -> list[LeftOut]:
    """Count rows by what they lack, a digit in base 3 a column: 1 absent, 2 infinite on an axis."""
    keys = np.zeros(len(rows), dtype=np.int64)
    for place, column in enumerate(columns):
        values = figures_of(rows, column)
        keys += np.isnan(values) * 3**place
        keys += np.isinf(values) * 2 * 3**place * (place < goals)
    codes, distinct = pd.factorize(keys[_first_lines(rows, keys)])
    counts = np.bincount(codes, minlength=len(distinct)).tolist()
    return [LeftOut(count, _reason(int(key), columns)) for key, count in zip(distinct, counts, strict=True)]


def _first_lines(frame: pd.DataFrame, keys: "np.ndarray[Any, Any] | None" = None) -> Flags:
    """Say which lines count: of a row beside several families' accuracies the first of a key.

    A line without a family is its row's only one.
    """
    first = np.ones(len(frame), dtype=bool)
    if _FAMILY in frame:
        several = np.flatnonzero(frame[_FAMILY].notna())
        told = frame[list(_ROW)].iloc[several].assign(key=0 if keys is None else keys[several])
        first[several] = ~told.duplicated().to_numpy()
    return first


def columns_in(frame: pd.DataFrame, names: Sequence[str]) -> list[str]:
    """Give the columns that a frame has."""
    return [name for name in names if name in frame]


def figures_of(frame: pd.DataFrame, column: str) -> Floats:
    """Give a column as floats; what is absent is NaN, and so is all of a column that the frame lacks."""
    if column not in frame:
        return np.full(len(frame), np.nan)
    values = frame[column]
    if values.dtype == np.float64:
        return values.to_numpy()  # no copy
    return values.to_numpy(dtype=np.float64, na_value=np.nan)


def _endings(frame: pd.DataFrame) -> tuple[list[LeftOut], Flags]:
    """Count the rows that were not measured, by status."""
    codes, statuses = coded(frame["status"])
    measured = list(statuses).index(Status.MEASURED) if Status.MEASURED in statuses else len(statuses)
    is_measured = codes == measured
    others = np.flatnonzero(~is_measured)
    once = others[_first_lines(frame[columns_in(frame, _LINE)].iloc[others])]
    endings = [
        LeftOut(int(np.count_nonzero(codes[once] == code)), f"status {status}")
        for code, status in enumerate(statuses)
        if status != Status.MEASURED
    ]
    return [left for left in endings if left.count], is_measured


def _reason(key: int, columns: Sequence[str]) -> str:
    """Read a number in base 3, a digit a column: 1 absent, 2 infinite."""
    digits = {column: key // 3**place % 3 for place, column in enumerate(columns)}
    phrases = [
        f"{' and '.join(column for column, digit in digits.items() if digit == wanted)} {state}"
        for wanted, state in ((1, "absent"), (2, "infinite"))
        if wanted in digits.values()
    ]
    return ", ".join(phrases)
