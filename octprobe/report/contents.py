"""What a report says, as plain data: both formats show the same."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from octprobe.explore.break_even import BreakEven, break_even
from octprobe.explore.doubts import explained
from octprobe.explore.environments import ENVIRONMENT_COLUMNS, incomparable
from octprobe.explore.fastest import Fastest, fastest_alphas
from octprobe.explore.groups import Record
from octprobe.explore.known_accuracies import known_accuracies
from octprobe.explore.labels import row_label
from octprobe.figures.rows import conditions_of
from octprobe.figures.shapes import Table
from octprobe.store.accuracy import Accuracy
from octprobe.store.query import load_readable, records
from octprobe.store.records import PassSeconds, Status
from octprobe.store.store import DamagedPart, refuse_empty

# A page is read by a person; the store holds the rest, and the page says so.
MOST_FAILURES = 50
_LOG_LINES = 30
# Long cells that no finding reads: a cell of each row becomes a value of Python's.
_UNREAD = (
    "breakdown_parts",
    "breakdown_operators",
    "log_tail",
    "uncounted_ops",
    "reason",
    "spec_digest",
    "sweep",
    "octprobe",
    "protocol",
    *(f"{field.name}_seconds" for field in fields(PassSeconds)),
)


@dataclass(frozen=True)
class Failure:
    """A point that was not measured."""

    label: str
    status: str
    reason: str
    log_tail: str


@dataclass(frozen=True)
class Contents:
    """All that a report says beside its figures.

    Attributes:
        name: the store's folder, without where it lies.
        points: rows, one a point and environment.
        statuses: how many points ended how, the most frequent first.
        recorded: when the first and the last row was written, UTC.
        conditions: devices and conditions of the measured points.
        environments: a row an environment, with its number of points.
        environment_records: the same as plain values.
        incomparable: why rows of several environments may not be compared; None where there is one.
        findings: the fastest alpha of each group.
        break_evens: the smallest alpha that is FASTER, of each group and variant.
        doubts: each doubt with what it means, what to do, and how many measured points have it.
        failures: the first points that were not measured.
        failed: how many there are.
        damaged: a line for each part of the store that cannot be read.
    """

    name: str
    points: int
    statuses: tuple[tuple[str, int], ...]
    recorded: tuple[str, str]
    conditions: str
    environments: Table
    environment_records: tuple[Record, ...]
    incomparable: str | None
    findings: tuple[Fastest, ...]
    break_evens: tuple[BreakEven, ...]
    doubts: tuple[str, ...]
    failures: tuple[Failure, ...]
    failed: int
    damaged: tuple[str, ...]

    @property
    def headline(self) -> str:
        """Say in how many cases OctConv pays."""
        decided = [finding for finding in self.findings if finding.alpha is not None]
        if not decided:
            return (
                "No octave point was measured beside its vanilla form, so nothing can be said of alpha yet."
            )
        faster = sum(finding.beats_vanilla for finding in decided)
        if len(decided) == 1:
            return f"{decided[0].subject}: {decided[0].sentence()}."
        if not faster:
            return f"No alpha is shown to beat vanilla in any of {len(decided)} cases."
        return f"An alpha is FASTER than vanilla in {faster} of {len(decided)} cases."


class Read(NamedTuple):
    """What a report says of a store, the rows and accuracies it says it of, and the parts left unread."""

    contents: Contents
    frame: pd.DataFrame
    accuracies: tuple[Accuracy, ...]
    damaged: tuple[DamagedPart, ...]


def read_contents(store: str | Path) -> Read:
    """Read a store, past damaged parts, and gather what a report says.

    Raises:
        StoreError: there is no store, it was written by a newer octprobe, or it holds no rows.
    """
    loaded = load_readable(store)
    refuse_empty(store, len(loaded.frame), loaded.damaged)
    known = known_accuracies(store)
    parts = (*loaded.damaged, *known.damaged)
    damaged = tuple(f"{part.path.name} is damaged; its rows are left out" for part in parts)
    contents = contents_of(loaded.frame, Path(store).resolve().name, damaged)
    return Read(contents, loaded.frame, known.accuracies, parts)


def contents_of(frame: pd.DataFrame, name: str, damaged: Sequence[str] = ()) -> Contents:
    """Gather what a report says of rows.

    Args:
        frame: rows as `octprobe.load` gives them; at least one.
        name: what the store is called.
        damaged: a line for each part that could not be read.
    """
    measured = frame[(frame["status"] == Status.MEASURED).to_numpy()]
    missed = frame[(frame["status"] != Status.MEASURED).to_numpy()]
    slim = frame.drop(columns=list(_UNREAD), errors="ignore")
    places = frame[["env_id", "device", *ENVIRONMENT_COLUMNS]].drop_duplicates("env_id")
    return Contents(
        name=name,
        points=len(frame),
        statuses=tuple(Counter(frame["status"]).most_common()),
        recorded=(_moment(frame["recorded_at"].min()), _moment(frame["recorded_at"].max())),
        conditions=conditions_of(measured if len(measured) else frame),
        environments=_environments(records(places), Counter(frame["env_id"])),
        environment_records=tuple(records(places)),
        incomparable=incomparable(records(places)),
        findings=tuple(fastest_alphas(slim)),
        break_evens=tuple(break_even(slim)),
        doubts=_doubts(measured),
        failures=tuple(map(_failure, records(missed.head(MOST_FAILURES)))),
        failed=len(missed),
        damaged=tuple(damaged),
    )


def _moment(moment: Any) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _environments(places: Sequence[Record], points: Mapping[str, int]) -> Table:
    """Give what is known of each environment; columns that none has are left out."""
    names = [name for name in ("device", *ENVIRONMENT_COLUMNS) if any(p[name] is not None for p in places)]
    rows = [
        (place["env_id"], points[place["env_id"]], *(_shown(place[name]) for name in names))
        for place in places
    ]
    return Table(("environment", "points", *(name.replace("_", " ") for name in names)), tuple(rows))


def _shown(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


def _doubts(measured: pd.DataFrame) -> tuple[str, ...]:
    counts = Counter(doubt for doubts in measured["doubts"].dropna() for doubt in doubts)
    return tuple(
        f"{count} of {len(measured)} measured points: {explained(doubt)}"
        for doubt, count in counts.most_common()
    )


def _failure(record: Record) -> Failure:
    tail = (record.get("log_tail") or "").splitlines()[-_LOG_LINES:]
    reason = record.get("reason") or "no reason recorded"
    return Failure(row_label(record), record["status"], reason, "\n".join(tail))
