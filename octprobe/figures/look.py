"""How all figures look: colours that colour-blind people tell apart, a symbol for each kind of figure."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

import plotly.graph_objects as go

from octprobe.figures.text import escaped

# Okabe and Ito's palette (2008), less its black and yellow, which vanish on one of the two backgrounds.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
# Reference lines, vanilla and what has no path of its own: readable on light and dark alike.
NEUTRAL = "#8A8A8A"
# Three shapes beside six colours and three dashes: eighteen series before a pair of them looks the same.
SHAPES = ("circle", "square", "diamond")
DASHES = ("solid", "dash", "dot")
# Blue over orange through grey, so that red-green blindness does not hide the sign.
DIVERGING = ((0.0, "#B45F06"), (0.25, "#E8B078"), (0.5, "#D9D9D9"), (0.75, "#7FB3D8"), (1.0, "#0B5FA5"))
HEIGHT_PX = 440
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', sans-serif"
_INK = {"light": "#1F2328", "dark": "#E6EDF3"}
_GRID = {"light": "#DDE1E6", "dark": "#363C44"}
_PAPER = {"light": "#FFFFFF", "dark": "#14181D"}


class Kind(StrEnum):
    """Where a figure is from; each kind has a marker of its own."""

    MEASURED = "measured"
    PREDICTED = "predicted"
    PUBLISHED = "published"


_SUFFIXES = {Kind.MEASURED: "", Kind.PREDICTED: "-open", Kind.PUBLISHED: "-x-open"}


def colour(place: int) -> str:
    """Give the colour of the series at a place; they come round again."""
    return COLOURS[place % len(COLOURS)]


def symbol(place: int, kind: Kind = Kind.MEASURED) -> str:
    """Give the marker of the series at a place."""
    return marker(SHAPES[place // len(COLOURS) % len(SHAPES)], kind)


def marker(shape: str, kind: Kind) -> str:
    """Give a shape as a marker: filled where measured, open where predicted, crossed where published."""
    return shape + _SUFFIXES[kind]


def dash(place: int) -> str:
    """Give the dash of the line of the series at a place."""
    return DASHES[place // len(COLOURS) % len(DASHES)]


def template(scheme: str = "light") -> go.layout.Template:
    """Give what figures have in common.

    Args:
        scheme: light or dark.
    """
    axis = {
        "gridcolor": _GRID[scheme],
        "linecolor": _GRID[scheme],
        "zerolinecolor": _GRID[scheme],
        "automargin": True,
        "title": {"standoff": 10, "font": {"size": 12}},
    }
    return go.layout.Template(
        layout={
            "font": {"family": _FONT, "size": 13, "color": _INK[scheme]},
            "paper_bgcolor": _PAPER[scheme],
            "plot_bgcolor": _PAPER[scheme],
            "colorway": list(COLOURS),
            "xaxis": axis,
            "yaxis": axis,
            "hoverlabel": {"align": "left", "namelength": -1},
            "hovermode": "closest",
            "margin": {"l": 64, "r": 16, "t": 72, "b": 56},
            "legend": {
                "orientation": "h",
                "x": 0,
                "xref": "container",
                "y": 0,
                "yref": "container",
                "yanchor": "bottom",
                "font": {"size": 12},
            },
        }
    )


def figure(title: str, conditions: str, *, height: int = HEIGHT_PX, **layout: Any) -> go.Figure:
    """Begin a figure under its title and the conditions that its figures hold under."""
    heading = {"text": escaped(title), "subtitle": {"text": escaped(conditions)}, "x": 0, "xref": "paper"}
    return go.Figure(layout={"template": template(), "title": heading, "height": height, **layout})


def empty(title: str, conditions: str, reason: str) -> go.Figure:
    """Give a figure that says why there is nothing to draw."""
    drawn = figure(title, conditions, height=180)
    drawn.update_xaxes(visible=False)
    drawn.update_yaxes(visible=False)
    drawn.add_annotation(
        text=wrapped(f"Nothing to draw: {reason}."), showarrow=False, xref="paper", yref="paper", x=0.5, y=0.5
    )
    return drawn


def wrapped(text: str, width: int = 44) -> str:
    """Break escaped text into lines that a telephone's screen holds."""
    lines, line = [], ""
    for word in text.split():
        if line and len(line) + len(word) >= width:
            lines.append(line)
            line = ""
        line = f"{line} {word}".strip()
    return "<br>".join(escaped(part) for part in [*lines, line])


def error_bar(
    values: Sequence[float], ends: Sequence[tuple[float, float] | None], hue: str | None = None
) -> dict[str, Any]:
    """Give intervals as a trace's error bars; a point without one has none."""
    bar = {"color": hue, "thickness": 1.2, "width": 3} if hue else {"thickness": 1.2, "width": 3}
    return bar | {
        "type": "data",
        "symmetric": False,
        "array": [None if end is None else end[1] - value for value, end in zip(values, ends, strict=True)],
        "arrayminus": [
            None if end is None else value - end[0] for value, end in zip(values, ends, strict=True)
        ],
    }
