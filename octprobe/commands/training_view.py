"""How trainings go, for a person: a bar with an ETA on a terminal, plain lines elsewhere."""

import contextlib
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, TextIO

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from octprobe.units import show_duration

if TYPE_CHECKING:
    from octprobe.accuracy.checkpoint import Task
    from octprobe.accuracy.loop import Progress as TrainingProgress
    from octprobe.store.accuracy_run import AccuracyRun
    from octprobe.store.file_lock import Holder


class TrainingView:
    """Plain lines, for logs and pipes: one an epoch, one a training.

    Args:
        tasks: what is to be trained.
        resumed: trainings that are done already.
        stream: where the lines go.
    """

    def __init__(self, tasks: "Sequence[Task]", resumed: int, stream: TextIO) -> None:
        self._stream = stream
        self._left = sum(task.epochs for task in tasks)
        self._done = 0
        self._start = time.monotonic()
        kept = f"; {resumed} are done already and are kept" if resumed else ""
        self.say(f"{len(tasks)} trainings to do, of {self._left} epochs{kept}.")

    @property
    def eta(self) -> str:
        """Say how long the rest will take at the pace so far."""
        if not self._left:
            return "all done"
        if not self._done:
            return "ETA after the first epoch"
        return f"ETA {show_duration((time.monotonic() - self._start) / self._done * self._left)}"

    def started(self, task: "Task", epochs_done: int) -> None:
        """Hear that a training begins; epochs that an earlier run did are not this one's pace."""
        self._left -= epochs_done
        if epochs_done:
            self.say(f"{task.label}: goes on after epoch {epochs_done} of {task.epochs}")

    def epoch(self, task: "Task", progress: "TrainingProgress") -> None:
        """Hear that one more epoch is done."""
        self._left, self._done = self._left - 1, self._done + 1
        self.tell(
            f"{task.label}: epoch {progress.epochs}/{task.epochs}, loss {progress.losses[-1]:.4f}; {self.eta}"
        )

    def ended(self, task: "Task", rows: "Sequence[AccuracyRun]") -> None:
        """Hear what is in the store now; what a training that ended early leaves undone needs no time."""
        faults = [row for row in rows if row.reason is not None]
        if faults:
            self._left -= task.epochs - (faults[0].epochs or 0)
        self.say(f"{task.label}: {_result(task, rows)}")

    def taken(self, task: "Task", rows: "Sequence[AccuracyRun]") -> None:
        """Hear that another process has ended a training, which needs no time here."""
        self._left -= task.epochs
        self.say(f"{task.label}: ended elsewhere: {_result(task, rows)}")

    def waiting(self, tasks: "Sequence[Task]", holder: "Holder | None") -> None:
        """Hear that other processes have in hand all that is left."""
        first = f", {tasks[0].label} with {holder}" if holder else ""
        trainings = "1 training is" if len(tasks) == 1 else f"{len(tasks)} trainings are"
        self.say(f"{trainings} in hand elsewhere{first}; waiting for the end.")

    def tell(self, text: str) -> None:
        """Show what is over with the next epoch."""
        self.say(text)

    def say(self, text: str) -> None:
        """Show a line; a reader that went away, or a full disk, ends the lines and not the training."""
        with contextlib.suppress(OSError, ValueError):
            print(text, file=self._stream, flush=True)

    def close(self) -> None:
        """Hear that all is over."""


def _result(task: "Task", rows: "Sequence[AccuracyRun]") -> str:
    """Say how a training ended: its fault, or its answers on the split that was asked last."""
    faults = [row for row in rows if row.reason is not None]
    if faults:
        return f"{faults[0].status}: {faults[0].reason}"
    last = rows[-1]
    found = [row for row in rows if row.split == last.split and row.top1_percent is not None]
    at = ", ".join(_top1(task, row) for row in found)
    return f"{last.split} top-1 {at}, in {show_duration(last.seconds or 0.0)}"


def _top1(task: "Task", row: "AccuracyRun") -> str:
    """Give a figure, and of a training for several alphas the one that it holds at."""
    at = row.alpha_map if row.alpha is None else f"{row.alpha:g}"
    return f"{row.top1_percent:.2f} %" + (f" at alpha {at}" if task.alpha is None else "")


class TerminalTrainingView(TrainingView):
    """A bar of epochs, and a line a training."""

    def __init__(self, tasks: "Sequence[Task]", resumed: int, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.description}"),
            console=console,
            transient=True,
        )
        self._bar = self._progress.add_task("starting", total=sum(task.epochs for task in tasks) or None)
        super().__init__(tasks, resumed, console.file)  # type: ignore[arg-type]  # rich's own text stream
        self._progress.start()

    def started(self, task: "Task", epochs_done: int) -> None:
        """See `TrainingView`."""
        super().started(task, epochs_done)
        self._progress.update(self._bar, advance=epochs_done, description=escape(task.label))

    def taken(self, task: "Task", rows: "Sequence[AccuracyRun]") -> None:
        """See `TrainingView`."""
        super().taken(task, rows)
        self._progress.update(self._bar, advance=task.epochs)

    def tell(self, text: str) -> None:
        """See `TrainingView`."""
        self._progress.update(self._bar, advance=1, description=escape(text))

    def say(self, text: str) -> None:
        """See `TrainingView`."""
        self._console.print(escape(text), highlight=False, soft_wrap=True)

    def close(self) -> None:
        """See `TrainingView`."""
        self._progress.stop()


def open_training_view(tasks: "Sequence[Task]", *, resumed: int, as_json: bool) -> TrainingView:
    """Choose how to show progress; beside JSON it goes to stderr, so that stdout holds JSON only."""
    console = Console(stderr=as_json)
    if console.is_terminal:
        return TerminalTrainingView(tasks, resumed, console)
    return TrainingView(tasks, resumed, sys.stderr if as_json else sys.stdout)
