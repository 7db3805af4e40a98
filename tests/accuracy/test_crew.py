"""Trainings shared with others at work on the same store: each is done once."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import torch

from octprobe.accuracy.checkpoint import Task
from octprobe.accuracy.claim import claimed
from octprobe.accuracy.crew import Crew, Worked
from octprobe.accuracy.experiment import Experiment, tasks_of
from octprobe.accuracy.loop import Progress
from octprobe.plan.recipe import Kind
from octprobe.store.accuracy_run import AccuracyRun
from octprobe.store.accuracy_runs import append_runs, read_runs
from octprobe.store.file_lock import Holder
from trainings import recipe, small_data

SEEDS = (0, 1, 2)


class Heard:
    """Remembers what a watcher hears, by seed."""

    def __init__(self) -> None:
        self.lines: list[tuple[Any, ...]] = []

    def started(self, task: Task, epochs_done: int) -> None:
        """Take it down."""
        self.lines.append(("started", task.seed, epochs_done))

    def epoch(self, task: Task, progress: Progress) -> None:
        """Let it pass."""

    def ended(self, task: Task, rows: Sequence[AccuracyRun]) -> None:
        """Take it down."""
        self.lines.append(("ended", task.seed))

    def taken(self, task: Task, rows: Sequence[AccuracyRun]) -> None:
        """Take it down."""
        self.lines.append(("taken", task.seed, rows[0].status))

    def waiting(self, tasks: Sequence[Task], holder: Holder | None) -> None:
        """Take it down."""
        self.lines.append(("waiting", [task.seed for task in tasks], holder is not None))


@pytest.fixture
def tasks() -> tuple[Task, ...]:
    """Give three trainings of an epoch."""
    asked = recipe(alphas=(Decimal("0.5"),), seeds=SEEDS, epochs=1, warmup=0)
    return tasks_of(asked, Kind.TRAINED, "stripes")


def experiment(store: Path) -> Experiment:
    """Give an experiment on stripes."""
    return Experiment(store, small_data(), torch.device("cpu"), "here", allow_import=True)


def work_off(store: Path, tasks: Sequence[Task], heard: Heard, pause: Callable[[], None]) -> Worked:
    """Work as the command does."""
    return Crew(experiment(store), read_runs(store).rows, heard, pause).work_off(tasks)


def no_pause() -> None:
    """Say that nobody is to be waited for."""
    pytest.fail("waited")


def in_hand(task: Task, store: Path) -> AbstractContextManager[bool]:
    """Have a training in hand, as another process would: a lock knows no processes but open files."""
    return claimed(task, store)


def finish(store: Path, task: Task, **changed: Any) -> None:
    """Put the end of a training into a store, as another process would."""
    other = store / "elsewhere"
    rows = experiment(other).run(task, Heard())
    append_runs(store, [AccuracyRun(**(vars(row) | changed)) for row in rows])


def test_alone_it_does_all(tmp_path: Path, tasks: tuple[Task, ...]) -> None:
    """In order, and gives the rows."""
    heard = Heard()
    worked = work_off(tmp_path, tasks, heard, no_pause)
    assert heard.lines == [line for seed in SEEDS for line in (("started", seed, 0), ("ended", seed))]
    assert worked.elsewhere == 0
    assert set(worked.rows) == set(read_runs(tmp_path).rows)
    assert not list(tmp_path.rglob("*.claim"))


def test_what_another_has_in_hand_is_passed_over_and_waited_for(
    tmp_path: Path, tasks: tuple[Task, ...]
) -> None:
    """The others are trained first; one line says who is waited for; what comes of it is this run's too."""
    heard, pauses = Heard(), []
    with ExitStack() as theirs:
        theirs.enter_context(in_hand(tasks[1], tmp_path))

        def pause() -> None:
            pauses.append(list(heard.lines))
            if len(pauses) == 3:
                finish(tmp_path, tasks[1])
                theirs.close()

        worked = work_off(tmp_path, tasks, heard, pause)
    assert [line[:2] for line in heard.lines] == [
        *[("started", 0), ("ended", 0), ("started", 2), ("ended", 2)],
        ("waiting", [1]),
        ("taken", 1),
    ]
    assert len(pauses) == 3
    assert pauses[0][-1] == ("waiting", [1], True)
    assert worked.elsewhere == 1
    assert sorted((row.seed, row.split) for row in worked.rows) == [
        (seed, split) for seed in SEEDS for split in ("test", "validation")
    ]


def test_what_another_did_since_is_not_done_again(tmp_path: Path, tasks: tuple[Task, ...]) -> None:
    """Though nobody has it in hand any more."""
    heard = Heard()
    crew = Crew(experiment(tmp_path), (), heard, no_pause)
    finish(tmp_path, tasks[0])
    assert crew.work_off(tasks[:2]).elsewhere == 1
    assert heard.lines == [("taken", 0, "trained"), ("started", 1, 0), ("ended", 1)]


def test_what_failed_elsewhere_is_not_tried_again_by_those_who_waited(
    tmp_path: Path, tasks: tuple[Task, ...]
) -> None:
    """Its end is this run's too; the next run tries it."""
    finish(tmp_path, tasks[0], status="failed")
    heard = Heard()
    with ExitStack() as theirs:
        theirs.enter_context(in_hand(tasks[0], tmp_path))

        def pause() -> None:
            finish(tmp_path, tasks[0], status="failed")
            theirs.close()

        worked = work_off(tmp_path, tasks[:1], heard, pause)
    assert heard.lines == [("waiting", [0], True), ("taken", 0, "failed")]
    assert {row.status for row in worked.rows} == {"failed"}
    again = Heard()
    work_off(tmp_path, tasks[:1], again, no_pause)
    assert again.lines == [("started", 0, 0), ("ended", 0)]


def test_what_a_killed_process_leaves_is_taken_over(tmp_path: Path, tasks: tuple[Task, ...]) -> None:
    """Its lock is free, and no row came of it."""
    heard = Heard()
    with ExitStack() as theirs:
        theirs.enter_context(in_hand(tasks[0], tmp_path))
        worked = work_off(tmp_path, tasks[:1], heard, theirs.close)
    assert heard.lines == [("waiting", [0], True), ("started", 0, 0), ("ended", 0)]
    assert worked.elsewhere == 0


def test_a_training_is_let_go_where_it_ends_early(
    tmp_path: Path, tasks: tuple[Task, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By Ctrl-C: another process may go on with it at once."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Experiment, "run", stop)
    with pytest.raises(KeyboardInterrupt):
        work_off(tmp_path, tasks, Heard(), no_pause)
    with in_hand(tasks[0], tmp_path) as mine:
        assert mine
