"""What the front's figure shows: every point with its standing, a line for each combination of given axes."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from octprobe.explore.advice.arrays import Flags, Places
from octprobe.explore.axes import CONDITION_AXES, ENVIRONMENT_AXES
from octprobe.explore.find import row_name
from octprobe.explore.front import Front, Standing, front_info
from octprobe.explore.groups import Record
from octprobe.explore.labels import condition_labels, environment_label, member_label, subject_label
from octprobe.explore.objectives import Objective
from octprobe.figures.density import Density, density_of
from octprobe.figures.look import Kind
from octprobe.figures.rows import MOST_LINES, Floats, conditions_of, ends_of, numbers, thinned
from octprobe.figures.shapes import Heading, Point, whole
from octprobe.store.accuracy import PUBLISHED
from octprobe.store.accuracy_run import Split
from octprobe.store.query import records

# More than of lines: a front is seen against the cloud of what it dominates.
MOST_DOTS = 1000
# Where there are more, shades tell of the cloud, and so many points stand for it, each with its own words.
DOTS_IN_SHADE = 240


class FrontDot(NamedTuple):
    """One row on the figure: its name, its standing, where its figures are from, and the source's words."""

    name: str
    point: Point
    standing: Standing
    kind: Kind
    source: str


class FrontLine(NamedTuple):
    """One combination of given axes; `steps` are the front's own points, ascending by x."""

    name: str
    dots: tuple[FrontDot, ...]
    steps: tuple[tuple[float, float], ...]


class FrontFigureInfo(NamedTuple):
    """Every front over two objectives; where not every point is drawn, how many lie where."""

    heading: Heading
    x: Objective
    y: Objective
    lines: tuple[FrontLine, ...]
    density: Density | None = None


def info(frame: pd.DataFrame, x: str, y: str) -> FrontFigureInfo:
    """Find the fronts and what is drawn of each.

    Args:
        frame: rows as `octprobe.load` gives them; with the columns of accuracies for an accuracy.
        x: short name or column of the objective along x.
        y: the same along y.

    Raises:
        UsageError: x or y is no objective.
    """
    found = front_info(frame, x, y)
    across, up = found.x, found.y
    kept = _largest(found.fronts)
    rows = sum(len(front.rows) for front in kept)
    dots = MOST_DOTS if rows <= MOST_DOTS else DOTS_IN_SHADE
    most = max(2, dots // max(1, len(kept)))
    lines = tuple(_line(front, across, up, found.split_by, most) for front in kept)
    notes = [str(left) for left in found.left_out]
    if len(kept) < len(found.fronts):
        notes.append(f"{len(kept)} of {len(found.fronts)} fronts are drawn, those of the most points")
    drawn = sum(len(line.dots) for line in lines)
    density = density_of([_figures(front, across, up) for front in kept]) if drawn < rows else None
    if density is not None:
        notes.append(
            f"{drawn:,} of {rows:,} points are drawn: all on a front where they fit, others evenly chosen; "
            "the shade tells how many lie where"
        )
    title = f"{goal_title(up)[:1].upper()}{goal_title(up)[1:]} against {goal_title(across)}"
    reason = None if lines else f"no measured row has both {across.name} and {up.name}"
    return FrontFigureInfo(
        Heading(title, conditions_of(frame), tuple(notes), reason), across, up, lines, density
    )


def _largest(fronts: Sequence[Front]) -> list[Front]:
    """Keep the fronts of the most points, in their order."""
    sizes = np.array([sum(front.counts.values()) for front in fronts], dtype=int)
    return [fronts[place] for place in np.sort(np.argsort(-sizes, kind="stable")[:MOST_LINES])]


def chosen(info: FrontFigureInfo, names: Collection[str]) -> FrontFigureInfo:
    """Keep the points of these names."""
    kept = (line._replace(dots=tuple(dot for dot in line.dots if dot.name in names)) for line in info.lines)
    return info._replace(lines=tuple(kept))


def goal_title(goal: Objective) -> str:
    """Name an objective in a title."""
    return {"top1": "top-1 accuracy", "top5": "top-5 accuracy", "macs": "MACs"}.get(
        goal.name, goal.name.replace("_", " ")
    )


def _figures(front: Front, x: Objective, y: Objective) -> tuple[Floats, Floats]:
    rows = front.judged.frame[[x.column, y.column]].iloc[front.rows]
    return numbers(rows, x.column), numbers(rows, y.column)


def _line(front: Front, x: Objective, y: Objective, split_by: Sequence[str], most: int) -> FrontLine:
    standings = np.asarray([str(standing) for standing in front.standings])
    places = _chosen(standings == Standing.ON_FRONT, most)
    rows = records(front.judged.frame.iloc[front.rows[places]])
    dots = tuple(
        _dot(row, Standing(standing), x, y) for row, standing in zip(rows, standings[places], strict=True)
    )
    steps = sorted({(dot.point.x, dot.point.y) for dot in dots if dot.standing is Standing.ON_FRONT})
    return FrontLine(_name(front.given, split_by), dots, tuple(steps))


def _chosen(on_front: Flags, most: int) -> Places:
    """Choose at most so many places, those on the front before the others."""
    best, others = np.flatnonzero(on_front), np.flatnonzero(~on_front)
    best = best[thinned(len(best), most)]
    room = most - len(best)
    return np.sort(np.concatenate([best, others[thinned(len(others), room)] if room else others[:0]]))


def _dot(row: Record, standing: Standing, x: Objective, y: Objective) -> FrontDot:
    has_accuracy = x.is_accuracy or y.is_accuracy
    is_published = row.get("accuracy_kind") == PUBLISHED and has_accuracy
    counts = [row.get(goal.count) for goal in (x, y) if goal.count]
    point = Point(
        label=f"{subject_label(row)} {member_label(row)}",
        x=float(row[x.column]),
        y=float(row[y.column]),
        x_ends=_ends(row, x),
        y_ends=_ends(row, y),
        n=next((whole(count) for count in counts if count is not None), None),
    )
    source = [row.get("accuracy_source"), row.get("accuracy_match"), _reported(row)] if has_accuracy else []
    kind = Kind.PUBLISHED if is_published else Kind.MEASURED
    return FrontDot(row_name(row), point, standing, kind, ", ".join(str(part) for part in source if part))


def _reported(row: Record) -> str | None:
    """Say what a network that was compared on validation images answers right on test images."""
    test = row.get("test_top1_percent")
    is_beside = row.get("accuracy_split") == Split.VALIDATION and test is not None
    return f"{test:.2f} % on test images" if is_beside else None


def _ends(row: Record, goal: Objective) -> tuple[float, float] | None:
    if goal.interval is None:
        return None
    low, high = (row.get(name) for name in goal.interval)
    return None if low is None or high is None else ends_of(float(low), float(high))


def _name(given: Mapping[str, Any], split_by: Sequence[str]) -> str:
    labels = condition_labels(given, [name for name in CONDITION_AXES if name in split_by])
    if any(name in ENVIRONMENT_AXES for name in split_by):
        labels.append(environment_label(given, with_id=True))
    others = [name for name in split_by if name not in (*CONDITION_AXES, *ENVIRONMENT_AXES)]
    labels += [str(given[name]) for name in others if given.get(name) is not None]
    return ", ".join(labels) or "front"
