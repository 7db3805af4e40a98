"""What the engine's tests share: points, tasks, a stop flag, a watcher that remembers."""

import itertools
import sys
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from fakes import FakeInstrument
from octprobe.engine.protocol import GroupTask, InstrumentSpec
from octprobe.plan.point import Conditions, DesignPoint, NetworkSubject
from octprobe.plan.space import Group, gather_groups
from octprobe.plan.spec import Measure
from octprobe.store.records import Measurement
from octprobe.store.row import Row

SETTINGS = Measure(timeout_seconds=1)
ALPHAS = ("0", "0.25", "0.5")


def points(network: str, alphas: Sequence[str] = ALPHAS, batch: int = 1) -> tuple[DesignPoint, ...]:
    """Give a network's points at some alphas."""
    return tuple(
        DesignPoint(
            subject=NetworkSubject(network=network, alpha=Decimal(alpha)), conditions=Conditions(batch=batch)
        )
        for alpha in alphas
    )


def groups(*networks: str) -> tuple[Group, ...]:
    """Give one group a network."""
    return gather_groups(point for network in networks for point in points(network))


def task(network: str, alphas: Sequence[str] = ALPHAS) -> GroupTask:
    """Give a network's group as a task."""
    members = points(network, alphas)
    return GroupTask(members[0].anchor(), members, SETTINGS)


def instrument(folder: Path, **arguments: object) -> InstrumentSpec:
    """Name the fake instrument, whose journal lies in a folder."""
    return InstrumentSpec("fakes:FakeInstrument", {"journal": str(folder / "journal.txt"), **arguments})


class TirelessInstrument(FakeInstrument):
    """Times round after round until it is told to stop."""

    def time_group(
        self, task: Any, note: Callable[[str], None], after_round: Callable[[int], bool]
    ) -> tuple[Mapping[str, Measurement], frozenset[str]]:
        """Give what was timed, none of it settled."""
        timed, _ = super().time_group(task, note, lambda _: True)
        next(number for number in itertools.count(1) if not after_round(number))
        return timed, frozenset()


def journal(folder: Path) -> list[str]:
    """Give the ids that were timed, in order."""
    path = folder / "journal.txt"
    return path.read_text().split() if path.exists() else []


class Flag:
    """A stop flag that a test sets."""

    def __init__(self, *, after_looks: int | None = None) -> None:
        self._looks_left = after_looks

    def is_set(self) -> bool:
        """Count a look; set once the looks are used up."""
        if self._looks_left is None:
            return False
        self._looks_left -= 1
        return self._looks_left < 0


class Memo:
    """A watcher that remembers what it was told."""

    def __init__(self) -> None:
        self.pending: list[DesignPoint] = []
        self.resumed = 0
        self.notes: list[str] = []
        self.rows: list[Row] = []

    def planned(self, pending: Sequence[DesignPoint], resumed: int) -> None:
        """See `Watcher`."""
        self.pending, self.resumed = list(pending), resumed

    def note(self, text: str) -> None:
        """See `Watcher`."""
        self.notes.append(text)

    def say(self, text: str) -> None:
        """See `Watcher`."""
        self.notes.append(text)

    def saved(self, rows: Sequence[tuple[DesignPoint, Row]]) -> None:
        """See `Watcher`."""
        assert all(point.point_id == row.point_id for point, row in rows)
        self.rows += [row for _, row in rows]


class LoudInstrument(FakeInstrument):
    """Writes to its journal, when it loads, what arguments its process has."""

    def __init__(self, journal: str) -> None:
        super().__init__(journal)
        with Path(journal).open("a") as lines:
            lines.write(f"loaded{sys.argv[1:]}\n")


class OnlyOnceInstrument(FakeInstrument):
    """Cannot be loaded by any worker but the first, which the log it writes to tells."""

    def __init__(self, journal: str) -> None:
        super().__init__(journal)
        if Path("/dev/stdout").resolve().name != "1.log":
            raise RuntimeError("there can be only one")
