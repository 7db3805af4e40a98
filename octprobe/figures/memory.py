"""Memory against alpha: the measured peak beside the closed form of the feature maps."""

from typing import NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from octprobe.figures.look import NEUTRAL, Kind, empty, figure, symbol
from octprobe.figures.rows import conditions_of, lines_of, row_labels, with_anchors
from octprobe.figures.scatter import add_series
from octprobe.figures.shapes import Heading, Point, Series, Table
from octprobe.figures.text import hover
from octprobe.units import show_bytes, show_number

_PEAK = "peak_memory_allocator_bytes"
# The paper's table 1 (arXiv 1904.05049): a value of alpha a holds 1 - 3/4 a of the plain value's numbers.
_SAVED_AT_ALPHA_1 = 0.75
_PREDICTED_AT = (0.0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1.0)


class MemoryInfo(NamedTuple):
    """Points of alpha and the peak in percent of vanilla's, a call; `predicted` is the closed form."""

    heading: Heading
    series: tuple[Series, ...]
    peak_bytes: tuple[tuple[int, ...], ...]
    predicted: Series


def info(frame: pd.DataFrame) -> MemoryInfo:
    """Set each row's peak over its vanilla row's, and the closed form beside it.

    Args:
        frame: rows as `octprobe.load` gives them.
    """
    rows = with_anchors(frame, (_PEAK,))
    rows["peak_percent"] = 100 * rows[_PEAK] / rows[f"anchor_{_PEAK}"].replace(0, np.nan)
    lines = lines_of(rows, {"peak_percent": "a measured peak beside vanilla's", "alpha_number": "one alpha"})
    series = tuple(Series(line.name, _points(line.rows)) for line in lines.lines)
    peaks = tuple(tuple(int(peak) for peak in line.rows[_PEAK]) for line in lines.lines)
    reason = None if series else "no octave row of one alpha has a measured peak beside its vanilla row's"
    heading = Heading("Memory against alpha", conditions_of(frame), lines.notes, reason)
    return MemoryInfo(heading, series, peaks, _closed_form())


def plot(info: MemoryInfo) -> go.Figure:
    """Draw the peak's share of vanilla's over alpha, the closed form as a predicted line."""
    heading = info.heading
    if heading.reason:
        return empty(heading.title, heading.conditions, heading.reason)
    drawn = figure(heading.title, heading.conditions)
    drawn.add_trace(
        go.Scatter(
            name=info.predicted.name,
            mode="lines+markers",
            x=[point.x for point in info.predicted.points],
            y=[point.y for point in info.predicted.points],
            line={"color": NEUTRAL, "dash": "dot", "width": 1.5},
            marker={"color": NEUTRAL, "symbol": symbol(0, Kind.PREDICTED), "size": 9},
            hovertext=[f"predicted: {show_number(point.y)} % of vanilla" for point in info.predicted.points],
            hoverinfo="text",
        )
    )
    peaks = {
        (one.name, point): peak
        for one, found in zip(info.series, info.peak_bytes, strict=True)
        for point, peak in zip(one.points, found, strict=True)
    }
    add_series(drawn, info.series, lambda one, point: _told(one, point, peaks[one.name, point]))
    drawn.update_xaxes(title_text="alpha (share of low channels)", range=[-0.02, 1.02])
    drawn.update_yaxes(title_text="peak memory of a call, % of vanilla", rangemode="tozero")
    return drawn


def table(info: MemoryInfo) -> Table:
    """Give the measured points as rows, the closed form's share beside each."""
    head = ("series", "row", "alpha", "peak, bytes", "peak, % of vanilla", "closed form, % of vanilla")
    return Table(
        head,
        tuple(
            (one.name, point.label, point.x, peak, point.y, _predicted_percent(point.x))
            for one, peaks in zip(info.series, info.peak_bytes, strict=True)
            for point, peak in zip(one.points, peaks, strict=True)
        ),
    )


def _closed_form() -> Series:
    points = [Point(f"alpha {alpha:g}", alpha, _predicted_percent(alpha)) for alpha in _PREDICTED_AT]
    return Series("predicted: feature maps, 1 − ¾ alpha", tuple(points))


def _predicted_percent(alpha: float) -> float:
    return 100 * (1 - _SAVED_AT_ALPHA_1 * alpha)


def _points(rows: pd.DataFrame) -> tuple[Point, ...]:
    figures = rows[["alpha_number", "peak_percent"]].to_numpy(dtype=float)
    return tuple(
        Point(label, float(alpha), float(percent))
        for label, (alpha, percent) in zip(row_labels(rows), figures, strict=True)
    )


def _told(one: Series, point: Point, peak_bytes: int) -> str:
    return hover(
        f"{one.name}: {point.label}",
        f"{show_bytes(peak_bytes)} at the peak of a call, {show_number(point.y)} % of vanilla",
        f"predicted for feature maps: {show_number(_predicted_percent(point.x))} %",
        "n = 1 reading, the allocator's",
    )
