"""A store's rows made ready for drawing: numbers, anchors beside their rows, and rows gathered in lines."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from octprobe.explore.advice.arrays import Places
from octprobe.explore.axes import ALPHA_AXES, CONDITION_AXES, FORM_AXES, FREE_AXES, GIVEN_AXES, VARIANT_AXES
from octprobe.explore.dominance.parting import part_numbers
from octprobe.explore.groups import Record
from octprobe.explore.labels import (
    condition_labels,
    environment_label,
    group_label,
    member_label,
    varying_conditions,
)
from octprobe.figures.shapes import Ends
from octprobe.figures.text import shortened
from octprobe.plan.variant import variant_label
from octprobe.store.query import plain, records
from octprobe.store.records import Status

# More lines than this cannot be told apart, nor their names read on one screen.
MOST_LINES = 12
# What a page of several figures holds within a few megabytes, hover texts included.
MOST_POINTS = 600
# So many values of a condition are named in a title.
_MOST_VALUES = 4
_GROUP = ["group_id", "env_id"]
_LABEL_COLUMNS = tuple(dict.fromkeys((*_GROUP, "point_id", "torch", *GIVEN_AXES, *FREE_AXES)))

Floats = npt.NDArray[np.float64]


class Line(NamedTuple):
    """Rows of one group and variant, the anchor first, then in the order of alpha; all are measured."""

    name: str
    rows: pd.DataFrame


class Lines(NamedTuple):
    """The lines that are drawn, and what is said of the others."""

    lines: tuple[Line, ...]
    notes: tuple[str, ...]


def numbers(frame: pd.DataFrame, name: str) -> Floats:
    """Give a column as floats, NaN where a row or the whole column is absent."""
    if name not in frame:
        return np.full(len(frame), np.nan)
    return np.asarray(pd.to_numeric(frame[name]).to_numpy(dtype=float, na_value=np.nan), dtype=float)


def measured_rows(frame: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Keep the measured rows, with these columns as floats.

    Columns of labels stay; `alpha_number` is the uniform alpha, or a layer's where both of its alphas agree;
    `is_anchor` tells the anchors.
    """
    kept = _measured(frame, (*_LABEL_COLUMNS, *columns))
    rows = pd.DataFrame({name: kept.get(name) for name in _LABEL_COLUMNS}, index=kept.index)
    for name in columns:
        rows[name] = numbers(kept, name)
    rows["alpha_number"] = _alpha(kept)
    rows["is_anchor"] = (rows["point_id"] == rows["group_id"]).to_numpy(dtype=bool, na_value=False)
    return rows


