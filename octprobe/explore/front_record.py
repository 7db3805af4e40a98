"""The points of fronts as plain values for another program, and the columns of a store that they take."""

from collections.abc import Iterable, Iterator
from typing import Any

from octprobe.explore.axes import FREE_AXES, GIVEN_AXES
from octprobe.explore.environments import ENVIRONMENT_COLUMNS
from octprobe.explore.front import ACCURACY_AXES, Drawn, FrontInfo, FrontPoint
from octprobe.explore.objectives import OBJECTIVES, Objective

_OUTCOME = ("octave_exits", "status", "verdict", "doubts")
_ACCURACY = (*ACCURACY_AXES, "accuracy_kind", "accuracy_source", "accuracy_match", "test_top1_percent")
_IDS = ("point_id", "group_id", "env_id")


def judged_columns(objectives: Iterable[Objective]) -> tuple[str, ...]:
    """Give the columns of a store that judging takes: the given axes, the status, figures with intervals."""
    figures = (
        name for goal in objectives if not goal.is_accuracy for name in (goal.column, *(goal.interval or ()))
    )
    return tuple(dict.fromkeys((*GIVEN_AXES, "status", *figures)))


def shown_columns(objectives: Iterable[Objective]) -> tuple[str, ...]:
    """Give the columns of a store that a point shows: those that judge it, axes, outcome and environment."""
    goals = tuple(objectives)
    counts = (goal.count for goal in goals if goal.count and not goal.is_accuracy)
    more = (*_IDS, *FREE_AXES, *_OUTCOME, "reason", *counts, *ENVIRONMENT_COLUMNS)
    return tuple(dict.fromkeys((*judged_columns(goals), *more)))


# What a choice among any objectives takes.
CHOICE_COLUMNS = shown_columns(OBJECTIVES)


def front_records(info: FrontInfo, drawn: Iterable[Drawn] | None = None) -> list[dict[str, Any]]:
    """Give points as plain values: axes, figures, standing, octave exits, verdict, doubts.

    Args:
        info: the fronts.
        drawn: the fronts with the points wanted; all by default.
    """
    return list(_records(info, info.drawn() if drawn is None else drawn))


def _records(info: FrontInfo, drawn: Iterable[Drawn]) -> Iterator[dict[str, Any]]:
    for _, points in drawn:
        for point in points:
            yield _front_record(point, info)


def _front_record(point: FrontPoint, info: FrontInfo) -> dict[str, Any]:
    row = point.record
    axes = {name: row.get(name) for name in ("point_id", *GIVEN_AXES, *FREE_AXES)}
    figures = dict(zip((goal.column for goal in info.objectives), point.values, strict=True))
    standing = {"standing": point.standing.value, "on_front": point.on_front}
    spread = [name for goal in info.objectives if goal.interval for name in (*goal.interval, goal.count)]
    accuracy = _ACCURACY if any(goal.is_accuracy for goal in info.objectives) else ()
    names = (*spread, *accuracy, *_OUTCOME)
    return axes | figures | standing | {name: row.get(name) for name in names if name}
