"""What stands of an outcome, and what is tried again in a smaller group."""

import signal
from collections.abc import Sequence
from dataclasses import replace

from octprobe.engine.protocol import GroupOutcome, GroupTask, Part, WorkerDeath
from octprobe.plan.point import DesignPoint
from octprobe.store.records import Measurement, Status

_NO_ROOM = "the whole did not fit in memory"
# Nothing of octprobe sends this signal to a worker that is at work; Linux does when memory runs out.
_KERNEL_KILLS_WITH = signal.SIGKILL.name


def settle(outcome: GroupOutcome) -> tuple[list[tuple[DesignPoint, Measurement]], list[GroupTask]]:
    """Split an outcome into measurements that stand and smaller tasks for the other points.

    Points without memory go on together, or in halves where that makes no smaller group, then each with its
    anchor only, and at last alone: so `out_of_memory` means that a point does not fit alone. A worker's
    death costs a group nothing but time: its points go on one by one, and the one that dies so gets the
    status. Every task that comes back has fewer points than the outcome's or lacks its anchor, so this ends.
    """
    task = outcome.task
    ended = {point: outcome.measurements.get(point.point_id) or _lost(outcome) for point in task.points}
    starved = [point for point, measurement in ended.items() if measurement.status is Status.OUT_OF_MEMORY]
    retries = [*_with_more_room(outcome, starved), *_one_by_one(outcome)]
    tried_again = {point for retry in retries for point in retry.points}
    final = [
        (point, _with_remark(measurement, outcome, is_short_of_memory=bool(starved)))
        for point, measurement in ended.items()
        if point not in tried_again
    ]
    return final, retries


def _with_more_room(outcome: GroupOutcome, starved: Sequence[DesignPoint]) -> list[GroupTask]:
    """Give the tasks in which points that had no memory may find it; none for a point that was alone."""
    task = outcome.task
    if not starved or len(task.subjects) == 1:
        return []
    anchor_had_none = outcome.anchor_status is Status.OUT_OF_MEMORY
    if anchor_had_none or len(task.subjects) == 2:
        # The anchor comes first: where it had no memory it was alone, and its status stands.
        alone = [point for point in starved if not (anchor_had_none and point == task.anchor)]
        return [_alone(task, point) for point in alone]
    together = _cut(task, starved, _NO_ROOM)
    if len(together.subjects) < len(task.subjects):
        return [together]
    middle = (len(starved) + 1) // 2
    return [_cut(task, half, _NO_ROOM) for half in (starved[:middle], starved[middle:])]


def _one_by_one(outcome: GroupOutcome) -> list[GroupTask]:
    """Give a task for each point that a worker's death left unfinished; none for one that it met alone."""
    task, death = outcome.task, outcome.death
    if death is None or death.status is Status.OUT_OF_MEMORY or len(task.points) == 1:
        return []
    why = f"the whole {death.status.replace('_', ' ')}: {_reason(death)}"
    unfinished = [point for point in task.points if point.point_id not in outcome.measurements]
    return [_cut(task, [point], why) for point in unfinished]


def _cut(task: GroupTask, points: Sequence[DesignPoint], why: str) -> GroupTask:
    """Make a task of some of another's points, which remembers the first whole and what befell it."""
    return replace(task, points=tuple(points), part=task.part or Part(len(task.subjects), why))


def _alone(task: GroupTask, point: DesignPoint) -> GroupTask:
    return replace(_cut(task, [point], _NO_ROOM), with_anchor=point == task.anchor)


def _with_remark(measurement: Measurement, outcome: GroupOutcome, *, is_short_of_memory: bool) -> Measurement:
    """Say of a measured point that it was timed without its anchor or in a smaller group, and why."""
    task, latency = outcome.task, measurement.latency
    if latency is None or measurement.status is not Status.MEASURED:
        return measurement
    part = task.part or (Part(len(task.subjects), _NO_ROOM) if is_short_of_memory else None)
    if part is not None:
        has_anchor = task.with_anchor and outcome.anchor_status is not Status.OUT_OF_MEMORY
        company = "in a smaller group" if has_anchor else "without its anchor"
        size = f"{latency.timed_together} of the group's {part.whole} subjects"
        remark = f"timed {company}: {size} ({part.why})"
    elif outcome.anchor_status not in (None, Status.MEASURED, Status.INTERRUPTED):
        remark = f"timed without its anchor, which ended {outcome.anchor_status}"
    else:
        return measurement
    return replace(measurement, reason="; ".join(filter(None, (remark, measurement.reason))))


def _lost(outcome: GroupOutcome) -> Measurement:
    """Give the measurement of a point that the outcome says nothing of."""
    death = outcome.death
    if death is None:
        return Measurement(status=Status.FAILED, reason="the worker gave no measurement of this point")
    return Measurement(status=death.status, reason=_reason(death), log_tail=death.log_tail)


def _reason(death: WorkerDeath) -> str:
    if death.status is Status.CRASHED and _KERNEL_KILLS_WITH in death.reason:
        return f"{death.reason}, most likely by the kernel because memory ran out"
    return death.reason
