"""Where a call's time goes: device time by octave path, a bar a row, vanilla's first."""

import math
from collections.abc import Hashable, Mapping
from typing import Any, NamedTuple

import pandas as pd
import plotly.graph_objects as go

from octprobe.figures.facets import MOST_FACETS, stacked
from octprobe.figures.look import COLOURS, NEUTRAL, empty
from octprobe.figures.rows import Line, conditions_of, lines_of, measured_rows, row_labels, thinned
from octprobe.figures.shapes import Heading, Table
from octprobe.figures.text import escaped, hover, shortened
from octprobe.store.records import PATHS, Status
from octprobe.units import show_number

_TIMES = tuple(f"device_time_ms_{path}" for path in PATHS)
_WHOLE = "device_time_ms"
_MOST_ROWS = 8
_MOST_REASON = 48
# Neutral, so faint that text can be read on it.
_FAINT = "rgba(138, 138, 138, 0.3)"
_BLUE, _VERMILLION, _GREEN, _PURPLE, _ORANGE, _SKY = COLOURS
# Convolutions are plain areas, what octave adds between them and other glue is hatched.
_LOOKS = {
    "h2h": (_BLUE, ""),
    "h2l": (_SKY, ""),
    "l2h": (_ORANGE, ""),
    "l2l": (_VERMILLION, ""),
    "plain": (NEUTRAL, ""),
    "pool": (_SKY, "/"),
    "upsample": (_ORANGE, "\\"),
    "norm": (_GREEN, "."),
    "add": (_PURPLE, "x"),
    "other": (NEUTRAL, "-"),
    "backward": (_GREEN, "|"),
}
_NAMES = {
    "h2h": "high to high",
    "h2l": "high to low",
    "l2h": "low to high",
    "l2l": "low to low",
    "plain": "plain layers",
    "pool": "pooling",
    "upsample": "up-sampling",
}


class RowTimes(NamedTuple):
    """One row's device time, ms a call; where `by_path` is empty, `reason` says why."""

    label: str
    by_path: dict[str, float]
    whole_ms: float | None
    reason: str | None


class Facet(NamedTuple):
    """The rows of one group."""

    name: str
    rows: tuple[RowTimes, ...]


class PathsInfo(NamedTuple):
    """The groups with the most rows."""

    heading: Heading
    facets: tuple[Facet, ...]


def info(frame: pd.DataFrame) -> PathsInfo:
    """Gather device time by path.

    Args:
        frame: rows as `octprobe.load` gives them.
    """
    rows = measured_rows(frame, (_WHOLE, *_TIMES))
    measured = frame[(frame["status"] == Status.MEASURED).to_numpy()]
    rows["why"] = list(measured["breakdown_reason"]) if "breakdown_reason" in frame else None
    lines = lines_of(rows, {}, MOST_FACETS)
    facets = tuple(_facet(line) for line in lines.lines)
    known = any(row.by_path or row.whole_ms is not None for facet in facets for row in facet.rows)
    heading = Heading("Device time by octave path", conditions_of(frame), lines.notes)
    return PathsInfo(heading._replace(reason=None if known else _why_none(facets)), facets)


def plot(info: PathsInfo) -> go.Figure:
    """Draw stacked bars, a picture a group; a row without times by path says why."""
    heading = info.heading
    if heading.reason:
        return empty(heading.title, heading.conditions, heading.reason)
    drawn = stacked(heading, [(facet.name, len(facet.rows)) for facet in info.facets])
    for path in PATHS:
        _add_path(drawn, info, path)
    _add_unknown(drawn, info)
    for place, facet in enumerate(info.facets, 1):
        order = [_bar_name(row) for row in facet.rows]
        drawn.update_yaxes(categoryorder="array", categoryarray=order, row=place)
    drawn.update_layout(barmode="stack", bargap=0.25)
    drawn.update_xaxes(title_text="device time, ms/call", title_standoff=2, rangemode="tozero")
    drawn.update_yaxes(title_text="alpha")
    return drawn


