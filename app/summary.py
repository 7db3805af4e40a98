"""What was swept and what came of it, by columns: the same for ten rows and for a million."""

import shlex
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from octprobe.explore.break_even import break_even
from octprobe.explore.doubts import explained
from octprobe.explore.environments import ENVIRONMENT_COLUMNS, incomparable
from octprobe.explore.fastest import fastest_alphas
from octprobe.explore.groups import Record
from octprobe.explore.labels import alpha_label, condition_labels, environment_label, row_label
from octprobe.figures.shapes import Cell, Table
from octprobe.report.tables import break_even_table, place_names, verdicts_table
from octprobe.stats import Verdict
from octprobe.store.query import records
from octprobe.store.records import Status
from octprobe.store.store import SPECS_FOLDER

RATIO = "time_ratio_median"
_RATIO_COLUMNS = (RATIO, "time_ratio_ci_low", "time_ratio_ci_high", "pairs")
# What the overview reads beside what names a row.
COLUMNS = (
    *_RATIO_COLUMNS,
    *("latency_ms_median", "latency_ms_ci_low", "latency_ms_ci_high", "latency_samples"),
    *("macs", "reason", "recorded_at", "sweep", "spec_digest", "octave_exits"),
    *ENVIRONMENT_COLUMNS,
)
# A table that a person reads; the Rows page has them all.
MOST_LISTED = 50
# Findings of each group are made row by row.
MOST_FOR_FINDINGS = 3_000
_MOST_LOSING = 10


class Summary(NamedTuple):
    """All that the overview shows beside its findings group by group."""

    points: int
    headlines: list[str]
    verdicts: dict[str, int]
    statuses: list[tuple[str, int]]
    coverage: Table
    losing: Table
    doubts: list[str]
    environments: Table
    incomparable: str | None
    failures: "list[Failure]"
    failed: int


class Failure(NamedTuple):
    """A point that was not measured, and the command that tries again."""

    place: int
    label: str
    status: str
    reason: str
    retry: str


def summarize(frame: pd.DataFrame, store: str) -> Summary:
    """Gather what the overview shows of rows, which are at least one.

    Args:
        frame: rows with `COLUMNS` and what names a row.
        store: the folder, for commands.
    """
    places, apart = environments(frame)
    return Summary(
        points=len(frame),
        headlines=headlines(frame),
        verdicts=verdicts(frame),
        statuses=statuses(frame),
        coverage=coverage(frame),
        losing=losing(frame),
        doubts=doubts(frame),
        environments=places,
        incomparable=apart,
        failures=failures(frame, store),
        failed=int((~is_measured(frame)).sum()),
    )


def is_measured(frame: pd.DataFrame) -> Any:
    """Say of each row whether it was measured."""
    return (frame["status"] == Status.MEASURED).to_numpy(dtype=bool, na_value=False)


def statuses(frame: pd.DataFrame) -> list[tuple[str, int]]:
    """Count rows by status, the most frequent first."""
    return [(str(name), int(count)) for name, count in frame["status"].value_counts().items() if count]


def coverage(frame: pd.DataFrame) -> Table:
    """Say of each network, and of the layers, which alphas have rows and how those ended."""
    names = [name for name, _ in statuses(frame)]
    head = ("network or layers", "alphas", "points", *(f"{name}, points" for name in names))
    subject = frame["network"].astype(object).where(frame["network"].notna(), "single layers")
    rows: list[tuple[Cell, ...]] = []
    for name, members in frame.groupby(subject.to_numpy(), sort=True):
        counts = dict(statuses(members))
        rows.append((str(name), _alphas(members), len(members), *(counts.get(status, 0) for status in names)))
    return Table(head, tuple(rows))


def _alphas(members: pd.DataFrame) -> str:
    columns = ["alpha", "alpha_map", "alpha_in", "alpha_out"]
    distinct = records(members[columns].astype(object).drop_duplicates().head(MOST_LISTED))
    labels = sorted({alpha_label(record) for record in distinct})
    return ", ".join(labels[:12]) + (f" and {len(labels) - 12} more" if len(labels) > 12 else "")


def environments(frame: pd.DataFrame) -> tuple[Table, str | None]:
    """Give a row an environment, and why rows of several may not be compared."""
    names = ["device", *ENVIRONMENT_COLUMNS]
    places = records(frame[["env_id", *names]].drop_duplicates("env_id").astype(object))
    counts = frame["env_id"].value_counts()
    kept = [name for name in names if any(place[name] is not None for place in places)]
    table = Table(
        ("environment", "points", *(name.replace("_", " ") for name in kept)),
        tuple(
            (place["env_id"], int(counts[place["env_id"]]), *(_text(place[name]) for name in kept))
            for place in places
        ),
    )
    return table, incomparable(places)