def with_anchors(frame: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Give `measured_rows` with the anchor's figures as `anchor_<name>` beside them; NaN without one."""
    rows = measured_rows(frame, columns)
    groups = part_numbers(rows, _GROUP)
    places = np.flatnonzero(rows["is_anchor"].to_numpy())[::-1]
    anchors = np.full(int(groups.max(initial=-1)) + 1, -1)
    anchors[groups[places]] = places  # the first of a group is written last
    for name in columns:
        values = np.append(rows[name].to_numpy(), np.nan)
        rows[f"anchor_{name}"] = values[anchors[groups]]
    return rows


def lines_of(rows: pd.DataFrame, needed: Mapping[str, str], most: int = MOST_LINES) -> Lines:
    """Gather rows in lines, those with the most points first kept, each thinned to a share of the points.

    Args:
        rows: as `measured_rows` or `with_anchors` give them.
        needed: columns that a row must have, in words; rows without are counted in a note.
        most: how many lines.
    """
    complete = rows[list(needed)].notna().all(axis=1).to_numpy()
    notes = [] if complete.all() else [_absent_note(rows, needed)]
    is_anchor = rows["is_anchor"].to_numpy()
    places = np.flatnonzero(complete & ~is_anchor)
    keys = [*_GROUP, *VARIANT_AXES]
    lines = part_numbers(rows[keys].iloc[places], keys)
    counts = np.bincount(lines)
    kept = np.sort(np.argsort(-counts, kind="stable")[:most])
    if len(counts) > len(kept):
        notes.append(f"{len(kept)} of {len(counts)} lines are drawn, those with the most points")
    is_kept = np.isin(lines, kept)
    octave, lines = _plain(rows.iloc[places[is_kept]]), lines[is_kept]
    anchors = _anchors_of(octave, rows, np.flatnonzero(complete & is_anchor))
    names = _Names(rows)
    share = max(2, MOST_POINTS // max(1, len(kept)))
    found = [_line(octave[lines == number], anchors, names, share) for number in kept]
    drawn = sum(int((~line.rows["is_anchor"]).sum()) for line in found)
    available = int(counts[kept].sum())
    if drawn < available:
        notes.append(f"{drawn} of {available} octave points are drawn, evenly chosen")
    return Lines(tuple(found), tuple(notes))


def thinned(count: int, most: int) -> npt.NDArray[np.intp]:
    """Give the places of at most so many of a number of things, evenly spread, both ends kept."""
    if count <= most:
        return np.arange(count)
    return np.unique(np.linspace(0, count - 1, most).round().astype(np.intp))


def row_labels(rows: pd.DataFrame) -> list[str]:
    """Name each row within its group: `alpha 0.5`."""
    names = ["point_id", "group_id", *ALPHA_AXES, *VARIANT_AXES]
    return [member_label(record) for record in records(rows[names])]


def ends_of(low: float, high: float) -> Ends | None:
    """Give an interval; None where there were too few samples for one."""
    return None if math.isnan(low) or math.isnan(high) else (float(low), float(high))


def conditions_of(frame: pd.DataFrame) -> str:
    """Name environments and conditions of the measured rows: `a CPU, torch 2.9.0; 224 px, batch 1 / 8`."""
    measured = _measured(frame, ("device_name", "device", "torch", *CONDITION_AXES, *FORM_AXES))
    frame = measured if len(measured) else frame
    places = records(distinct(frame, ("device_name", "device", "torch")))
    devices = _few([environment_label(record) for record in places])
    named = [_values(frame, name) for name in (*CONDITION_AXES, *FORM_AXES)]
    return "; ".join(part for part in (devices, ", ".join(filter(None, named))) if part)


def distinct(frame: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Give the combinations of values that columns take, in the order met; an absent column is null."""
    _, first = np.unique(part_numbers(frame, names), return_index=True)
    known = frame[[name for name in names if name in frame]].iloc[np.sort(first)]
    return known.astype(object).reindex(columns=list(names))


def _measured(frame: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Keep these columns of the measured rows; of a large frame a copy of all takes its time."""
    if "status" not in frame:
        return frame.iloc[:0]
    flags = (frame["status"] == Status.MEASURED).to_numpy(dtype=bool, na_value=False)
    kept = frame[[name for name in dict.fromkeys(names) if name in frame]]
    return kept if flags.all() else kept[flags]


def _values(frame: pd.DataFrame, name: str) -> str:
    if name not in frame:
        return ""
    found = [_whole(value) for value in map(plain, frame[name].unique()) if value is not None]
    labels = [condition_labels({name: value}, [name]) for value in sorted(found)]
    return _few([label for one in labels for label in one])


def _few(labels: Sequence[str]) -> str:
    known = list(dict.fromkeys(filter(None, labels)))
    more = f" and {len(known) - _MOST_VALUES} more" if len(known) > _MOST_VALUES else ""
    return " / ".join(known[:_MOST_VALUES]) + more


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _absent_note(rows: pd.DataFrame, needed: Mapping[str, str]) -> str:
    absent = [name for name in needed if rows[name].isna().any()]
    count = int(rows[list(needed)].isna().any(axis=1).sum())
    names = " or ".join(needed[name] for name in absent)
    return f"{count} {'row' if count == 1 else 'rows'} without {names} left out"


def _anchors_of(octave: pd.DataFrame, rows: pd.DataFrame, places: Places) -> pd.DataFrame:
    """Take from the anchors at some places those of the groups that are drawn."""
    is_theirs = rows["point_id"].iloc[places].isin(octave["group_id"].unique())
    return _plain(rows.iloc[places[is_theirs.to_numpy(dtype=bool)]])


def _line(octave: pd.DataFrame, anchors: pd.DataFrame, names: "_Names", most: int) -> Line:
    ordered = octave.sort_values(["alpha_number", "point_id"], kind="stable")
    ordered = ordered.iloc[thinned(len(ordered), most)]
    group_id, env_id = ordered["group_id"].iloc[0], ordered["env_id"].iloc[0]
    first = anchors[(anchors["point_id"] == group_id) & (anchors["env_id"] == env_id)].head(1)
    return Line(names.of(ordered), pd.concat([first, ordered]).reset_index(drop=True))


class _Names:
    """Names of lines by what tells them apart within a frame."""

    def __init__(self, rows: pd.DataFrame) -> None:
        shared = distinct(rows, ("resolution", "batch", "dtype", "mode", "threads", *FORM_AXES))
        self._varying = varying_conditions(records(shared))
        places = records(distinct(rows, ("env_id", "device_name", "device", "torch")))
        self._several = len(places) > 1
        self._with_id = len({environment_label(place) for place in places}) < len(places)

    def of(self, line: pd.DataFrame) -> str:
        """Name a line by its subject, its variant, and the conditions in which the lines differ."""
        record: Record = records(line.iloc[:1])[0]
        variant = variant_label(record)
        place = environment_label(record, with_id=self._with_id) if self._several else ""
        return shortened(", ".join(filter(None, [group_label(record, self._varying), variant, place])))


def _plain(rows: pd.DataFrame) -> pd.DataFrame:
    """Give the columns of labels as plain objects, absent as None: of a few rows that are drawn."""
    labels = rows[list(_LABEL_COLUMNS)].astype(object)
    return rows.assign(**labels.where(labels.notna(), None))


def _alpha(frame: pd.DataFrame) -> Floats:
    both, out = numbers(frame, "alpha_in"), numbers(frame, "alpha_out")
    layer = np.where(both == out, both, np.nan)
    alpha = numbers(frame, "alpha")
    return np.where(np.isnan(alpha), layer, alpha)
