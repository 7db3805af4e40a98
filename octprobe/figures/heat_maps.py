"""Heat maps under one another on one scale of colours, each cell with its figure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from octprobe.figures.look import DIVERGING, empty, figure
from octprobe.figures.shapes import Heading

_CELL_PX = 26
_TITLE_PX = 84
_FOOT_PX = 100


@dataclass(frozen=True)
class Shade:
    """A cell: its place on the scale of colours, the figure written in it, and what the pointer is told."""

    value: float
    text: str
    told: str


@dataclass(frozen=True)
class Grid:
    """A map: the names of its columns and rows, and its cells by (row, column); one may be absent."""

    title: str
    columns: Sequence[str]
    rows: Sequence[str]
    cells: Mapping[tuple[str, str], Shade]


@dataclass(frozen=True)
class Scale:
    """What colours mean: from `-end` in orange to `end` in blue, with ticks where they say something."""

    title: str
    end: float
    ticks: Mapping[float, str]


def stacked(heading: Heading, grids: Sequence[Grid], scale: Scale, columns: str, rows: str) -> go.Figure:
    """Draw maps under one another.

    Args:
        heading: what stands above; with a reason there is nothing to draw.
        grids: the maps, from above.
        scale: what the colours mean, the same for all.
        columns: title of the axis below.
        rows: title of the axis at the left.
    """
    if heading.reason:
        return empty(heading.title, heading.conditions, heading.reason)
    heights = [len(grid.rows) * _CELL_PX + _TITLE_PX for grid in grids]
    height = sum(heights) + _FOOT_PX
    drawn = make_subplots(
        rows=len(grids),
        cols=1,
        row_heights=heights,
        subplot_titles=[grid.title for grid in grids],
        vertical_spacing=_TITLE_PX / height if len(grids) > 1 else 0.0,
    )
    drawn.update_layout(figure(heading.title, heading.conditions, height=height).layout)
    drawn.update_annotations(x=0, xanchor="left", font={"size": 12})
    for place, grid in enumerate(grids, 1):
        drawn.add_trace(_heat(grid), row=place, col=1)
    drawn.update_xaxes(title_text=columns, title_standoff=2, type="category")
    drawn.update_yaxes(title_text=rows, type="category")
    drawn.update_layout(coloraxis=_axis(scale))
    return drawn


def _heat(grid: Grid) -> go.Heatmap:
    cells = [[grid.cells.get((row, column)) for column in grid.columns] for row in grid.rows]
    return go.Heatmap(
        x=list(grid.columns),
        y=list(grid.rows),
        z=[[None if cell is None else cell.value for cell in row] for row in cells],
        text=[["" if cell is None else cell.text for cell in row] for row in cells],
        texttemplate="%{text}",
        hovertext=[["" if cell is None else cell.told for cell in row] for row in cells],
        hoverinfo="text",
        coloraxis="coloraxis",
        xgap=1,
        ygap=1,
    )


def _axis(scale: Scale) -> dict[str, Any]:
    return {
        "colorscale": [list(stop) for stop in DIVERGING],
        "cmin": -scale.end,
        "cmax": scale.end,
        "colorbar": {
            "title": {"text": scale.title, "side": "top"},
            "orientation": "h",
            "y": 0,
            "yref": "container",
            "yanchor": "bottom",
            "thickness": 12,
            "tickvals": list(scale.ticks),
            "ticktext": list(scale.ticks.values()),
        },
    }
