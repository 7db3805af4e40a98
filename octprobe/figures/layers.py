"""Where one octave layer is faster: speed-up over channels and resolution, a map an alpha and stride."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from octprobe.explore.advice.arrays import Flags
from octprobe.explore.axes import CONDITION_AXES, FORM_AXES, VARIANT_AXES
from octprobe.explore.dominance.parting import part_numbers
from octprobe.figures.heat_maps import Grid, Scale, Shade, stacked
from octprobe.figures.rows import conditions_of, ends_of, measured_rows
from octprobe.figures.shapes import Ends, Heading, Table, interval_cells, shown_count, shown_interval, whole
from octprobe.figures.text import escaped, hover

_COLUMNS = ("time_ratio_median", "time_ratio_ci_low", "time_ratio_ci_high", "pairs")
# Everything but the shape, alpha and resolution: a map holds under one combination.
_AXES = (*CONDITION_AXES, *FORM_AXES, *VARIANT_AXES)
_CONDITIONS = ["env_id", *(name for name in _AXES if name != "resolution")]
_MOST_MAPS = 8
_MOST_SHAPES = 30
# The colours end where time is halved or doubled; the figure in the cell says what lies beyond.
_MOST_SPEEDUP = 2.0
_TICKS = (0.5, 0.7, 1.0, 1.4, 2.0)


class Cell(NamedTuple):
    """A layer's speed-up, vanilla's time over its own; `ends` are those of the 95 % interval."""

    shape: str
    resolution: int
    speedup: float
    ends: Ends | None
    pairs: int | None
    verdict: str | None


class Map(NamedTuple):
    """The layers of one alpha and stride; shapes from few channels to many, resolutions ascending."""

    alpha: float
    stride: int
    shapes: tuple[str, ...]
    resolutions: tuple[int, ...]
    cells: tuple[Cell, ...]

    @property
    def name(self) -> str:
        """Name the map."""
        return f"alpha {self.alpha:g}, stride {self.stride}"


class LayersInfo(NamedTuple):
    """Maps under one combination of the other conditions."""

    heading: Heading
    maps: tuple[Map, ...]


def info(frame: pd.DataFrame) -> LayersInfo:
    """Gather the speed-ups of layers under the combination of conditions that has the most rows.

    Args:
        frame: rows as `octprobe.load` gives them.
    """
    title = "Speed-up of a layer over channels and resolution"
    rows = _layers(frame)
    if rows.empty:
        reason = "no single layer was measured beside its vanilla form"
        return LayersInfo(Heading(title, conditions_of(frame), (), reason), ())
    counts = np.bincount(places := part_numbers(rows, _CONDITIONS))
    chosen = rows[places == counts.argmax()]
    keys = ["alpha_number", "stride"]
    maps = [_map(found) for _, found in chosen.sort_values(keys, kind="stable").groupby(keys)]
    notes = [*_left_out(frame, rows), *_cut(maps)]
    if len(counts) > 1:
        notes.append(f"1 of {len(counts)} combinations of conditions is drawn, the one of most layers")
    shown = tuple(_shown(one) for one in maps[:_MOST_MAPS])
    return LayersInfo(Heading(title, conditions_of(chosen), tuple(notes)), shown)


def _left_out(frame: pd.DataFrame, rows: pd.DataFrame) -> list[str]:
    """Say how many layers have no place in a map: their two alphas differ, so neither names it."""
    layers = measured_rows(frame[_is_layer(frame)], ())
    unlike = int((layers["alpha_number"].isna() & ~layers["is_anchor"]).sum())
    return [f"{unlike} layers whose alphas in and out differ are left out"] if unlike else []


def _cut(maps: Sequence[Map]) -> list[str]:
    notes = []
    if len(maps) > _MOST_MAPS:
        notes.append(f"{_MOST_MAPS} of {len(maps)} maps are drawn")
    shapes = max(len(one.shapes) for one in maps)
    if shapes > _MOST_SHAPES:
        notes.append(f"at most {_MOST_SHAPES} of {shapes} shapes are drawn in a map")
    return notes


def _shown(one: Map) -> Map:
    """Keep the shapes that a map has room for."""
    shapes = one.shapes[:_MOST_SHAPES]
    cells = tuple(cell for cell in one.cells if cell.shape in set(shapes))
    sides = tuple(sorted({cell.resolution for cell in cells}))
    return one._replace(shapes=shapes, cells=cells, resolutions=sides)


def plot(info: LayersInfo) -> go.Figure:
    """Draw a heat map for each alpha and stride, under one another; blue is faster than vanilla."""
    ticks = {math.log2(speedup): f"{speedup:g}×" for speedup in _TICKS}
    scale = Scale("speed-up, vanilla / octave", math.log2(_MOST_SPEEDUP), ticks)
    return stacked(info.heading, [_grid(one) for one in info.maps], scale, "input resolution, px", "channels")


def table(info: LayersInfo) -> Table:
    """Give each cell as a row."""
    head = ("alpha", "stride", "layer", "resolution, px", "speed-up", "CI low", "CI high", "pairs", "verdict")
    return Table(
        head,
        tuple(
            (
                one.alpha,
                one.stride,
                cell.shape,
                cell.resolution,
                cell.speedup,
                *interval_cells(cell.ends),
                cell.pairs,
                cell.verdict,
            )
            for one in info.maps
            for cell in one.cells
        ),
    )


def _is_layer(frame: pd.DataFrame) -> Flags:
    """Say which rows are of single layers."""
    return (frame["subject"] == "layer").to_numpy(dtype=bool, na_value=False)


def _layers(frame: pd.DataFrame) -> pd.DataFrame:
    layers = frame[_is_layer(frame)]
    rows = measured_rows(layers, _COLUMNS)
    rows["verdict"] = layers["verdict"].reindex(rows.index).astype(object) if "verdict" in layers else None
    usable = ~rows["is_anchor"] & rows["alpha_number"].notna() & (rows["time_ratio_median"] > 0)
    return rows[usable.to_numpy()].reset_index(drop=True)


def _map(rows: pd.DataFrame) -> Map:
    ordered = rows.sort_values(["in_channels", "out_channels", "kernel_size", "resolution"], kind="stable")
    cells = [_cell(row) for row in ordered.to_dict("records")]
    return Map(
        alpha=float(rows["alpha_number"].iloc[0]),
        stride=int(rows["stride"].iloc[0]),
        shapes=tuple(dict.fromkeys(cell.shape for cell in cells)),
        resolutions=tuple(sorted({cell.resolution for cell in cells})),
        cells=tuple(cells),
    )


def _cell(row: dict[Any, Any]) -> Cell:
    ends = ends_of(row["time_ratio_ci_low"], row["time_ratio_ci_high"])
    shape = f"{row['in_channels']:g} → {row['out_channels']:g}, {row['kernel_size']:g}×{row['kernel_size']:g}"
    extras = [f"{name} {row[name]:g}" for name in ("dilation", "groups") if (row[name] or 1) > 1]
    if _is_unusual_padding(row):
        extras.append(f"padding {row['padding']}")
    return Cell(
        shape=", ".join([shape, *extras]),
        resolution=int(row["resolution"]),
        speedup=1 / row["time_ratio_median"],
        ends=None if ends is None or ends[0] <= 0 else (1 / ends[1], 1 / ends[0]),
        pairs=whole(row["pairs"]),
        verdict=row["verdict"] if isinstance(row["verdict"], str) else None,
    )


def _is_unusual_padding(row: dict[Any, Any]) -> bool:
    """Say whether a layer is padded otherwise than to keep its size."""
    return isinstance(row["padding"], str) and row["padding"] != f"{row['kernel_size'] // 2:g}"


def _grid(one: Map) -> Grid:
    return Grid(
        one.name,
        columns=[str(side) for side in one.resolutions],
        rows=[escaped(shape) for shape in one.shapes],
        cells={(escaped(cell.shape), str(cell.resolution)): _shade(one, cell) for cell in one.cells},
    )


def _shade(one: Map, cell: Cell) -> Shade:
    """Colour a cell by the logarithm: half and double the speed lie equally far from none."""
    return Shade(math.log2(cell.speedup), f"{cell.speedup:.2f}", _told(one, cell))


def _told(one: Map, cell: Cell) -> str:
    return hover(
        f"{one.name}: {cell.shape}, {cell.resolution} px",
        f"{shown_interval(cell.speedup, cell.ends, 'times as fast as vanilla')}",
        cell.verdict or "",
        shown_count(cell.pairs, "pair"),
    )
