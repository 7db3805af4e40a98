"""The front over two objectives, such as speed and accuracy: a line for each combination of given axes."""

from collections.abc import Iterable, Sequence

import plotly.graph_objects as go

from octprobe.explore.front import Standing
from octprobe.explore.objectives import Direction, Objective
from octprobe.figures.density import heat
from octprobe.figures.front_points import FrontDot, FrontFigureInfo, FrontLine, chosen, goal_title, info
from octprobe.figures.look import NEUTRAL, Kind, colour, dash, empty, figure, marker, wrapped
from octprobe.figures.scatter import bars
from octprobe.figures.shapes import Ends, Table, interval_cells, shown_count, shown_interval
from octprobe.figures.text import escaped, hover

__all__ = ["FrontFigureInfo", "chosen", "info", "plot", "table"]

# The shape tells how a point stands to its front, the fill where its figures are from.
_LOOKS = {
    Standing.ON_FRONT: ("circle", 11, 1.0),
    Standing.WITHIN_NOISE: ("diamond", 11, 1.0),
    Standing.DOMINATED: ("square", 7, 0.45),
    Standing.INFEASIBLE: ("triangle-down", 7, 0.45),
}
_WORDS = {
    Standing.ON_FRONT: "on the front",
    Standing.WITHIN_NOISE: "on the front within noise",
    Standing.DOMINATED: "dominated",
    Standing.INFEASIBLE: "over a budget",
}
# Names beside so many points do not yet cover one another.
_MOST_NAMED = 8
_LARGE_FROM = 1e4


def plot(info: FrontFigureInfo) -> go.Figure:
    """Draw all points by their standing, and a step line through each front."""
    heading = info.heading
    if heading.reason:
        return empty(heading.title, heading.conditions, heading.reason)
    drawn = figure(heading.title, heading.conditions)
    if info.density is not None:
        drawn.add_trace(heat(info.density))
    named = sum(dot.standing is Standing.ON_FRONT for line in info.lines for dot in line.dots) <= _MOST_NAMED
    for place, line in enumerate(info.lines):
        _draw_line(drawn, line, place, info.x)
        for standing in reversed(_LOOKS):
            _draw_dots(drawn, line, place, standing, info, is_named=named)
    _explain(drawn, info)
    points = [dot.point for line in info.lines for dot in line.dots]
    for axis, goal, ends in (
        (drawn.update_xaxes, info.x, [point.x_ends for point in points]),
        (drawn.update_yaxes, info.y, [point.y_ends for point in points]),
    ):
        axis(title_text=_axis_title(goal, ends), tickformat="~s" if _is_large(goal, info) else None)
    return drawn


def table(info: FrontFigureInfo) -> Table:
    """Give the points as rows."""
    x, y = (f"{goal_title(goal)}, {goal.unit or '1'}" for goal in (info.x, info.y))
    head = ("front", "row", x, f"{x}: CI low", f"{x}: CI high", y, f"{y}: CI low", f"{y}: CI high")
    return Table(
        (*head, "samples", "standing", "source", "point"),
        tuple(
            (
                line.name,
                dot.point.label,
                dot.point.x,
                *interval_cells(dot.point.x_ends),
                dot.point.y,
                *interval_cells(dot.point.y_ends),
                dot.point.n,
                _WORDS[dot.standing],
                dot.source,
                dot.name,
            )
            for line in info.lines
            for dot in line.dots
        ),
    )


def _axis_title(goal: Objective, ends: Iterable[Ends | None]) -> str:
    """Name an axis with its unit; published accuracies say nothing of their spread."""
    unit = goal.unit or "share of vanilla's"
    has_ends = goal.interval and not (goal.is_accuracy and all(each is None for each in ends))
    spread = f" ({'mean' if goal.is_accuracy else 'median'}, 95 % CI)" if has_ends else ""
    return f"{goal_title(goal)}, {unit}{spread}"


def _is_large(goal: Objective, info: FrontFigureInfo) -> bool:
    values = [dot.point.x if goal is info.x else dot.point.y for line in info.lines for dot in line.dots]
    return max(map(abs, values), default=0) >= _LARGE_FROM


def _draw_line(drawn: go.Figure, line: FrontLine, place: int, x: Objective) -> None:
    """Draw the front as steps: up to the next point nothing better is known."""
    drawn.add_trace(
        go.Scatter(
            name=wrapped(line.name),
            mode="lines",
            x=[step[0] for step in line.steps],
            y=[step[1] for step in line.steps],
            line={
                "color": colour(place),
                "dash": dash(place),
                "width": 1.5,
                "shape": "hv" if x.direction is Direction.MINIMIZE else "vh",
            },
            legendgroup=f"front {place}",
            hoverinfo="skip",
        )
    )


def _draw_dots(
    drawn: go.Figure,
    line: FrontLine,
    place: int,
    standing: Standing,
    info: FrontFigureInfo,
    *,
    is_named: bool,
) -> None:
    dots = [dot for dot in line.dots if dot.standing is standing]
    if not dots:
        return
    shape, size, opacity = _LOOKS[standing]
    is_labelled = is_named and standing is Standing.ON_FRONT
    points = [dot.point for dot in dots]
    drawn.add_trace(
        go.Scatter(
            mode="markers+text" if is_labelled else "markers",
            x=[point.x for point in points],
            y=[point.y for point in points],
            text=[escaped(point.label.replace("alpha ", "")) for point in points] if is_labelled else None,
            textposition=_sides([point.x for point in points]),
            textfont={"size": 11},
            marker={
                "color": colour(place),
                "symbol": [marker(shape, dot.kind) for dot in dots],
                "size": size,
                "opacity": opacity,
                "line": {"width": 1.5, "color": colour(place)},
            },
            # A chosen point grows; the others do not fade, for the front is still what is looked at.
            selected={"marker": {"size": size + 6}},
            unselected={"marker": {"opacity": opacity}},
            hovertext=[_told(dot, line, info) for dot in dots],
            customdata=[dot.name for dot in dots],
            hoverinfo="text",
            legendgroup=f"front {place}",
            showlegend=False,
            **(bars(points, colour(place)) if standing is not Standing.DOMINATED else {}),
        )
    )


def _sides(values: Sequence[float]) -> list[str]:
    """Put names on the side on which the picture has room."""
    middle = (min(values) + max(values)) / 2
    return ["top right" if value <= middle else "bottom left" for value in values]


def _explain(drawn: go.Figure, info: FrontFigureInfo) -> None:
    """Add what each shape and fill means to the legend."""
    present = {(dot.standing, dot.kind) for line in info.lines for dot in line.dots}
    for standing, (shape, size, opacity) in _LOOKS.items():
        for kind in Kind:
            if (standing, kind) in present:
                name = _WORDS[standing] + (" (published accuracy)" if kind is Kind.PUBLISHED else "")
                look = {"color": NEUTRAL, "symbol": marker(shape, kind), "size": size, "opacity": opacity}
                drawn.add_trace(go.Scatter(name=name, mode="markers", x=[None], y=[None], marker=look))


def _told(dot: FrontDot, line: FrontLine, info: FrontFigureInfo) -> str:
    point = dot.point
    return hover(
        f"{point.label}: {_WORDS[dot.standing]}",
        line.name,
        f"{goal_title(info.x)} {shown_interval(point.x, point.x_ends, info.x.unit or '')}",
        f"{goal_title(info.y)} {shown_interval(point.y, point.y_ends, info.y.unit or '')}",
        shown_count(point.n, "sample") if point.n is not None else "",
        f"{dot.kind}: {dot.source}" if dot.source else "",
    )