def doubts(frame: pd.DataFrame) -> list[str]:
    """Say each doubt with what it means, what to do, and how many measured points have it."""
    measured = frame[is_measured(frame)]
    counts: Counter[str] = Counter()
    for found, count in measured["doubts"].value_counts().items():
        counts.update(dict.fromkeys(found, int(count)) if count else {})
    return [
        f"{count} of {len(measured)} measured points: {explained(d)}" for d, count in counts.most_common()
    ]


def verdicts(frame: pd.DataFrame) -> dict[str, int]:
    """Count the measured octave points by their verdict against vanilla."""
    counts = frame.loc[is_measured(frame), "verdict"].value_counts()
    return {word.value: int(counts.get(word.value, 0)) for word in Verdict}


def headlines(frame: pd.DataFrame) -> list[str]:
    """Say, for each environment, the best realised speed-up, in words."""
    return [_headline(frame[(frame["env_id"] == env).to_numpy()]) for env in frame["env_id"].unique()]


def _headline(frame: pd.DataFrame) -> str:
    place = environment_label(records(frame.iloc[:1].astype(object))[0])
    ratios = _ratios(frame)
    faster = np.flatnonzero((frame["verdict"] == Verdict.FASTER).to_numpy(dtype=bool, na_value=False))
    octave = faster[~np.isnan(ratios[faster])] if len(faster) else np.flatnonzero(~np.isnan(ratios))
    if not len(octave):
        return f"{place}: no octave point was measured beside vanilla, so nothing can be said of alpha yet"
    best = frame.iloc[int(octave[np.argmin(ratios[octave])])]
    group = frame[(frame["group_id"] == best["group_id"]).to_numpy(dtype=bool)]
    found = fastest_alphas(group.astype(object))[0]
    where = ", ".join(
        [found.subject, *condition_labels(found.conditions, ("resolution", "batch", "execution"))]
    )
    return f"{place}: {where}: {found.sentence()}"


def _ratios(frame: pd.DataFrame) -> "np.ndarray[Any, np.dtype[np.float64]]":
    ratios = frame[RATIO].to_numpy(dtype=float, na_value=np.nan, copy=True)
    ratios[~is_measured(frame)] = np.nan
    return ratios


def losing(frame: pd.DataFrame) -> Table:
    """Give the octave points that are shown to be slower than vanilla, the slowest first."""
    slower = (frame["verdict"] == Verdict.SLOWER).to_numpy(dtype=bool, na_value=False) & is_measured(frame)
    worst = frame[slower].nlargest(_MOST_LOSING, RATIO)
    head = ("row", "time / vanilla", "CI low", "CI high", "pairs", "environment")
    return Table(
        head,
        tuple(
            (row_label(row), *(row[name] for name in _RATIO_COLUMNS), row["env_id"])
            for row in records(worst.astype(object))
        ),
    )


def findings(frame: pd.DataFrame) -> tuple[Table, Table]:
    """Give the fastest alpha of each group with its verdict, and the break-evens."""
    plain = frame.astype(object)
    places = records(plain.drop_duplicates("env_id"))
    fastest, even = fastest_alphas(plain), break_even(plain)
    return (
        verdicts_table(fastest, place_names([each.conditions for each in fastest], places)),
        break_even_table(even, place_names([each.conditions for each in even], places)),
    )


def failures(frame: pd.DataFrame, store: str) -> list[Failure]:
    """Give the first points that were not measured, each with the command that tries again."""
    missed = frame[~is_measured(frame)].head(MOST_LISTED)
    return [
        Failure(
            int(place),
            row_label(row),
            row["status"],
            row["reason"] or "no reason recorded",
            _retry(row, store),
        )
        for place, row in zip(missed.index, records(missed.astype(object)), strict=True)
    ]


def _retry(row: Record, store: str) -> str:
    file = "FILE"
    if row.get("spec_digest"):
        file = shlex.quote(str(Path(store) / SPECS_FOLDER / f"{row['spec_digest']}.yaml"))
    return f"octprobe sweep {file} --store {shlex.quote(store)} --retry {shlex.quote(str(row['status']))}"


def failures_table(found: Sequence[Failure]) -> Table:
    """Give failures as rows."""
    return Table(("row", "status", "reason"), tuple((f.label, f.status, f.reason) for f in found))


def _text(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value
