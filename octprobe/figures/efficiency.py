"""Latency against MACs: where time stays above the line through vanilla, saved work did not become time."""

from typing import NamedTuple

import pandas as pd
import plotly.graph_objects as go

from octprobe.figures.look import NEUTRAL, colour, empty, figure
from octprobe.figures.rows import conditions_of, ends_of, lines_of, measured_rows, row_labels
from octprobe.figures.scatter import add_series, reference_line
from octprobe.figures.shapes import (
    Heading,
    Point,
    Series,
    Table,
    point_cells,
    shown_count,
    shown_interval,
    whole,
)
from octprobe.figures.text import hover
from octprobe.units import show_macs

_COLUMNS = ("macs", "latency_ms_median", "latency_ms_ci_low", "latency_ms_ci_high", "latency_samples")
# Beyond this ratio of the largest to the smallest, linear axes press most points into a corner.
_LOG_FROM = 30.0


class IsoEfficiency(NamedTuple):
    """Time in proportion to MACs through a vanilla point: what saved work would give, were it all time."""

    name: str
    macs: tuple[float, float]
    latency_ms: tuple[float, float]


class EfficiencyInfo(NamedTuple):
    """Points of MACs an item and milliseconds a call; `iso` has a line a series that has its vanilla row."""

    heading: Heading
    series: tuple[Series, ...]
    iso: tuple[IsoEfficiency | None, ...]
    is_log: bool


def info(frame: pd.DataFrame) -> EfficiencyInfo:
    """Gather latency and MACs of the measured rows.

    Args:
        frame: rows as `octprobe.load` gives them.
    """
    needed = {"macs": "a count of MACs", "latency_ms_median": "a latency"}
    lines = lines_of(measured_rows(frame, _COLUMNS), needed)
    series = tuple(Series(line.name, _points(line.rows)) for line in lines.lines)
    reason = None if series else "no octave row has both a latency and a count of MACs"
    heading = Heading("Latency against MACs", conditions_of(frame), lines.notes, reason)
    iso = tuple(_iso(line.name, line.rows) for line in lines.lines)
    return EfficiencyInfo(heading, series, iso, _is_wide(series))


def plot(info: EfficiencyInfo) -> go.Figure:
    """Draw latency over MACs, a dotted line of constant time a MAC through each vanilla point."""
    heading = info.heading
    if heading.reason:
        return empty(heading.title, heading.conditions, heading.reason)
    drawn = figure(heading.title, heading.conditions)
    add_series(drawn, info.series, _told)
    lines = [(place, iso) for place, iso in enumerate(info.iso) if iso is not None]
    for place, iso in lines:
        drawn.add_trace(reference_line(iso.name, iso.macs, iso.latency_ms, colour(place), showlegend=False))
    if lines:
        drawn.add_trace(
            reference_line("time in proportion to MACs, through vanilla", [None], [None], NEUTRAL)
        )
    kind = "log" if info.is_log else "linear"
    drawn.update_xaxes(title_text="MACs an item", type=kind, tickformat="~s")
    drawn.update_yaxes(title_text="latency, ms/call (median, 95 % CI)", type=kind)
    if info.is_log:
        # Ticks at 1, 2 and 5 times each power of ten: all nine would cover one another.
        drawn.update_xaxes(dtick="D2")
        drawn.update_yaxes(dtick="D2", tickformat="~g")
    else:
        drawn.update_layout(xaxis_rangemode="tozero", yaxis_rangemode="tozero")
    return drawn


def table(info: EfficiencyInfo) -> Table:
    """Give the points as rows."""
    head = ("series", "row", "MACs/item", "latency, ms/call", "CI low", "CI high", "samples")
    return Table(head, tuple(point_cells(one, point) for one in info.series for point in one.points))


def _points(rows: pd.DataFrame) -> tuple[Point, ...]:
    figures = rows[list(_COLUMNS)].itertuples(index=False)
    return tuple(
        Point(label, float(macs), float(median), None, ends_of(low, high), whole(count))
        for label, (macs, median, low, high, count) in zip(row_labels(rows), figures, strict=True)
    )


def _iso(name: str, rows: pd.DataFrame) -> IsoEfficiency | None:
    first = rows.iloc[0]
    if not first["is_anchor"] or not first["macs"]:
        return None
    least = float(rows["macs"].min())
    slope = float(first["latency_ms_median"]) / float(first["macs"])
    macs = (least, float(rows["macs"].max()))
    return IsoEfficiency(name, macs, (macs[0] * slope, macs[1] * slope))


def _is_wide(series: tuple[Series, ...]) -> bool:
    points = [point for one in series for point in one.points]
    return any(
        min(values) > 0 and max(values) / min(values) > _LOG_FROM
        for values in ([point.x for point in points], [point.y for point in points])
        if values
    ) and all(point.x > 0 and point.y > 0 for point in points)


def _told(one: Series, point: Point) -> str:
    return hover(
        f"{one.name}: {point.label}",
        shown_interval(point.y, point.y_ends, "ms/call"),
        f"{show_macs(point.x)}/item",
        shown_count(point.n, "sample"),
    )
