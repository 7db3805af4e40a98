"""How a sweep goes, for a person: a bar with an ETA on a terminal, plain lines elsewhere."""

import contextlib
import sys
import time
from collections.abc import Callable, Sequence
from typing import Protocol, TextIO

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Column

from octprobe.commands.terminal import VERDICT_STYLES
from octprobe.engine.run import Watcher
from octprobe.explore.doubts import OF_THE_MACHINE, explained
from octprobe.plan.point import DesignPoint
from octprobe.store.row import Row
from octprobe.units import show_duration, show_ms


class SweepView(Watcher, Protocol):
    """A watcher that a command opens and closes."""

    def close(self) -> None:
        """Hear that the run has ended."""


def row_line(point: DesignPoint, row: Row) -> str:
    """Give a finished point in one line: its time with interval and samples, its verdict, its own doubts."""
    if row.latency_ms_median is None:
        return f"{point.label()}: {row.status}: {row.reason}"
    parts = [show_ms(row.latency_ms_median)]
    if row.latency_ms_ci_low is not None:
        parts.append(f"[{show_ms(row.latency_ms_ci_low)}, {show_ms(row.latency_ms_ci_high)}]")
    parts.append(f"n={row.latency_samples}")
    if row.time_ratio_median is not None:
        parts.append(f"{row.time_ratio_median:.3f} of vanilla, {row.verdict}")
    if row.status != "measured":
        parts.append(row.status)
    doubts = [doubt for doubt in row.doubts or () if doubt not in OF_THE_MACHINE]
    if doubts:
        parts.append("doubts: " + ", ".join(doubts))
    if row.reason:
        parts.append(f"({row.reason})")
    return f"{point.label()}: " + " ".join(parts)


class MachineDoubts:
    """The doubts that the machine casts on every row, each told once."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def lines(self, rows: Sequence[tuple[DesignPoint, Row]]) -> list[str]:
        """Give a line for each such doubt of finished points that has not been told before."""
        seen = dict.fromkeys(doubt for _, row in rows for doubt in row.doubts or ())
        new = [doubt for doubt in seen if doubt in OF_THE_MACHINE and doubt not in self._told]
        self._told.update(new)
        return [f"every row: {explained(doubt)}" for doubt in new]


class Pace:
    """How far a run is, and how long the rest will take at the pace so far.

    Args:
        weight: expected seconds of a point, or None where nobody knows; then it counts as an average one.
    """

    def __init__(self, weight: Callable[[DesignPoint], float | None] = lambda _: None) -> None:
        self.total = 0
        self.done = 0
        self._weight = weight
        self._left: dict[str, float] = {}
        self._whole = 0.0
        self._start = time.monotonic()

    def plan(self, points: Sequence[DesignPoint]) -> None:
        """Take down what is to be done."""
        weights = {point.point_id: self._weight(point) for point in points}
        known = [weight for weight in weights.values() if weight is not None]
        usual = sum(known) / len(known) if known else 1.0
        self._left = {name: usual if weight is None else weight for name, weight in weights.items()}
        self._whole, self.total = sum(self._left.values()), len(points)
        self._start = time.monotonic()

    def advance(self, points: Sequence[DesignPoint]) -> None:
        """Take down what is done."""
        self.done += len(points)
        for point in points:
            self._left.pop(point.point_id, None)

    @property
    def eta(self) -> str:
        """Say how long the rest will take."""
        left = sum(self._left.values())
        if left == self._whole:
            return "ETA after the first group"
        elapsed = time.monotonic() - self._start
        return f"ETA {show_duration(elapsed / (self._whole - left) * left)}" if left else "all done"


class PlainView:
    """Plain lines, for logs and pipes."""

    def __init__(self, stream: TextIO, pace: Pace | None = None) -> None:
        self._stream = stream
        self._pace = pace or Pace()
        self._machine = MachineDoubts()

    def planned(self, pending: Sequence[DesignPoint], resumed: int) -> None:
        """See `SweepView`."""
        self._pace.plan(pending)
        self.say(_plan_line(len(pending), resumed))

    def note(self, text: str) -> None:
        """See `SweepView`; a log has no use for what is over in a moment."""

    def saved(self, rows: Sequence[tuple[DesignPoint, Row]]) -> None:
        """See `SweepView`."""
        for line in self._machine.lines(rows):
            self.say(line)
        for point, row in rows:
            self.say(row_line(point, row))
        self._pace.advance([point for point, _ in rows])
        self.say(f"[{self._pace.done}/{self._pace.total}] saved; {self._pace.eta}")

    def say(self, text: str) -> None:
        """See `SweepView`; a reader that went away, or a full disk, ends the lines and not the sweep."""
        with contextlib.suppress(OSError, ValueError):
            print(text, file=self._stream, flush=True)

    def close(self) -> None:
        """See `SweepView`."""


class TerminalView:
    """A bar that is redrawn only when something is heard, so that it does not disturb a timed block."""

    def __init__(self, console: Console, pace: Pace | None = None) -> None:
        self._console = console
        self._pace = pace or Pace()
        self._machine = MachineDoubts()
        fixed, flexible = (
            Column(no_wrap=True, min_width=24),
            Column(no_wrap=True, overflow="ellipsis", ratio=1),
        )
        self._progress = Progress(
            BarColumn(bar_width=24, table_column=fixed),
            MofNCompleteColumn(table_column=Column(no_wrap=True, min_width=7)),
            TextColumn("{task.description}", table_column=flexible),
            console=console,
            auto_refresh=False,
            transient=True,
            expand=True,
        )
        self._bar = self._progress.add_task("starting the worker", total=None)
        self._progress.start()

    def planned(self, pending: Sequence[DesignPoint], resumed: int) -> None:
        """See `SweepView`."""
        self._pace.plan(pending)
        self._progress.update(self._bar, total=len(pending))
        self.say(_plan_line(len(pending), resumed))

    def note(self, text: str) -> None:
        """See `SweepView`."""
        self._progress.update(self._bar, description=f"{self._pace.eta}: {escape(text)}")
        self._progress.refresh()

    def saved(self, rows: Sequence[tuple[DesignPoint, Row]]) -> None:
        """See `SweepView`."""
        for line in self._machine.lines(rows):
            self.say(line)
        for point, row in rows:
            style = VERDICT_STYLES.get(row.verdict or "", "" if row.status == "measured" else "bold red")
            self._console.print(escape(row_line(point, row)), style=style, highlight=False, soft_wrap=True)
        self._pace.advance([point for point, _ in rows])
        self._progress.advance(self._bar, len(rows))
        self._progress.refresh()

    def say(self, text: str) -> None:
        """See `SweepView`."""
        self._console.print(escape(text), highlight=False, soft_wrap=True)

    def close(self) -> None:
        """See `SweepView`."""
        self._progress.stop()


def open_view(pace: Pace, *, as_json: bool) -> SweepView:
    """Choose how to show progress; beside JSON it goes to stderr, so that stdout holds JSON only."""
    console = Console(stderr=as_json)
    if console.is_terminal:
        return TerminalView(console, pace)
    return PlainView(sys.stderr if as_json else sys.stdout, pace)


def _plan_line(pending: int, resumed: int) -> str:
    kept = f"; {resumed} are done already and are kept" if resumed else ""
    return f"{pending} points to measure{kept}."
