"""Why is it slow? Time and MACs by layer and path, of one point or two side by side."""

import charts
import data
import detail
import numpy as np
import state
import streamlit as st

from octprobe.explore.find import anchors_of
from octprobe.explore.groups import Record, is_anchor
from octprobe.explore.labels import row_label
from octprobe.explore.saving.reasons import why_slow
from octprobe.figures import paths
from octprobe.figures.layer_times import host_sentence, layer_table
from octprobe.figures.text import inert
from octprobe.store.query import records
from octprobe.store.records import Status
from octprobe.store.snapshot import Snapshot

# A list that a person chooses from; the sidebar narrows it.
_MOST_POINTS = 1_000
_NONE = "its vanilla row"


def page() -> None:
    """Show the points to choose, the reasons, and both points' time and MACs."""
    store = data.current()
    places, first_octave, measured = _points(store, state.filters(store))
    if not places:
        st.info("No point was measured among these rows, so there is no time to explain.")
        return
    if len(places) < measured:
        st.caption(f"The first {_MOST_POINTS:,} of {measured:,} points are listed: the sidebar narrows them.")
    one, two = st.columns(2)
    with one:
        first = places[state.choice("Point", "a", list(places), first_octave)]
    with two:
        other = state.choice("Beside", "b", [_NONE, *places])
    beside = anchors_of(data.rows(store), first) if other == _NONE else [places[other]]
    _told(store, list(dict.fromkeys([first, *beside])))


@st.cache_data(max_entries=8, show_spinner=False)
def _points(store: Snapshot, pairs: tuple[str, ...]) -> tuple[dict[str, int], str | None, int]:
    """Give the places of the first measured points by name, the first octave one, and how many there are."""
    frame = data.filtered(data.rows(store), pairs)
    measured = (frame["status"] == Status.MEASURED).to_numpy(dtype=bool, na_value=False)
    kept = frame.iloc[np.flatnonzero(measured)[:_MOST_POINTS]]
    rows = records(kept.astype(object))
    names = [inert(f"{row_label(row)} ({row['point_id'][:8]} in {row['env_id'][:8]})") for row in rows]
    octave = (name for name, row in zip(names, rows, strict=True) if not is_anchor(row))
    places = dict(zip(names, map(int, kept.index), strict=True))
    return places, next(octave, None), int(measured.sum())


def _told(store: Snapshot, places: list[int]) -> None:
    whole = data.whole_rows(store, places)
    rows = records(whole)
    st.subheader("Reasons")
    for place, row in zip(places, rows, strict=True):
        if not is_anchor(row):
            _reasons(store, place, row)
    if all(map(is_anchor, rows)):
        st.caption("A vanilla row has no lost time to explain.")
    charts.say(host_sentence(rows[0]))
    charts.show(charts.drawn(paths, paths.info(whole)), "why-paths")
    for column, row in zip(st.columns(len(rows)), rows, strict=True):
        with column:
            _beside(row)


def _reasons(store: Snapshot, place: int, row: Record) -> None:
    """Say what is known of lost time against the row's own vanilla."""
    vanilla = data.whole_records(store, anchors_of(data.rows(store), place))
    charts.say(row_label(row))
    reasons = why_slow(row, vanilla[0] if vanilla else None)
    charts.bullets(reasons)
    if not reasons:
        st.caption("Nothing is known that would explain lost time.")


def _beside(row: Record) -> None:
    charts.say(row_label(row))
    st.markdown("**MACs beside device time, by path**")
    charts.show_table(detail.path_table(row), "MACs beside device time, by path")
    st.markdown("**Device time by layer and path**")
    table = layer_table(row)
    if table.rows:
        charts.show_table(table, "Device time by layer and path, the longest layer first")
    else:
        charts.say(f"Not known by layer: {row.get('breakdown_reason') or 'no breakdown was measured'}.")


page()
