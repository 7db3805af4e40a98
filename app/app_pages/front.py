"""Where is the front of speed and accuracy, or of any two objectives? And what is behind a point?"""

import charts
import data
import detail
import numpy as np
import pandas as pd
import state
import streamlit as st

from octprobe.explore.accuracies import with_accuracies
from octprobe.explore.front_record import shown_columns
from octprobe.explore.labels import row_label
from octprobe.explore.objectives import OBJECTIVES, objective
from octprobe.facts.published import published_accuracies
from octprobe.figures import front
from octprobe.figures.shapes import Table
from octprobe.store.query import records

_CHART = "front-chart"
_LIST = "front-list"
# Of a box about a cloud so many rows are listed.
_MOST_CHOSEN = 200


@st.cache_resource(max_entries=2, show_spinner="Reading the store")
def _frame(path: str, mark: str, x: str, y: str, pairs: tuple[str, ...], family: str) -> pd.DataFrame:
    """Read what the front takes; accuracies are joined where an objective is one."""
    goals = (objective(x), objective(y))
    frame = data.filtered(data.rows(data.opened(path), shown_columns(goals)), pairs)
    frame = frame.assign(place=frame.index)
    if not any(goal.is_accuracy for goal in goals):
        return frame
    return with_accuracies(frame, published_accuracies(), None if family == state.ANY else family)


@st.cache_data(max_entries=8, show_spinner="Finding the front")
def _drawn(path: str, mark: str, x: str, y: str, pairs: tuple[str, ...], family: str) -> charts.Drawn:
    return charts.drawn(front, front.info(_frame(path, mark, x, y, pairs, family), x, y))


def page() -> None:
    """Show both axes to choose, the front, and the point that was clicked."""
    store = data.current()
    pairs = state.filters(store)
    names = [goal.name for goal in OBJECTIVES]
    across, up, source = st.columns(3)
    with across:
        x = state.choice("Along x", "x", names, "latency")
    with up:
        y = state.choice("Along y", "y", [name for name in names if name != x], "top1")
    with source:
        family = _family(x, y)
    asked = (store.path, store.mark, x, y, pairs, family)
    frame = _frame(*asked)
    charts.show(_drawn(*asked), _CHART, lambda: _open_clicked(frame, x, y))
    st.caption("Click a point or draw a box to see what is behind it.")
    _chosen(frame, x, y)
    _detail(store, frame)


def _family(x: str, y: str) -> str:
    """Choose whose accuracies count; they are never mixed, so each family has a front of its own."""
    if not any(objective(name).is_accuracy for name in (x, y)):
        return state.ANY
    known = sorted({f"{each.source_family}" for each in published_accuracies()})
    return state.choice("Published accuracies of (ImageNet)", "accuracy_from", [state.ANY, *known])


def _clicked() -> list[tuple[float, float]]:
    """Give the figures of the points that are selected in the chart."""
    selection = st.session_state.get(_CHART) or {}
    points = (selection.get("selection") or {}).get("points") or []
    return [(point["x"], point["y"]) for point in points if "x" in point and "y" in point]


def _rows_at(frame: pd.DataFrame, x: str, y: str) -> pd.DataFrame:
    """Find the rows behind the points that are selected: those of the very same figures."""
    wanted = _clicked()[:_MOST_CHOSEN]
    if not wanted:
        return frame.iloc[:0]
    xs, ys = (frame[objective(name).column].to_numpy(dtype=float, na_value=float("nan")) for name in (x, y))
    found = np.zeros(len(frame), dtype=bool)
    for across, up in wanted:
        found |= (xs == across) & (ys == up)
    kept: pd.DataFrame = frame[found]
    return kept


def _open_clicked(frame: pd.DataFrame, x: str, y: str) -> None:
    rows = _rows_at(frame, x, y)
    if len(rows):
        st.session_state[state.POINT] = state.point_name(rows.iloc[0])


def _chosen(frame: pd.DataFrame, x: str, y: str) -> None:
    """List the rows of a box; a row that is ticked is opened."""
    rows = _rows_at(frame, x, y)
    if len(rows) < 2:
        return
    kept = rows.head(_MOST_CHOSEN)
    table = _listed(kept, x, y)
    st.subheader("Points in the box")

    def open_ticked() -> None:
        ticked = st.session_state[_LIST]["selection"]["rows"]
        if ticked and ticked[0] < len(kept):
            st.session_state[state.POINT] = state.point_name(kept.iloc[ticked[0]])

    charts.show_table(
        table, "Points in the box", key=_LIST, on_select=open_ticked, selection_mode="single-row"
    )


def _listed(rows: pd.DataFrame, x: str, y: str) -> Table:
    goals = [objective(name) for name in (x, y)]
    head = ("row", *(f"{goal.name}, {goal.unit or '1'}" for goal in goals), "verdict", "point")
    return Table(
        head,
        tuple(
            (
                row_label(row),
                *(row[goal.column] for goal in goals),
                row.get("verdict"),
                state.point_name(row),
            )
            for row in records(rows.astype(object))
        ),
    )


def _detail(store: data.Opened, frame: pd.DataFrame) -> None:
    st.subheader("A point in detail")
    name = state.text(
        "Point (click one above, or write the beginning of its point_id)", state.POINT, max_chars=80
    )
    if not name:
        return
    whole = data.rows(store)
    places = detail.places_of(whole, name)
    if not places:
        charts.say(f"No row of the store has a point_id that begins with {name!r}.")
        return
    if len(places) > 1:
        charts.say(f"{len(places)} rows begin so; this is the first.")
    if places[0] not in set(frame["place"]):
        st.caption("The sidebar leaves it out of the chart above.")
    detail.show(store, whole, places[0], "front-detail")


page()
