"""Where a network can spare resolution: top-1 lost when one alpha group alone goes to each alpha."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from octprobe.figures.look import DIVERGING, empty, figure
from octprobe.figures.shapes import Ends, Heading, Table, interval_cells, shown_count, shown_interval
from octprobe.figures.text import escaped, hover, shortened
from octprobe.store.sensitivity import Sensitivity

_TITLE = "Top-1 lost by one alpha group alone, everything else at alpha 0"
_MOST_MAPS = 8
_CELL_PX = 26
_TITLE_PX = 84
# Colours of less than this many points would show the noise of 5,000 images.
_LEAST_SCALE_POINTS = 1.0
_PERCENT = 100


class Cell(NamedTuple):
    """A group at an alpha: points of top-1 lost, `ends` of the 95 % interval, share of MACs saved."""

    group: str
    alpha: float
    lost_points: float
    ends: Ends | None
    saved_percent: float
    images: int
    seeds: int


class Map(NamedTuple):
    """The groups of one network as one recipe trained it, in the order of the network; alphas ascending."""

    name: str
    groups: tuple[str, ...]
    alphas: tuple[float, ...]
    cells: tuple[Cell, ...]


class SensitivityInfo(NamedTuple):
    """A map for each network, data set and recipe."""

    heading: Heading
    maps: tuple[Map, ...]


def info(rows: Sequence[Sensitivity]) -> SensitivityInfo:
    """Gather what groups cost, over the seeds of a training.

    Args:
        rows: as `octprobe.store.sensitivities.read_sensitivities` gives them.
    """
    if not rows:
        return SensitivityInfo(Heading(_TITLE, "", (), "no sensitivity of an elastic network is stored"), ())
    kinds: dict[tuple[str, ...], list[Sensitivity]] = {}
    for row in rows:
        kinds.setdefault((row.network, row.dataset, row.split, row.recipe_digest), []).append(row)
    maps = tuple(_map(found) for found in kinds.values())
    conditions = " / ".join(dict.fromkeys(f"{row.dataset}, {row.split}" for row in rows))
    notes = (f"{_MOST_MAPS} of {len(maps)} maps are drawn",) if len(maps) > _MOST_MAPS else ()
    return SensitivityInfo(Heading(_TITLE, conditions, notes), maps[:_MOST_MAPS])


def plot(info: SensitivityInfo) -> go.Figure:
    """Draw a heat map for each network and recipe, under one another; orange costs, blue gains."""
    heading = info.heading
    if heading.reason:
        return empty(heading.title, heading.conditions, heading.reason)
    heights = [len(one.groups) * _CELL_PX + _TITLE_PX for one in info.maps]
    height = sum(heights) + 100
    drawn = make_subplots(
        rows=len(info.maps),
        cols=1,
        row_heights=heights,
        subplot_titles=[escaped(one.name) for one in info.maps],
        vertical_spacing=_TITLE_PX / height if len(info.maps) > 1 else 0.0,
    )
    drawn.update_layout(figure(heading.title, heading.conditions, height=height).layout)
    drawn.update_annotations(x=0, xanchor="left", font={"size": 12})
    for place, one in enumerate(info.maps, 1):
        drawn.add_trace(_heat(one), row=place, col=1)
    drawn.update_xaxes(title_text="alpha of the group", title_standoff=2, type="category")
    # The first group of the network stands on top.
    drawn.update_yaxes(title_text="alpha group", type="category", autorange="reversed")
    drawn.update_layout(coloraxis=_scale([cell for one in info.maps for cell in one.cells]))
    return drawn


def table(info: SensitivityInfo) -> Table:
    """Give each cell as a row."""
    head = ("network", "group", "alpha", "top-1 lost, points", "CI low", "CI high", "MACs saved, %", "seeds")
    return Table(
        head,
        tuple(
            (
                one.name,
                cell.group,
                cell.alpha,
                cell.lost_points,
                *interval_cells(cell.ends),
                cell.saved_percent,
                cell.seeds,
            )
            for one in info.maps
            for cell in one.cells
        ),
    )


def _map(rows: Sequence[Sensitivity]) -> Map:
    places: dict[tuple[int, float], list[Sensitivity]] = {}
    for row in sorted(rows, key=lambda row: (row.group_number, row.alpha)):
        places.setdefault((row.group_number, row.alpha), []).append(row)
    cells = tuple(map(_cell, places.values()))
    first = rows[0]
    return Map(
        name=f"{first.network}, {first.dataset}, recipe {first.recipe_digest}",
        groups=tuple(dict.fromkeys(cell.group for cell in cells)),
        alphas=tuple(sorted({cell.alpha for cell in cells})),
        cells=cells,
    )


def _cell(rows: Sequence[Sensitivity]) -> Cell:
    """Give a group at an alpha over all seeds: each seed's answers count alike."""
    first = rows[0]
    counted = ("images", "baseline_right", "newly_wrong", "newly_right")
    whole = replace(first, **{name: sum(getattr(row, name) for row in rows) for name in counted})
    lost = whole.lost_points
    return Cell(
        group=f"{first.group_number}: {', '.join(first.layers)}",
        alpha=first.alpha,
        lost_points=lost.median,
        ends=None if lost.low is None or lost.high is None else (lost.low, lost.high),
        saved_percent=(1 - first.macs / first.baseline_macs) * _PERCENT,
        images=whole.images,
        seeds=len({row.seed for row in rows}),
    )


def _heat(one: Map) -> go.Heatmap:
    cells = {(cell.group, cell.alpha): cell for cell in one.cells}
    grid = [[cells.get((group, alpha)) for alpha in one.alphas] for group in one.groups]
    return go.Heatmap(
        x=[f"{alpha:g}" for alpha in one.alphas],
        y=[escaped(shortened(group)) for group in one.groups],
        # Gains are blue, as the faster is elsewhere.
        z=[[None if cell is None else -cell.lost_points for cell in row] for row in grid],
        text=[["" if cell is None else f"{cell.lost_points:.2f}" for cell in row] for row in grid],
        texttemplate="%{text}",
        hovertext=[["" if cell is None else _told(one, cell) for cell in row] for row in grid],
        hoverinfo="text",
        coloraxis="coloraxis",
        xgap=1,
        ygap=1,
    )


def _scale(cells: Iterable[Cell]) -> dict[str, Any]:
    end = max(_LEAST_SCALE_POINTS, *(abs(cell.lost_points) for cell in cells))
    ticks = (-end, 0.0, end)
    return {
        "colorscale": [list(stop) for stop in DIVERGING],
        "cmin": -end,
        "cmax": end,
        "colorbar": {
            "title": {"text": "top-1 lost, points", "side": "top"},
            "orientation": "h",
            "y": 0,
            "yref": "container",
            "yanchor": "bottom",
            "thickness": 12,
            "tickvals": ticks,
            "ticktext": [f"{0 - tick:.1f}" for tick in ticks],
        },
    }


def _told(one: Map, cell: Cell) -> str:
    return hover(
        f"{one.name}: {cell.group} at alpha {cell.alpha:g}",
        shown_interval(cell.lost_points, cell.ends, "points of top-1 lost"),
        f"{cell.saved_percent:.1f} % of the network's MACs saved",
        f"{shown_count(cell.images, 'answer')} of {cell.seeds} {'seed' if cell.seeds == 1 else 'seeds'}",
    )
