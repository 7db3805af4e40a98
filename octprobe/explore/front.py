"""The front: which points nothing beats on both objectives, among points that may be compared at all.

One front for each combination of the given axes (device and environment, batch, resolution, dtype, mode,
threads; for layers also the layer), never mixed. Network, alpha, variant, execution and memory format are
free within it. A point dominates another if it is no worse on both objectives and better on one. So equal
points do not dominate each other: duplicates are all on the front or all off it. Alpha and variant change the
function that a network computes, so a front over MACs and latency is no statement about accuracy.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from octprobe.explore.axes import FREE_AXES, GIVEN_AXES
from octprobe.explore.groups import Record, in_order, plain_records
from octprobe.explore.objectives import Objective, objective
from octprobe.store.records import Status


@dataclass(frozen=True)
class FrontPoint:
    """One row with its two figures; `on_front` is false where another point of its front dominates it."""

    x: float
    y: float
    on_front: bool
    record: Record


@dataclass(frozen=True)
class Front:
    """All points under one combination of given axes, the dominated ones kept and flagged, best x first."""

    given: Record
    points: tuple[FrontPoint, ...]


@dataclass(frozen=True)
class LeftOut:
    """Rows that have no place on any front, and why."""

    count: int
    reason: str

    def __str__(self) -> str:
        return f"left out: {self.count} row{'' if self.count == 1 else 's'} ({self.reason})"


@dataclass(frozen=True)
class FrontInfo:
    """Every front of a store over two objectives.

    `split_by` names the given axes that take more than one value, and so part the fronts.
    """

    x: Objective
    y: Objective
    split_by: tuple[str, ...]
    fronts: tuple[Front, ...]
    left_out: tuple[LeftOut, ...]

    @property
    def records(self) -> list[Record]:
        """Give the rows of all fronts."""
        return [point.record for front in self.fronts for point in front.points]


def front_info(frame: pd.DataFrame, x: str, y: str) -> FrontInfo:
    """Find the fronts of a store's rows over two objectives.

    Args:
        frame: rows as `octprobe.load` gives them.
        x: short name or column of the first objective.
        y: short name or column of the second.

    Raises:
        UsageError: x or y is no objective.
    """
    across, up = objective(x), objective(y)
    rows = plain_records(frame)
    reasons = [_why_left_out(row, (across, up)) for row in rows]
    kept: dict[tuple[object, ...], list[Record]] = {}
    for row, reason in zip(rows, reasons, strict=True):
        if reason is None:
            kept.setdefault(tuple(row.get(name) for name in GIVEN_AXES), []).append(row)
    counts = Counter(reason for reason in reasons if reason is not None)
    return FrontInfo(
        x=across,
        y=up,
        split_by=tuple(
            name for place, name in enumerate(GIVEN_AXES) if len({key[place] for key in kept}) > 1
        ),
        fronts=tuple(_front(kept[key], across, up) for key in sorted(kept, key=in_order)),
        left_out=tuple(LeftOut(count, reason) for reason, count in counts.items()),
    )


def front_records(info: FrontInfo) -> list[dict[str, Any]]:
    """Give every point as plain values: axes, both figures by column, `on_front`, verdict and doubts."""
    return [_front_record(point, info) for front in info.fronts for point in front.points]


def undominated(costs: Sequence[tuple[float, float]]) -> list[bool]:
    """Say of each pair of costs whether no other pair is at most as large in both and smaller in one."""
    lowest = math.inf
    best: dict[tuple[float, float], bool] = {}
    for x, y in sorted(set(costs)):
        best[x, y] = y < lowest
        lowest = min(lowest, y)
    return [best[pair] for pair in costs]


def _front_record(point: FrontPoint, info: FrontInfo) -> dict[str, Any]:
    row = point.record
    axes = {name: row.get(name) for name in ("point_id", *GIVEN_AXES, *FREE_AXES)}
    figures = {info.x.column: point.x, info.y.column: point.y, "on_front": point.on_front}
    spread = [name for goal in (info.x, info.y) if goal.interval for name in (*goal.interval, goal.count)]
    return axes | figures | {name: row.get(name) for name in (*spread, "status", "verdict", "doubts") if name}


def _front(rows: Sequence[Record], x: Objective, y: Objective) -> Front:
    flags = undominated([(x.cost(row[x.column]), y.cost(row[y.column])) for row in rows])
    points = [
        FrontPoint(row[x.column], row[y.column], flag, row) for row, flag in zip(rows, flags, strict=True)
    ]
    ordered = sorted(points, key=lambda point: (x.cost(point.x), y.cost(point.y)))
    return Front({name: rows[0].get(name) for name in GIVEN_AXES}, tuple(ordered))


def _why_left_out(row: Record, objectives: Sequence[Objective]) -> str | None:
    status = row.get("status")
    if status != Status.MEASURED:
        return f"status {status}"
    absent = [wanted.column for wanted in objectives if row.get(wanted.column) is None]
    if not absent:
        return None
    return f"{' and '.join(dict.fromkeys(absent))} absent"
