"""A point in full: its figures, samples, time by path, environment, and the Python that builds it."""

from typing import Any

import charts
import data
import pandas as pd
import streamlit as st

from octprobe.explore.advice.build_lines import python_lines
from octprobe.explore.detail import facts_of, path_shares
from octprobe.explore.doubts import explained
from octprobe.explore.find import anchors_of
from octprobe.explore.groups import Record, is_anchor
from octprobe.explore.labels import row_label
from octprobe.explore.saving.reasons import why_slow
from octprobe.figures import distribution, paths
from octprobe.figures.shapes import Table
from octprobe.store.query import records
from octprobe.store.snapshot import Snapshot


def show(store: Snapshot, frame: pd.DataFrame, place: int, key: str) -> None:
    """Show a row of a frame, beside its vanilla row where that is known."""
    places = list(dict.fromkeys([*anchors_of(frame, place), place]))
    whole = data.whole_rows(store, places)
    *before, row = records(whole)
    charts.say(row_label(row))
    charts.show_table(_facts(row), "What the store holds of the point")
    charts.bullets(explained(doubt) for doubt in row.get("doubts") or ())
    _breakdown(row)
    charts.bullets(why_slow(row, before[0]) if before else ())
    for module in (distribution, paths):
        charts.show(charts.drawn(module, module.info(whole)), f"{key}-{module.__name__}")
    _python(row)


def path_table(row: Record) -> Table:
    """Set each octave path's MACs beside its time, both with their shares."""
    head = ("path", "MACs/item", "MACs, %", "device time, ms/call", "device time, %")
    return Table(
        head,
        tuple(
            (each.path, each.macs, _percent(each.macs_share), each.time_ms, _percent(each.time_share))
            for each in path_shares(row)
        ),
    )


def _facts(row: Record) -> Table:
    return Table(("what", "figures"), tuple((fact.name, fact.text) for fact in facts_of(row)))


def _breakdown(row: Record) -> None:
    table = path_table(row)
    if table.rows:
        st.subheader("MACs beside device time, by path")
        charts.show_table(table, "MACs beside device time, by octave path")


def _python(row: dict[str, Any]) -> None:
    st.subheader("The Python that builds it")
    lines = python_lines(row)
    if lines:
        st.code("\n".join(lines), language="python", wrap_lines=True)
    else:
        kind = "vanilla layer" if is_anchor(row) else "layer"
        st.caption(f"The row does not tell how to build it: lines are known for networks, not for a {kind}.")


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share
