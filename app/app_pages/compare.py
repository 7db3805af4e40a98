"""What changed between two environments, two sweeps or before and since a date?"""

from pathlib import Path
from typing import Any

import changes
import charts
import data
import state
import streamlit as st

from octprobe.errors import OctprobeError
from octprobe.explore.compare import Comparison, compare
from octprobe.explore.comparison.change import Basis
from octprobe.explore.comparison.sides import read_side, sides_of
from octprobe.figures.text import inert

_WAYS = ("environments", "sweeps", "since a date")


@st.cache_data(max_entries=4, show_spinner="Comparing")
def _compared(path: str, mark: str, a: str, b: str, way: str, basis: str) -> Comparison:
    parted: dict[str, Any] = {"since": a} if way == _WAYS[2] else {way: (a, b)}
    sides = [read_side(side) for side in sides_of(Path(path), None, **parted)]
    return compare(sides[0].frame, sides[1].frame, basis=Basis(basis))


def page() -> None:
    """Show the two sides to choose, and every point on both with its verdict."""
    store = data.current()
    frame = data.rows(store, ("sweep", "recorded_at"))
    way = state.choice("Compare", "compare", _WAYS)
    if way == _WAYS[2]:
        last = frame["recorded_at"].max()
        a = state.text("B is what was recorded since, UTC", "since", placeholder=f"{last:%Y-%m-%dT%H:%M}")
        b = ""
    else:
        column = {"environments": "env_id", "sweeps": "sweep"}[way]
        known = sorted(str(value) for value in frame[column].dropna().unique())
        if len(known) < 2:
            st.info(f"The store has rows of fewer than two {way}: there is nothing to compare.")
            return
        before, after = st.columns(2)
        with before:
            a = state.choice("A, before", "side_a", known, known[0], format_func=inert)
        with after:
            b = state.choice("B, after", "side_b", known, known[1], format_func=inert)
    basis = state.choice("Judge by", "by", [each.value for each in Basis])
    if not a or a == b:
        st.caption(
            "Choose two sides that differ." if a else "Write a date, such as 2026-11-24 or 2026-11-24T13:30."
        )
        return
    try:
        _told(_compared(store.path, store.mark, a, b, way, basis))
    except OctprobeError as error:
        charts.say(str(error))


def _told(found: Comparison) -> None:
    charts.say(*changes.sentences(found))
    charts.show_table(changes.points_table(found), "Every point on both sides, B over A with its verdict")
    only = changes.only_table(found)
    if only.rows:
        st.subheader("Points of one side only")
        charts.show_table(only, "Points of one side only")
    st.caption(
        "Intervals know the scatter within each run. Runs minutes apart also differ by the machine's drift, "
        "which moves the latency and hardly time / vanilla, each run's own paired ratio."
    )


page()
