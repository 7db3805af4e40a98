"""The fronts of a store, read with no more of it than judging takes; whole rows of shown points only."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from octprobe.explore.accuracies import with_accuracies
from octprobe.explore.dominance.narrowing import axis_of, narrowed
from octprobe.explore.dominance.standings import Bound
from octprobe.explore.front import FrontInfo, front_info, goals_of
from octprobe.explore.front_record import judged_columns, shown_columns
from octprobe.explore.known_accuracies import Known, known_accuracies
from octprobe.store.accuracy_run import Split
from octprobe.store.columns import ColumnReader
from octprobe.store.store import DamagedPart, refuse_empty


class StoreFront(NamedTuple):
    """Fronts, and the parts of the store that could not be read."""

    info: FrontInfo
    damaged: tuple[DamagedPart, ...]


def store_front(
    path: str | Path,
    objectives: Sequence[str],
    budgets: Sequence[Bound] = (),
    given: Sequence[str] = (),
    *,
    accuracy_from: str | None = None,
    split: Split = Split.VALIDATION,
) -> StoreFront:
    """Find the fronts of a store; where an accuracy is asked for, the published and its own are joined.

    Args:
        path: the store.
        objectives: two or three names or columns.
        budgets: bounds.
        given: `AXIS=VALUE` each, to see fewer fronts.
        accuracy_from: the one source family of accuracies wanted; all, each with a front, where it is None.
        split: which images accuracies of the store's own trainings are on; see `known_accuracies`.

    Raises:
        StoreError: there is no store, it is newer than this octprobe, or it holds no rows.
        UsageError: what `front_info` and `narrowed` refuse.
    """
    wanted = (*goals_of(objectives), *(budget.objective for budget in budgets))
    axes = [axis_of(pair) for pair in given]
    joins = any(goal.is_accuracy for goal in wanted)
    columns = shown_columns(wanted)
    reader = ColumnReader(path)
    loaded = reader.read((*(columns if joins else judged_columns(wanted)), *axes))
    refuse_empty(path, len(loaded.frame), loaded.damaged)
    frame = narrowed(loaded.frame, given)
    known = known_accuracies(path, split) if joins else Known((), ())
    if joins:
        frame = with_accuracies(frame, known.accuracies, accuracy_from)
    fetch = None if joins else lambda places: reader.rows(columns, places)
    info = front_info(frame, *objectives, budgets=budgets, fetch=fetch)
    return StoreFront(info, (*loaded.damaged, *known.damaged))
