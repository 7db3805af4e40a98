"""Realised saving by alpha: the share of the MACs saved that became time saved."""

from collections.abc import Hashable, Mapping
from typing import Any, NamedTuple

import pandas as pd
import plotly.graph_objects as go

from octprobe.explore.break_even import realised_saving
from octprobe.explore.fastest import Estimate
from octprobe.figures.look import NEUTRAL, empty, figure
from octprobe.figures.rows import conditions_of, ends_of, lines_of, row_labels, with_anchors
from octprobe.figures.scatter import add_series
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

_COLUMNS = ("macs", "time_ratio_median", "time_ratio_ci_low", "time_ratio_ci_high", "pairs")


_NEEDED = {
    "time_ratio_median": "a time ratio",
    "saves_macs": "fewer MACs than vanilla",
    "alpha_number": "one alpha",
}


class SavingInfo(NamedTuple):
    """Points of alpha and realised saving, %: 100 where time fell as MACs did, below 0 where it rose."""

    heading: Heading
    series: tuple[Series, ...]


def info(frame: pd.DataFrame) -> SavingInfo:
    """Set each row's saving of time, by its paired ratio, over its saving of MACs.

    Args:
        frame: rows as `octprobe.load` gives them.
    """
    rows = with_anchors(frame, _COLUMNS)
    rows = rows[~rows["is_anchor"]]
    rows["macs_share"] = rows["macs"] / rows["anchor_macs"]
    rows["saves_macs"] = rows["macs_share"].where(rows["macs_share"] < 1)
    lines = lines_of(rows, _NEEDED)
    series = tuple(Series(line.name, _points(line.rows)) for line in lines.lines)
    reason = None if series else f"no octave row has {', '.join(_NEEDED.values())}"
    return SavingInfo(Heading("Realised saving by alpha", conditions_of(frame), lines.notes, reason), series)


def plot(info: SavingInfo) -> go.Figure:
    """Draw realised saving over alpha between the lines at 0 and at 100 percent."""
    heading = info.heading
    if heading.reason:
        return empty(heading.title, heading.conditions, heading.reason)
    drawn = figure(heading.title, heading.conditions)
    add_series(drawn, info.series, _told)
    for level, name in ((100, "all of the MACs saving became time"), (0, "as slow as vanilla")):
        drawn.add_hline(
            y=level,
            line={"color": NEUTRAL, "dash": "dot", "width": 1.2},
            annotation={"text": name, "font": {"size": 11, "color": NEUTRAL}},
            annotation_position="top right",
        )
    drawn.update_xaxes(title_text="alpha (share of low channels)", range=[0, 1.02])
    drawn.update_yaxes(title_text="realised saving, % (95 % CI)", zeroline=False)
    return drawn


def table(info: SavingInfo) -> Table:
    """Give the points as rows."""
    head = ("series", "row", "alpha", "realised saving, %", "CI low", "CI high", "pairs")
    return Table(head, tuple(point_cells(one, point) for one in info.series for point in one.points))


def _points(rows: pd.DataFrame) -> tuple[Point, ...]:
    figures = zip(row_labels(rows), rows.to_dict("records"), strict=True)
    return tuple(point for label, row in figures if (point := _point(label, row)) is not None)


def _point(label: str, row: Mapping[Hashable, Any]) -> Point | None:
    low, high = ends_of(row["time_ratio_ci_low"], row["time_ratio_ci_high"]) or (None, None)
    ratio = Estimate(row["time_ratio_median"], low, high, whole(row["pairs"]))
    saving, _ = realised_saving(ratio, row["macs_share"])
    if saving is None:
        return None
    ends = None if saving.low is None or saving.high is None else (100 * saving.low, 100 * saving.high)
    return Point(label, row["alpha_number"], 100 * saving.median, None, ends, saving.count)


def _told(one: Series, point: Point) -> str:
    return hover(
        f"{one.name}: {point.label}",
        f"{shown_interval(point.y, point.y_ends, '%')} of the MACs saving became time",
        shown_count(point.n, "pair"),
    )
