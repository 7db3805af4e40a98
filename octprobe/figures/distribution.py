"""How the latency samples lie: a box, the median's interval and the samples of each row of a group."""

from typing import NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from octprobe.figures.facets import MOST_FACETS, stacked
from octprobe.figures.look import NEUTRAL, colour, empty, error_bar
from octprobe.figures.rows import (
    Floats,
    Line,
    conditions_of,
    ends_of,
    lines_of,
    measured_rows,
    row_labels,
    thinned,
)
from octprobe.figures.shapes import Ends, Heading, Table, interval_cells, shown_count, shown_interval
from octprobe.figures.text import escaped, hover
from octprobe.store.records import Status
from octprobe.units import show_number

_COLUMNS = ("latency_ms_median", "latency_ms_ci_low", "latency_ms_ci_high")
_MOST_SAMPLES = 120
_MOST_ROWS = 8
# Tukey's fences: what lies further from the box than this many of its widths is drawn as a point beyond it.
_FENCE = 1.5


class Samples(NamedTuple):
    """One row's samples in ms a call; `shown` are at most a few hundred of them, evenly chosen by size."""

    label: str
    is_vanilla: bool
    n: int
    median: float
    ends: Ends | None
    quartiles: tuple[float, float]
    fences: tuple[float, float]
    shown: tuple[float, ...]


class Facet(NamedTuple):
    """The rows of one group."""

    name: str
    rows: tuple[Samples, ...]


class DistributionInfo(NamedTuple):
    """The groups with the most rows."""

    heading: Heading
    facets: tuple[Facet, ...]


def info(frame: pd.DataFrame) -> DistributionInfo:
    """Gather the raw latency samples of vanilla and octave rows.

    Args:
        frame: rows as `octprobe.load` gives them, raw samples included.
    """
    heading = Heading("Latency samples", conditions_of(frame))
    if "latency_ms_samples" not in frame:
        return DistributionInfo(heading._replace(reason="the raw samples were not read"), ())
    measured = measured_rows(frame, _COLUMNS)
    cells = frame.loc[(frame["status"] == Status.MEASURED).to_numpy(), "latency_ms_samples"]
    known = [None if cell is None or len(cell) == 0 else cell for cell in cells]
    measured["samples"] = pd.Series(known, index=measured.index, dtype=object)
    lines = lines_of(measured, {"samples": "latency samples", "latency_ms_median": "a median"}, MOST_FACETS)
    facets = tuple(_facet(line) for line in lines.lines)
    thin = any(len(row.shown) < row.n for facet in facets for row in facet.rows)
    notes = lines.notes
    if thin:
        notes += (f"at most {_MOST_SAMPLES} samples a row are drawn, evenly chosen",)
    reason = None if facets else "no octave row has raw latency samples"
    return DistributionInfo(heading._replace(notes=notes, reason=reason), facets)


def plot(info: DistributionInfo) -> go.Figure:
    """Draw a box, its samples and the median with its interval for each row, a picture a group."""
    heading = info.heading
    if heading.reason:
        return empty(heading.title, heading.conditions, heading.reason)
    drawn = stacked(heading, [(facet.name, len(facet.rows)) for facet in info.facets])
    for place, facet in enumerate(info.facets, 1):
        _draw(drawn, facet, place)
    drawn.update_layout(showlegend=False)
    drawn.update_xaxes(title_text="latency, ms/call", row=len(info.facets))
    for place in range(1, len(info.facets)):
        drawn.update_xaxes(title_text="ms/call", title_standoff=2, row=place)
    drawn.update_yaxes(title_text="alpha")
    return drawn


def table(info: DistributionInfo) -> Table:
    """Give each row's quartiles and median."""
    head = (
        "series",
        "row",
        "median, ms/call",
        "CI low",
        "CI high",
        "1st quartile",
        "3rd quartile",
        "samples",
    )
    return Table(
        head,
        tuple(
            (facet.name, row.label, row.median, *interval_cells(row.ends), *row.quartiles, row.n)
            for facet in info.facets
            for row in facet.rows
        ),
    )


def _facet(line: Line) -> Facet:
    rows = line.rows.iloc[thinned(len(line.rows), _MOST_ROWS)]
    found = zip(row_labels(rows), rows.to_dict("records"), strict=True)
    return Facet(
        line.name,
        tuple(
            _samples(
                label,
                np.sort(np.asarray(row["samples"], dtype=float)),
                float(row["latency_ms_median"]),
                ends_of(row["latency_ms_ci_low"], row["latency_ms_ci_high"]),
                is_vanilla=bool(row["is_anchor"]),
            )
            for label, row in found
        ),
    )


def _samples(
    label: str,
    ordered: Floats,
    median: float,
    ends: Ends | None,
    *,
    is_vanilla: bool,
) -> Samples:
    low, high = (float(value) for value in np.quantile(ordered, (0.25, 0.75)))
    reach = _FENCE * (high - low)
    inside = ordered[(ordered >= low - reach) & (ordered <= high + reach)]
    shown = ordered[thinned(len(ordered), _MOST_SAMPLES)]
    return Samples(
        label=label,
        is_vanilla=is_vanilla,
        n=len(ordered),
        median=median,
        ends=ends,
        quartiles=(low, high),
        fences=(float(inside[0]), float(inside[-1])),
        shown=tuple(float(value) for value in shown),
    )


def _draw(drawn: go.Figure, facet: Facet, place: int) -> None:
    for number, row in enumerate(facet.rows):
        hue = NEUTRAL if row.is_vanilla else colour(number - facet.rows[0].is_vanilla)
        name = escaped(row.label.removeprefix("alpha "))
        drawn.add_trace(
            go.Box(
                y=[name],
                orientation="h",
                q1=[row.quartiles[0]],
                median=[row.median],
                q3=[row.quartiles[1]],
                lowerfence=[row.fences[0]],
                upperfence=[row.fences[1]],
                line={"color": hue, "width": 1.2},
                width=0.7,
                hoverinfo="skip",
            ),
            row=place,
            col=1,
        )
        drawn.add_trace(_strip(row, name, hue), row=place, col=1)
        drawn.add_trace(_median(row, name, hue), row=place, col=1)


def _strip(row: Samples, name: str, hue: str) -> go.Scatter:
    return go.Scatter(
        mode="markers",
        x=list(row.shown),
        y=[name] * len(row.shown),
        marker={"color": hue, "size": 5, "opacity": 0.35, "symbol": "line-ns-open", "line": {"width": 1}},
        hoverinfo="skip",
    )


def _median(row: Samples, name: str, hue: str) -> go.Scatter:
    told = hover(
        row.label,
        f"median {shown_interval(row.median, row.ends, 'ms/call')}",
        f"quartiles {show_number(row.quartiles[0])} and {show_number(row.quartiles[1])} ms/call",
        shown_count(row.n, "sample"),
    )
    return go.Scatter(
        mode="markers",
        x=[row.median],
        y=[name],
        error_x=error_bar([row.median], [row.ends], hue),
        marker={"color": hue, "size": 9, "symbol": "diamond"},
        hovertext=[told],
        hoverinfo="text",
    )
