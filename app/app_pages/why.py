"""Why is it slow? Time and MACs by layer and path, of one point or two side by side."""

import breakdown
import charts
import data
import detail
import pandas as pd
import state
import streamlit as st

from octprobe.explore.groups import Record, is_anchor
from octprobe.explore.labels import row_label
from octprobe.explore.saving.reasons import why_slow
from octprobe.figures import paths
from octprobe.figures.text import inert
from octprobe.store.query import records
from octprobe.store.records import Status

# A list that a person chooses from; the sidebar narrows it.
_MOST_POINTS = 1_000
_NONE = "its vanilla row"


def page() -> None:
    """Show the points to choose, the reasons, and both points' time and MACs."""
    store = data.current()
    frame = data.filtered(data.rows(store), state.filters(store))
    places = _places(frame)
    if not places:
        st.info("No point was measured among these rows, so there is no time to explain.")
        return
    one, two = st.columns(2)
    with one:
        first = places[state.choice("Point", "a", list(places), _first_octave(frame, places))]
    with two:
        other = state.choice("Beside", "b", [_NONE, *places])
    beside = detail.anchors_of(frame, first) if other == _NONE else [places[other]]
    _told(store, list(dict.fromkeys([first, *beside])))


def _places(frame: pd.DataFrame) -> dict[str, int]:
    """Give the measured rows by their names, which tell them apart."""
    measured = frame[(frame["status"] == Status.MEASURED).to_numpy(dtype=bool, na_value=False)]
    kept = measured.head(_MOST_POINTS)
    if len(kept) < len(measured):
        st.caption(
            f"The first {_MOST_POINTS:,} of {len(measured):,} points are listed: narrow them in the sidebar."
        )
    rows = records(kept.astype(object))
    names = [inert(f"{row_label(row)} ({row['point_id'][:8]} in {row['env_id'][:8]})") for row in rows]
    return dict(zip(names, map(int, kept.index), strict=True))


def _first_octave(frame: pd.DataFrame, places: dict[str, int]) -> str | None:
    octave = (frame["point_id"] != frame["group_id"]).to_numpy(dtype=bool, na_value=False)
    known = set(frame.index[octave])
    return next((name for name, place in places.items() if place in known), None)


def _told(store: data.Opened, places: list[int]) -> None:
    whole = data.whole_rows(store, places)
    rows = records(whole)
    anchor = next((row for row in rows if is_anchor(row)), None)
    st.subheader("Reasons")
    reasons = why_slow(rows[0], anchor) if rows[0] is not anchor else ()
    charts.bullets(reasons)
    if not reasons:
        st.caption("Nothing is known that would explain lost time; a vanilla row has nothing to explain.")
    charts.say(breakdown.host_sentence(rows[0]))
    charts.show(charts.drawn(paths, paths.info(whole)), "why-paths")
    for column, row in zip(st.columns(len(rows)), rows, strict=True):
        with column:
            _beside(row)


def _beside(row: Record) -> None:
    charts.say(row_label(row))
    st.markdown("**MACs beside device time, by path**")
    charts.show_table(detail.path_table(row), "MACs beside device time, by path")
    st.markdown("**Device time by layer and path**")
    table = breakdown.layer_table(row)
    if table.rows:
        charts.show_table(table, "Device time by layer and path, the longest layer first")
    else:
        charts.say(f"Not known by layer: {row.get('breakdown_reason') or 'no breakdown was measured'}.")


page()
