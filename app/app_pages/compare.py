"""What changed between two environments, two sweeps or before and since a date?"""

from pathlib import Path
from typing import Any, NamedTuple

import charts
import data
import pandas as pd
import state
import streamlit as st

from octprobe.errors import OctprobeError
from octprobe.explore.compare import COMPARED_COLUMNS, Comparison, compare
from octprobe.explore.comparison.change import Basis
from octprobe.explore.comparison.shift import SHIFT_COLUMNS, Shift, shift_of
from octprobe.explore.comparison.sides import rows_of, sides_of
from octprobe.explore.dominance.narrowing import axis_of
from octprobe.figures.text import inert
from octprobe.report import changes
from octprobe.store.columns import ColumnReader
from octprobe.store.snapshot import Snapshot, shared_reader

_WAYS = ("environments", "sweeps", "since a date")
_CHOOSING = (
    *("point_id", "env_id", "attempt", "recorded_at", "sweep"),
    *("device", "device_name", "torch"),
)
# Where these part the sides they narrow neither.
_PARTING = ("env_id", "device_name")
# A verdict takes a point's raw samples and milliseconds of computing.
_MOST_JUDGED = 3_000


class _Asked(NamedTuple):
    """The two sides, what narrows both, and the figure to judge by."""

    store: Snapshot
    pairs: tuple[str, ...]
    a: str
    b: str
    way: str
    basis: str


def _reader(asked: _Asked) -> ColumnReader:
    """Read all attempts where the sides may hold different ones at a point."""
    return shared_reader(asked.store, every_attempt=asked.way != _WAYS[0])


def _sides(asked: _Asked) -> list[pd.DataFrame]:
    """Find the rows of both sides among all attempts; labels are their places."""
    parted: dict[str, Any] = {"since": asked.a} if asked.way == _WAYS[2] else {asked.way: (asked.a, asked.b)}
    names = (*_CHOOSING, *SHIFT_COLUMNS, *map(axis_of, asked.pairs))
    attempts = data.filtered(_reader(asked).read(names).frame, asked.pairs)
    return [rows_of(attempts, side) for side in sides_of(Path(asked.store.path), None, **parted)]


@st.cache_data(max_entries=4, show_spinner="Comparing")
def _compared(asked: _Asked) -> Comparison | Shift:
    """Judge each point where there are few, else set the medians beside each other."""
    a, b = _sides(asked)
    if len(a) + len(b) > _MOST_JUDGED:
        return shift_of(a, b, Basis(asked.basis))
    reader = _reader(asked)
    whole = [reader.rows(COMPARED_COLUMNS, side.index.to_numpy()) for side in (a, b)]
    return compare(whole[0], whole[1], basis=Basis(asked.basis))


def page() -> None:
    """Show the two sides to choose, and every point on both with its verdict."""
    asked = _asked()
    if asked is None:
        return
    try:
        found = _compared(asked)
    except OctprobeError as error:
        charts.say(str(error))
        return
    if isinstance(found, Shift):
        _shifted(found)
    else:
        _judged(found)
    st.caption(
        "Intervals know the scatter within each run. Runs minutes apart also differ by the machine's drift, "
        "which moves the latency and hardly time / vanilla, each run's own paired ratio."
    )


def _asked() -> _Asked | None:
    """Read the sides off the page; None, which is said, where there are no two."""
    store = data.current()
    way = state.choice("Compare", "compare", _WAYS)
    pairs = state.filters(store, but=_PARTING if way == _WAYS[0] else ())
    a, b = _since(store) if way == _WAYS[2] else _two(store, way)
    basis = state.choice("Judge by", "by", [each.value for each in Basis])
    if a and a != b:
        return _Asked(store, pairs, a, b, way, basis)
    if way == _WAYS[2]:
        st.caption("Write a date, such as 2026-11-24 or 2026-11-24T13:30.")
    elif a:
        st.caption("Choose two sides that differ.")
    return None


def _since(store: Snapshot) -> tuple[str, str]:
    last = data.rows(store, ("recorded_at",))["recorded_at"].max()
    return state.text("B is what was recorded since, UTC", "since", placeholder=f"{last:%Y-%m-%dT%H:%M}"), ""


def _two(store: Snapshot, way: str) -> tuple[str, str]:
    column = {"environments": "env_id", "sweeps": "sweep"}[way]
    began = data.rows(store, (column, "recorded_at")).groupby(column, observed=True)["recorded_at"].min()
    known = [str(name) for name in began.sort_values(kind="stable").index]
    if len(known) < 2:
        st.info(f"The store has rows of fewer than two {way}: there is nothing to compare.")
        return "", ""
    before, after = st.columns(2)
    with before:
        a = state.choice("A, before", "side_a", known, known[0], format_func=inert)
    with after:
        b = state.choice("B, after", "side_b", known, known[1], format_func=inert)
    return a, b


def _judged(found: Comparison) -> None:
    charts.say(*changes.sentences(found))
    charts.show_table(changes.points_table(found), "Every point on both sides, B over A with its verdict")
    only = changes.only_table(found)
    if only.rows:
        st.subheader("Points of one side only")
        charts.show_table(only, "Points of one side only")


def _shifted(found: Shift) -> None:
    charts.say(
        f"{found.points:,} points on both sides, {found.only_a:,} in A alone, {found.only_b:,} in B alone.",
        f"Verdicts are given for at most {_MOST_JUDGED:,} rows of both sides together: the sidebar narrows "
        "them. These are the medians of all.",
    )
    charts.show_table(changes.shift_table(found), "How the medians moved, B over A")


page()
