"""The trainings that are left, shared with whoever else is at work on the same store: none is done twice."""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, Protocol

from octprobe.accuracy.checkpoint import Task
from octprobe.accuracy.claim import claimed, holder_of
from octprobe.accuracy.experiment import Experiment, Watcher, rows_of
from octprobe.store.accuracy_run import AccuracyRun
from octprobe.store.accuracy_runs import key_of, read_runs
from octprobe.store.file_lock import Holder

# A training takes minutes; a look takes a few milliseconds.
_PAUSE_SECONDS = 2


class CrewWatcher(Watcher, Protocol):
    """Hears of trainings here, and of those that other processes have in hand."""

    def taken(self, task: Task, rows: Sequence[AccuracyRun]) -> None:
        """Hear that another process has ended a training, and what is now in the store."""

    def waiting(self, tasks: Sequence[Task], holder: Holder | None) -> None:
        """Hear that all that is left is in hand elsewhere, and whose the first of it is."""


class Worked(NamedTuple):
    """What has come of the trainings that were left: their rows, and how many another process did."""

    rows: list[AccuracyRun]
    elsewhere: int


class Crew:
    """One process of those that work on a store.

    Args:
        experiment: where it trains.
        rows: what the store held when it was found out what is left.
        watch: hears how it goes.
        pause: waits a moment before trainings of others are looked at again.
    """

    def __init__(
        self,
        experiment: Experiment,
        rows: Iterable[AccuracyRun],
        watch: CrewWatcher,
        pause: Callable[[], None] = lambda: time.sleep(_PAUSE_SECONDS),
    ) -> None:
        self._experiment, self._watch, self._pause = experiment, watch, pause
        self._known = {_stamp(row) for row in rows}
        self._rows: list[AccuracyRun] = []
        self._elsewhere = 0

    def work_off(self, tasks: Sequence[Task]) -> Worked:
        """Train what nobody else has in hand, then wait for the rest; what others leave undone is taken over.

        Raises:
            StoreError: the store cannot be written.
            UsageError: as `Experiment.run`.
        """
        left, is_told = list(tasks), False
        while left:
            in_hand = [task for task in left if not self._ended(task)]
            if len(in_hand) == len(left):
                if not is_told:
                    self._watch.waiting(in_hand, holder_of(in_hand[0], self._experiment.store))
                    is_told = True
                self._pause()
            left = in_hand
        return Worked(self._rows, self._elsewhere)

    def _ended(self, task: Task) -> bool:
        """Train, unless another process does so now or has done so; tell whether it has come to an end."""
        with claimed(task, self._experiment.store) as is_mine:
            if not is_mine:
                return False
            found = self._done_elsewhere(task)
            if found:
                self._elsewhere += 1
                self._watch.taken(task, found)
            self._rows += found or self._experiment.run(task, self._watch)
        return True

    def _done_elsewhere(self, task: Task) -> list[AccuracyRun]:
        """Give the rows of a training that another process has ended, well or not, since this one began."""
        rows = rows_of(task, read_runs(self._experiment.store).rows)
        return [row for row in rows if _stamp(row) not in self._known]


def _stamp(row: AccuracyRun) -> tuple[Any, ...]:
    return (*key_of(row), row.recorded_at)
