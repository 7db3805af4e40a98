"""A process that trains stripes in a store; it is killed, or waits for a word, where its caller wants it to.

Called as `python crew_member.py STORE KIND THREADS MOMENT`.
"""

import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from octprobe.accuracy import experiment as module
from octprobe.accuracy.checkpoint import Task
from octprobe.accuracy.crew import Crew
from octprobe.accuracy.experiment import Experiment, pending, tasks_of
from octprobe.accuracy.loop import Progress
from octprobe.plan.recipe import Kind, Recipe
from octprobe.store import publish
from octprobe.store.accuracy_run import AccuracyRun
from octprobe.store.accuracy_runs import read_runs
from octprobe.store.file_lock import Holder
from trainings import recipe, small_data


def asked() -> Recipe:
    """Give what every member of the crew is asked for: at two alphas, from two seeds."""
    return recipe(epochs=3, seeds=(0, 1))


def experiment(store: Path) -> Experiment:
    """Give an experiment on stripes."""
    return Experiment(store, small_data(), torch.device("cpu"), "here", allow_import=True)


def left(store: Path, kind: Kind) -> tuple[Task, ...]:
    """Give what is to be done."""
    return pending(tasks_of(asked(), kind, "stripes"), read_runs(store).rows)


def die(*_: object) -> None:
    """End as the kernel ends a process that wants too much memory."""
    os.kill(os.getpid(), signal.SIGKILL)


class Teller:
    """Tells its caller each event in a line; after the first epoch of all it may wait for a word."""

    def __init__(self, *, waits: bool) -> None:
        self._waits = waits

    def started(self, task: Task, epochs_done: int) -> None:
        """Tell it."""
        tell(f"started {label(task)} {epochs_done}")

    def epoch(self, task: Task, progress: Progress) -> None:
        """Wait once, where that is wanted."""
        if self._waits:
            self._waits = False
            tell("in hand")
            hear()

    def ended(self, task: Task, rows: Sequence[AccuracyRun]) -> None:
        """Let it pass."""

    def taken(self, task: Task, rows: Sequence[AccuracyRun]) -> None:
        """Tell it."""
        tell(f"taken {label(task)}")

    def waiting(self, tasks: Sequence[Task], holder: Holder | None) -> None:
        """Tell it."""
        tell(f"waiting for {holder.pid if holder else None}")


def label(task: Task) -> str:
    """Name a training in a word."""
    return f"{task.alpha}/{task.seed}"


def tell(line: str) -> None:
    """Say a line to the caller."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def hear() -> None:
    """Wait for a word of the caller."""
    sys.stdin.readline()


def and_then_die(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make a function the last thing that is done."""

    def last(*arguments: Any) -> None:
        function(*arguments)
        die()

    return last


def prepare(moment: str, teller: Teller) -> None:
    """Set the moment of death."""
    if moment == "after an epoch":
        teller.epoch = die  # type: ignore[method-assign]  # that is the end of it
    elif moment == "amid writing":
        publish.os.fsync = die  # type: ignore[assignment]  # that is the end of it
    elif moment == "before the rows":
        module.append_runs = die  # type: ignore[assignment]  # that is the end of it
    elif moment == "after the rows":
        module.append_runs = and_then_die(module.append_runs)


def main(store: Path, kind: Kind, moment: str) -> None:
    """Work until all is done, or until the moment of death."""
    if moment == "waits before it begins":
        hear()
    teller = Teller(waits=moment == "waits amid its first training")
    prepare(moment, teller)
    rows = read_runs(store).rows
    Crew(experiment(store), rows, teller, pause=hear).work_off(left(store, kind))


if __name__ == "__main__":
    torch.set_num_threads(int(sys.argv[3]))
    main(Path(sys.argv[1]), Kind(sys.argv[2]), sys.argv[4])
