"""Series of points with their intervals, as the figures over two axes draw them."""

from collections.abc import Callable, Sequence
from typing import Any

import plotly.graph_objects as go

from octprobe.figures.look import Kind, colour, dash, error_bar, symbol, wrapped
from octprobe.figures.shapes import Point, Series
from octprobe.figures.text import escaped


def add_series(
    figure: go.Figure,
    series: Sequence[Series],
    told: Callable[[Series, Point], str],
    *,
    kind: Kind = Kind.MEASURED,
    mode: str = "lines+markers",
) -> None:
    """Draw measured series, each in its colour, shape and dash; hovering tells a point in words.

    Args:
        figure: where to.
        series: what to draw.
        told: a point's hover text, escaped.
        kind: where the figures are from.
        mode: plotly's words for lines, markers or both.
    """
    for place, one in enumerate(series):
        figure.add_trace(
            go.Scatter(
                name=wrapped(one.name),
                mode=mode,
                x=[point.x for point in one.points],
                y=[point.y for point in one.points],
                hovertext=[told(one, point) for point in one.points],
                hoverinfo="text",
                line={"color": colour(place), "dash": dash(place), "width": 1.5},
                marker={"color": colour(place), "symbol": symbol(place, kind), "size": 9},
                **bars(one.points, colour(place)),
            )
        )


def bars(points: Sequence[Point], hue: str) -> dict[str, Any]:
    """Give the error bars of points along each axis that has intervals."""
    found: dict[str, Any] = {}
    for axis in ("x", "y"):
        ends = [getattr(point, f"{axis}_ends") for point in points]
        if any(end is not None for end in ends):
            found[f"error_{axis}"] = error_bar([getattr(point, axis) for point in points], ends, hue)
    return found


def reference_line(
    name: str, xs: Sequence[float | None], ys: Sequence[float | None], hue: str, **more: Any
) -> go.Scatter:
    """Give a dotted line that nothing was measured on."""
    return go.Scatter(
        name=escaped(name),
        mode="lines",
        x=list(xs),
        y=list(ys),
        line={"color": hue, "dash": "dot", "width": 1.2},
        hoverinfo="skip",
        **more,
    )
