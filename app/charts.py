"""Figures and tables on a page: what a store says is shown as text, and every chart has its table."""

from collections.abc import Callable, Iterable, Sequence
from types import ModuleType
from typing import Any, NamedTuple

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from octprobe.figures.look import template
from octprobe.figures.shapes import Heading, Table
from octprobe.figures.text import inert

_CONFIG = {"displaylogo": False, "responsive": True}
# The heading stands above the chart as text that wraps; small pictures keep room for their own titles.
_TOP_PX, _FACETS_TOP_PX = 24, 48


class Drawn(NamedTuple):
    """A figure with its heading and its table."""

    heading: Heading
    figure: go.Figure
    table: Table


def drawn(module: ModuleType, info: Any) -> Drawn:
    """Draw what a module of `octprobe.figures` has gathered."""
    return Drawn(info.heading, module.plot(info), module.table(info))


def show(one: Drawn, key: str, on_select: Callable[[], None] | None = None) -> None:
    """Show a figure under its heading, and its table; `on_select` is called when points are chosen."""
    heading = one.heading
    st.subheader(heading.title)
    say(heading.conditions)
    if heading.reason:
        say(f"Nothing to draw: {heading.reason}.")
        return
    figure = go.Figure(one.figure)
    top = _FACETS_TOP_PX if figure.layout.annotations else _TOP_PX
    figure.update_layout(template=template(scheme()), title=None, margin_t=top)
    more: dict[str, Any] = {} if on_select is None else {"on_select": on_select}
    st.plotly_chart(figure, theme=None, key=key, config=_CONFIG, alt=heading.title, **more)
    for note in heading.notes:
        say(note)
    with st.expander(f"{heading.title}: the table"):
        show_table(one.table, heading.title)


def show_table(table: Table, name: str, **more: Any) -> Any:
    """Show a table of figures; its units are in the headings."""
    return show_frame(frame_of(table), name, **more)


def show_frame(frame: pd.DataFrame, name: str, **more: Any) -> Any:
    """Show a frame whose texts are text."""
    return st.dataframe(frame, hide_index=True, alt=name, **more)


def frame_of(table: Table) -> pd.DataFrame:
    """Give a table as a frame; a column that holds text beside figures becomes text."""
    columns = list(zip(*table.rows, strict=True)) or [()] * len(table.head)
    return pd.DataFrame({name: _of_one_type(cells) for name, cells in zip(table.head, columns, strict=True)})


def say(*lines: str) -> None:
    """Show lines that may quote a store: never as markup."""
    for line in lines:
        if line:
            st.text(inert(line))


def say_log(text: str) -> None:
    """Show lines of a log as they are."""
    st.code("\n".join(map(inert, text.splitlines())), language=None, wrap_lines=True)


def command(*words: str) -> None:
    """Show a command to copy."""
    st.code(" ".join(map(inert, words)), language="bash", wrap_lines=True)


def scheme() -> str:
    """Say whether the page is light or dark."""
    try:
        kind = st.context.theme.type
    except Exception:  # outside a browser there is none
        return "light"
    return "dark" if kind == "dark" else "light"


def bullets(lines: Iterable[str]) -> None:
    """Show lines under one another."""
    say(*(f"• {line}" for line in lines))


def _of_one_type(cells: Sequence[Any]) -> list[Any]:
    if any(isinstance(cell, str) for cell in cells):
        return [None if cell is None else inert(cell) for cell in cells]
    return list(cells)
