"""A report as one HTML file that opens from disk and asks nobody for anything."""

import json
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2
from plotly.offline import get_plotlyjs

from octprobe import __version__
from octprobe.figures.look import template
from octprobe.figures.shapes import Cell
from octprobe.figures.text import inert
from octprobe.report.contents import MOST_FAILURES, Contents, Read, read_contents
from octprobe.report.csv import csv_uri
from octprobe.report.drawn import Drawn, drawn_figures
from octprobe.report.tables import shown, summary_tables

_PAGE = "page.html"
# What mail and issue trackers still take.
MOST_BYTES = 6_000_000
# So many rows a table, or fewer where the page would grow too large; its CSV ends there too, and it is said.
MOST_TABLE_ROWS = (300, 100, 30)
# The title of the first of several pictures stands in the margin above it.
_TOP_PX, _FACETS_TOP_PX = 20, 36


def html_report(store: str | Path) -> str:
    """Write a store's report as a page.

    Raises:
        StoreError: there is no store, it was written by a newer octprobe, or it holds no rows.
    """
    return page(read_contents(store))


def page(read: Read) -> str:
    """Write a page that holds plotly.js, every figure and every table."""
    drawn = drawn_figures(read.frame, read.accuracies)
    pages = (_page(read.contents, drawn, rows) for rows in MOST_TABLE_ROWS)
    return next((page for page in pages if len(page.encode()) < MOST_BYTES), None) or _page(
        read.contents, drawn, MOST_TABLE_ROWS[-1]
    )


def _page(contents: Contents, drawn: Sequence[Drawn], most_rows: int) -> str:
    verdicts, break_even = summary_tables(contents)
    return (
        _environment()
        .get_template(_PAGE)
        .render(
            contents=contents,
            verdicts=verdicts,
            break_even=break_even,
            figures=drawn,
            figures_json=_script_json({one.name: _spec(one) for one in drawn}),
            templates_json=_script_json({name: _template(name) for name in ("light", "dark")}),
            plotly_js=get_plotlyjs(),
            most_failures=MOST_FAILURES,
            most_rows=most_rows,
            version=__version__,
        )
    )


def _environment() -> jinja2.Environment:
    source = files("octprobe.report").joinpath(_PAGE).read_text(encoding="utf-8")
    environment = jinja2.Environment(
        loader=jinja2.DictLoader({_PAGE: source}),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"cell": _cell, "inert": inert, "csv_uri": csv_uri}
    environment.tests["figures"] = _is_figures
    return environment


def _spec(one: Drawn) -> dict[str, Any]:
    """Give a figure as the page draws it: the title stands above it as text that wraps, the looks apart."""
    spec: dict[str, Any] = json.loads(one.figure.to_json())
    layout = spec["layout"]
    del layout["template"], layout["title"]
    named = [trace for trace in spec["data"] if trace.get("name") and trace.get("showlegend", True)]
    entries = len(named) if layout.get("showlegend", True) and len(spec["data"]) > 1 else 0
    top = _FACETS_TOP_PX if "annotations" in layout else _TOP_PX
    return {"data": spec["data"], "layout": layout, "entries": entries, "top": top}


def _template(scheme: str) -> dict[str, Any]:
    found: dict[str, Any] = template(scheme).to_plotly_json()
    return found


def _script_json(value: Any) -> str:
    """Give JSON that a script element can hold: nothing in it can end the element."""
    text = json.dumps(value, allow_nan=False, sort_keys=True, separators=(",", ":"))
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text


def _cell(value: Cell) -> str:
    return inert(shown(value))


def _is_figures(value: Cell) -> bool:
    """Say whether a cell stands to the right."""
    return isinstance(value, int | float)
