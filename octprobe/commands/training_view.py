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
            self.say(f"{task.label}: {faults[0].status}: {faults[0].reason}")
            return
        found = [row for row in rows if row.split == rows[-1].split]
        at = ", ".join(f"{row.top1_percent:.2f} %" for row in found if row.top1_percent is not None)
        self.say(f"{task.label}: {rows[-1].split} top-1 {at}, in {show_duration(rows[-1].seconds or 0.0)}")

    def tell(self, text: str) -> None:
        """Show what is over with the next epoch."""
        self.say(text)

    def say(self, text: str) -> None:
        """Show a line; a reader that went away, or a full disk, ends the lines and not the training."""
        with contextlib.suppress(OSError, ValueError):
            print(text, file=self._stream, flush=True)

    def close(self) -> None:
        """Hear that all is over."""


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
        self._bar = self._progress.add_task(
            "reading the data", total=sum(task.epochs for task in tasks) or None
        )
        super().__init__(tasks, resumed, console.file)  # type: ignore[arg-type]  # rich's own text stream
        self._progress.start()

    def started(self, task: "Task", epochs_done: int) -> None:
        """See `TrainingView`."""
        super().started(task, epochs_done)
        self._progress.update(self._bar, advance=epochs_done, description=escape(task.label))

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