def table(info: PathsInfo) -> Table:
    """Give each row's times by path, and why it has none."""
    head = ("series", "row", *(f"{path}, ms/call" for path in PATHS), "whole, ms/call", "why not by path")
    return Table(
        head,
        tuple(
            (facet.name, row.label, *(row.by_path.get(path) for path in PATHS), row.whole_ms, row.reason)
            for facet in info.facets
            for row in facet.rows
        ),
    )


def _facet(line: Line) -> Facet:
    rows = line.rows.iloc[thinned(len(line.rows), _MOST_ROWS)]
    found = zip(row_labels(rows), rows.to_dict("records"), strict=True)
    return Facet(line.name, tuple(_row_times(label, row) for label, row in found))


def _row_times(label: str, row: Mapping[Hashable, Any]) -> RowTimes:
    by_path = {path: time for path in PATHS if (time := _time(row[f"device_time_ms_{path}"])) is not None}
    why = row["why"]
    return RowTimes(label, by_path, _time(row[_WHOLE]), None if by_path or not isinstance(why, str) else why)


def _time(value: object) -> float | None:
    return float(value) if isinstance(value, float) and not math.isnan(value) else None


def _add_path(drawn: go.Figure, info: PathsInfo, path: str) -> None:
    hue, pattern = _LOOKS[path]
    is_named = False
    for place, facet in enumerate(info.facets, 1):
        rows = [row for row in facet.rows if path in row.by_path]
        if rows:
            bar = _bars(_NAMES.get(path, path), rows, [row.by_path[path] for row in rows], hue, pattern)
            bar.update(legendgroup=path, showlegend=not is_named)
            drawn.add_trace(bar, row=place, col=1)
            is_named = True


def _add_unknown(drawn: go.Figure, info: PathsInfo) -> None:
    """Draw the whole where the parts are not known, and say why they are not."""
    is_named = False
    for place, facet in enumerate(info.facets, 1):
        rows = [row for row in facet.rows if not row.by_path]
        if rows:
            bar = _bars("not known by path", rows, [row.whole_ms or 0.0 for row in rows], _FAINT, "")
            bar.update(legendgroup="unknown", showlegend=not is_named)
            drawn.add_trace(bar, row=place, col=1)
            drawn.add_trace(_reasons(rows), row=place, col=1)
            is_named = True


def _reasons(rows: list[RowTimes]) -> go.Scatter:
    return go.Scatter(
        mode="text",
        x=[0] * len(rows),
        y=[_bar_name(row) for row in rows],
        text=[_reason(row) for row in rows],
        textposition="middle right",
        textfont={"size": 11},
        hoverinfo="skip",
        showlegend=False,
    )


def _reason(row: RowTimes) -> str:
    return escaped(shortened(f"not by path: {row.reason or 'no breakdown was measured'}", _MOST_REASON))


def _bars(name: str, rows: list[RowTimes], times_ms: list[float], hue: str, pattern: str) -> go.Bar:
    return go.Bar(
        name=name,
        orientation="h",
        y=[_bar_name(row) for row in rows],
        x=times_ms,
        marker={
            "color": hue,
            "line": {"width": 0},
            "pattern": {"shape": pattern, "size": 5},
        },
        hovertext=[
            hover(row.label, f"{name}: {_share(time, row)}", "n = 1 profiled pass")
            for row, time in zip(rows, times_ms, strict=True)
        ],
        hoverinfo="text",
    )


def _bar_name(row: RowTimes) -> str:
    return escaped(row.label.removeprefix("alpha "))


def _share(time_ms: float, row: RowTimes) -> str:
    whole = sum(row.by_path.values())
    share = f", {100 * time_ms / whole:.0f} % of the row's" if whole else ""
    return f"{show_number(time_ms)} ms/call{share}"


def _why_none(facets: tuple[Facet, ...]) -> str:
    reasons = dict.fromkeys(row.reason for facet in facets for row in facet.rows if row.reason)
    return next(iter(reasons), "no octave row has a breakdown")
