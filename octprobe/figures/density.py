"""How many points of a cloud lie where: counts over a grid, where single points would cover one another."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from octprobe.figures.look import NEUTRAL

Floats = npt.NDArray[np.float64]

_COLUMNS, _ROWS = 80, 50


class Density(NamedTuple):
    """Counts of points over a grid.

    Attributes:
        x: middles of the grid's columns.
        y: middles of its rows.
        counts: points by row and column.
    """

    x: tuple[float, ...]
    y: tuple[float, ...]
    counts: tuple[tuple[int, ...], ...]


def density_of(clouds: Sequence[tuple[Floats, Floats]]) -> Density:
    """Count the points of all clouds, (x, y) each, at least one, over a grid that holds them all."""
    xs, ys = (np.concatenate([cloud[axis] for cloud in clouds]) for axis in (0, 1))
    counts, x_edges, y_edges = np.histogram2d(xs, ys, bins=(_COLUMNS, _ROWS))
    return Density(
        tuple((x_edges[:-1] + x_edges[1:]) / 2),
        tuple((y_edges[:-1] + y_edges[1:]) / 2),
        tuple(map(tuple, counts.T.astype(int).tolist())),
    )


def heat(density: Density) -> go.Heatmap:
    """Draw counts as shades, by their logarithm; a place without points stays empty."""
    return go.Heatmap(
        x=density.x,
        y=density.y,
        z=[[None if not count else float(np.log10(count)) for count in row] for row in density.counts],
        customdata=[list(row) for row in density.counts],
        hovertemplate="%{customdata} points<extra></extra>",
        colorscale=[[0, _faded(0.10)], [1, _faded(0.55)]],
        showscale=False,
        zmin=0,
    )


def _faded(opacity: float) -> str:
    red, green, blue = (int(NEUTRAL[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity:g})"
