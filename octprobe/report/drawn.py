"""The figures of a report, in the order shown, each with its caption and its table."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import pandas as pd
import plotly.graph_objects as go

from octprobe.explore.accuracies import with_accuracies
from octprobe.figures import distribution, efficiency, front, layers, memory, paths, saving
from octprobe.figures.shapes import Heading, Table
from octprobe.store.accuracy import Accuracy


class Drawn(NamedTuple):
    """One figure of a report; `name` is its anchor in the page and the stem of its CSV."""

    name: str
    heading: Heading
    caption: str
    figure: go.Figure
    table: Table


class _Shown(NamedTuple):
    name: str
    caption: str
    info: Callable[[pd.DataFrame], Any]
    plot: Callable[[Any], go.Figure]
    table: Callable[[Any], Table]


def _accuracy_front(frame: pd.DataFrame) -> front.FrontFigureInfo:
    return front.info(frame, "latency", "top1")


_FIGURES = (
    _Shown(
        "front",
        "Measured latency against accuracy, one front for each combination of given axes, data set and "
        "source family: published ImageNet accuracies, and those of the store's own trainings and "
        "evaluations. Published ones are references: the source's recipe, at times a twin of the network "
        "measured here.",
        _accuracy_front,
        front.plot,
        front.table,
    ),
    _Shown(
        "efficiency",
        "Were time in proportion to MACs, each point would lie on the dotted line through its vanilla point. "
        "What lies above it saved work without saving as much time.",
        efficiency.info,
        efficiency.plot,
        efficiency.table,
    ),
    _Shown(
        "saving",
        "(1 - time ratio) / (1 - MACs ratio), both against vanilla. Below 0 the octave form is slower than "
        "vanilla although it does less.",
        saving.info,
        saving.plot,
        saving.table,
    ),
    _Shown(
        "distribution",
        "Each stroke is one sample, the box spans the quartiles, the diamond is the median with its 95 % "
        "interval. Two heaps in a row are the doubt bimodal.",
        distribution.info,
        distribution.plot,
        distribution.table,
    ),
    _Shown(
        "paths",
        "Profiled eager calls with four convolutions a layer: plain areas are convolutions, hatched ones "
        "what stands between them. Device time is longer than unprofiled latency on a processor.",
        paths.info,
        paths.plot,
        paths.table,
    ),
    _Shown(
        "layers",
        "Single convolutions by shape: blue is faster than vanilla, orange slower, the figure is vanilla's "
        "time over the octave form's.",
        layers.info,
        layers.plot,
        layers.table,
    ),
    _Shown(
        "memory",
        "The measured peak of a call beside the closed form of the feature maps alone, 1 - 3/4 alpha: a peak "
        "is where most lives at once, often in a layer that is not octave.",
        memory.info,
        memory.plot,
        memory.table,
    ),
)


def drawn_figures(frame: pd.DataFrame, accuracies: Sequence[Accuracy]) -> list[Drawn]:
    """Gather and draw every figure of a report.

    Args:
        frame: rows as `octprobe.load` gives them.
        accuracies: what the front joins to them.
    """
    joined = with_accuracies(frame, accuracies)
    return [_drawn(shown, joined if shown.info is _accuracy_front else frame) for shown in _FIGURES]


def _drawn(shown: _Shown, frame: pd.DataFrame) -> Drawn:
    info = shown.info(frame)
    return Drawn(shown.name, info.heading, shown.caption, shown.plot(info), shown.table(info))
