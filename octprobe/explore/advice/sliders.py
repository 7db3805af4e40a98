"""Sliders of a recommendation: which figures may be bounded, between which ends, how a bound is written."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from octprobe.explore.advice.given import GIVEN
from octprobe.explore.objectives import Direction, Objective, objective
from octprobe.store.accuracy import Accuracy
from octprobe.store.query import plain
from octprobe.store.records import Status

_STEPS = 200
# By objective: the unit that a bound is written in, and how many of the column's units it is.
_UNITS: Mapping[str, tuple[str, float]] = {
    "latency": ("ms", 1),
    "throughput": ("/s", 1),
    "memory": ("MB", 1e6),
    "macs": ("G", 1e9),
    "parameters": ("M", 1e6),
    "top1": ("%", 1),
}
BOUNDED = tuple(_UNITS)


class Slider(NamedTuple):
    """A slider in the unit that a person reads; at `open_end` it bounds nothing."""

    goal: Objective
    unit: str
    low: float
    high: float
    step: float

    @property
    def is_upper(self) -> bool:
        """Whether it bounds from above."""
        return self.goal.direction is Direction.MINIMIZE

    @property
    def open_end(self) -> float:
        """Give the end at which everything is let through."""
        return self.high if self.is_upper else self.low

    @property
    def name(self) -> str:
        """Name its query parameter: `max_latency`."""
        return f"{'max' if self.is_upper else 'min'}_{self.goal.name}"

    @property
    def label(self) -> str:
        """Name it to a person."""
        name = {"top1": "top-1 accuracy", "macs": "MACs", "memory": "peak memory"}.get(
            self.goal.name, self.goal.name
        )
        unit = {"latency": "ms/call", "throughput": "items/s", "macs": "GMACs/item", "parameters": "millions"}
        side = "at most" if self.is_upper else "at least"
        return f"{name} {side}, {unit.get(self.goal.name, self.unit)}"

    def budget(self, value: float) -> str | None:
        """Write a bound as `octprobe recommend` reads it; None at the open end."""
        return None if value == self.open_end else f"{self.goal.name}={value:.10g}{self.unit}"


def sliders_of(frame: pd.DataFrame, accuracies: Sequence[Accuracy]) -> list[Slider]:
    """Give a slider for each figure that takes more than one value in rows, and for the accuracy.

    Args:
        frame: rows of a store.
        accuracies: those that may be joined to the rows.
    """
    found = (
        _slider(objective(name), _figures(frame, accuracies, objective(name)), *_UNITS[name])
        for name in BOUNDED
    )
    return [slider for slider in found if slider is not None]


def _figures(
    frame: pd.DataFrame, accuracies: Sequence[Accuracy], goal: Objective
) -> "np.ndarray[Any, np.dtype[np.float64]]":
    if goal.is_accuracy:
        values = [getattr(accuracy, goal.column) for accuracy in accuracies]
        return np.array([value for value in values if value is not None], dtype=float)
    figures = frame[goal.column].to_numpy(dtype=float, na_value=np.nan)[_is(frame["status"], Status.MEASURED)]
    return np.asarray(figures[np.isfinite(figures)])


def _slider(goal: Objective, figures: "np.ndarray[Any, Any]", unit: str, size: float) -> Slider | None:
    if not len(figures) or figures.min() == figures.max():
        return None
    low, high = figures.min() / size, figures.max() / size
    step = _nice((high - low) / _STEPS)
    digits = max(0, -math.floor(math.log10(step)))
    ends = (math.floor(low / step) * step, math.ceil(high / step) * step)
    return Slider(goal, unit, round(ends[0], digits), round(ends[1], digits), round(step, digits))


def _nice(step: float) -> float:
    """Give the next of 1, 2 and 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(step))
    return next(times * power for times in (1, 2, 5, 10) if times * power >= step * (1 - 1e-9))


def given_of(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Keep the measured networks of one value of each given axis: where there are several, the most frequent.

    Returns:
        The rows, and in words what was taken of what there is.
    """
    rows = np.flatnonzero(_is(frame["subject"], "network") & _is(frame["status"], Status.MEASURED))
    told = []
    for flag, column in GIVEN.items():
        values = frame[column].iloc[rows]
        counts = values.value_counts(dropna=False)
        counts = counts[counts > 0]
        if len(counts) > 1:
            value, others = counts.index[0], _listed(list(counts.index))
            told.append(f"{flag} {_word(value)} (of {others}; the sidebar takes another)")
            rows = rows[values.isna().to_numpy() if pd.isna(value) else _is(values, value)]
    return frame.iloc[rows], told


def _is(column: "pd.Series[Any]", value: object) -> "np.ndarray[Any, np.dtype[np.bool_]]":
    return (column == value).to_numpy(dtype=bool, na_value=False)


def _listed(values: Sequence[Any]) -> str:
    words = [_word(value) for value in values]
    return ", ".join(words[:6]) + (f" and {len(words) - 6} more" if len(words) > 6 else "")


def _word(value: Any) -> str:
    known = plain(value)
    return "default" if known is None else str(known)
