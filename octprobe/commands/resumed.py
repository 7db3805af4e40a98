"""What a store that is resumed says of a sweep's points before anything is measured."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from octprobe.store.index import INDEX_COLUMNS, ResumeIndex
from octprobe.store.records import Status

if TYPE_CHECKING:
    from octprobe.plan.point import DesignPoint
    from octprobe.store.records import Environment
    from octprobe.store.store import Store


def resumption_lines(
    store: "Store",
    points: Sequence["DesignPoint"],
    here: "Environment",
    *,
    fresh: bool,
    retry: frozenset[str],
) -> list[str]:
    """Say which points another environment makes measured again, and which stay skipped.

    Args:
        store: the rows of before.
        points: the sweep's points.
        here: the environment in which they are to be measured.
        fresh: whether all of them are measured again.
        retry: statuses and doubts whose points are measured again.
    """
    from octprobe.explore.environments import ENVIRONMENT_COLUMNS, measured_elsewhere

    columns = dict.fromkeys((*INDEX_COLUMNS, *ENVIRONMENT_COLUMNS))
    attempts = store.read(list(columns)).table.to_pylist()
    lines = [measured_elsewhere(attempts, here, {point.point_id for point in points})]
    if not fresh and Status.SKIPPED not in retry:
        lines.append(skipped_before(attempts, points, here))
    return [line for line in lines if line]


def skipped_before(
    attempts: Iterable[Mapping[str, Any]], points: Iterable["DesignPoint"], here: "Environment"
) -> str | None:
    """Say in a line how many points stay skipped; None where there is none.

    Rules that are newer than the row may convert them, and the row does not tell by which it was skipped.
    """
    index = ResumeIndex.of(attempts)
    last = (index.last(point.point_id, here.env_id) for point in points)
    count = sum(attempt is not None and attempt.status == Status.SKIPPED for attempt in last)
    if not count:
        return None
    return (
        f"{'1 point was' if count == 1 else f'{count} points were'} skipped by an earlier run; "
        f"`--retry skipped` tries {'it' if count == 1 else 'them'} again."
    )
