"""Where a network can spare resolution: top-1 lost when one alpha group alone goes to each alpha."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

import plotly.graph_objects as go

from octprobe.figures.heat_maps import Grid, Scale, Shade, stacked
from octprobe.figures.shapes import Ends, Heading, Table, interval_cells, shown_count, shown_interval
from octprobe.figures.text import escaped, hover, shortened
from octprobe.store.sensitivity import Sensitivity

_TITLE = "Top-1 lost by one alpha group alone, everything else at alpha 0"
_MOST_MAPS = 8
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
    grids = [_grid(one) for one in info.maps]
    drawn = stacked(info.heading, grids, _scale(info.maps), "alpha of the group", "alpha group")
    # The first group of the network stands on top.
    return drawn.update_yaxes(autorange="reversed")


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


def _grid(one: Map) -> Grid:
    return Grid(
        escaped(one.name),
        columns=[f"{alpha:g}" for alpha in one.alphas],
        rows=[_row(group) for group in one.groups],
        cells={(_row(cell.group), f"{cell.alpha:g}"): _shade(one, cell) for cell in one.cells},
    )


def _row(group: str) -> str:
    return escaped(shortened(group))


def _shade(one: Map, cell: Cell) -> Shade:
    """Colour a cell: gains are blue, as the faster is elsewhere."""
    return Shade(-cell.lost_points, f"{cell.lost_points:.2f}", _told(one, cell))


def _scale(maps: Iterable[Map]) -> Scale:
    end = max([_LEAST_SCALE_POINTS, *(abs(cell.lost_points) for one in maps for cell in one.cells)])
    return Scale("top-1 lost, points", end, {tick: f"{0 - tick:.1f}" for tick in (-end, 0.0, end)})


def _told(one: Map, cell: Cell) -> str:
    return hover(
        f"{one.name}: {cell.group} at alpha {cell.alpha:g}",
        shown_interval(cell.lost_points, cell.ends, "points of top-1 lost"),
        f"{cell.saved_percent:.1f} % of the network's MACs saved",
        f"{shown_count(cell.images, 'answer')} of {cell.seeds} {'seed' if cell.seeds == 1 else 'seeds'}",
    )
