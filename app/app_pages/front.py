"""Where is the front of speed and accuracy, or of any two objectives? And what is behind a point?"""

from typing import NamedTuple

import charts
import data
import detail
import state
import streamlit as st

from octprobe.explore.accuracies import with_accuracies
from octprobe.explore.find import places_of
from octprobe.explore.front_record import shown_columns
from octprobe.explore.objectives import OBJECTIVES, objective
from octprobe.figures import front
from octprobe.store.snapshot import Snapshot

_CHART = "front-chart"
_LIST = "front-list"
# Of a box about a cloud so many points are listed.
_MOST_CHOSEN = 200


class _Asked(NamedTuple):
    """What the front is of."""

    store: Snapshot
    pairs: tuple[str, ...]
    x: str
    y: str
    family: str | None


@st.cache_data(max_entries=8, show_spinner="Finding the front")
def _info(asked: _Asked) -> front.FrontFigureInfo:
    """Find the front; accuracies are joined where an objective is one."""
    goals = (objective(asked.x), objective(asked.y))
    frame = data.filtered(data.rows(asked.store, shown_columns(goals)), asked.pairs)
    if any(goal.is_accuracy for goal in goals):
        frame = with_accuracies(frame, data.accuracies(asked.store), asked.family)
    return front.info(frame, asked.x, asked.y)


@st.cache_data(max_entries=8, show_spinner=False)
def _drawn(asked: _Asked) -> charts.Drawn:
    return charts.drawn(front, _info(asked))


def page() -> None:
    """Show both axes to choose, the front, and the point that was clicked."""
    asked = _asked()
    charts.show(_drawn(asked), _CHART, _open_clicked)
    st.caption("Click a point or draw a box to see what is behind it.")
    _boxed(asked)
    _detail(asked)


def _asked() -> _Asked:
    store = data.current()
    pairs = state.filters(store)
    names = [goal.name for goal in OBJECTIVES]
    across, up, source = st.columns(3)
    with across:
        x = state.choice("Along x", "x", names, "latency")
    with up:
        y = state.choice("Along y", "y", [name for name in names if name != x], "top1")
    with source:
        has_accuracy = any(objective(name).is_accuracy for name in (x, y))
        family = state.family(store) if has_accuracy else None
    return _Asked(store, pairs, x, y, family)


def _clicked() -> list[str]:
    """Name the points that are selected in the chart."""
    selection = st.session_state.get(_CHART) or {}
    points = (selection.get("selection") or {}).get("points") or []
    names = (point.get("customdata") for point in points)
    return list(dict.fromkeys(name for name in names if isinstance(name, str)))[:_MOST_CHOSEN]


def _open_clicked() -> None:
    names = _clicked()
    if names:
        st.session_state[state.POINT] = names[0]


def _boxed(asked: _Asked) -> None:
    """List the points of a box; one that is ticked is opened."""
    names = _clicked()
    if len(names) < 2:
        return
    table = front.table(front.chosen(_info(asked), names))
    st.subheader("Points in the box")

    def open_ticked() -> None:
        ticked = st.session_state[_LIST]["selection"]["rows"]
        if ticked and ticked[0] < len(table.rows):
            st.session_state[state.POINT] = table.rows[ticked[0]][table.head.index("point")]

    charts.show_table(
        table, "Points in the box", key=_LIST, on_select=open_ticked, selection_mode="single-row"
    )


def _detail(asked: _Asked) -> None:
    st.subheader("A point in detail")
    name = state.text(
        "Point (click one above, or write the beginning of its point_id)", state.POINT, max_chars=200
    )
    if not name:
        return
    whole = data.rows(asked.store)
    places = places_of(whole, name)
    if not places:
        charts.say(f"No row of the store has a point_id that begins with {name!r}.")
        return
    if len(places) > 1:
        charts.say(f"{len(places)} rows begin so; this is the first.")
    if places[0] not in data.filtered(whole, asked.pairs).index:
        st.caption("The sidebar leaves it out of the chart above.")
    detail.show(asked.store, whole, places[0], "front-detail")


page()
