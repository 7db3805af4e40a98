"""What was swept and what came of it, by columns: the same for ten rows and for a million."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from octprobe.explore.advice.arrays import Flags, Floats, Places
from octprobe.explore.axes import ALPHA_AXES
from octprobe.explore.break_even import break_even
from octprobe.explore.comparison.shift import LAYERS
from octprobe.explore.dominance.parting import part_numbers
from octprobe.explore.doubts import explained
from octprobe.explore.environments import ENVIRONMENT_COLUMNS, incomparable
from octprobe.explore.fastest import fastest_alphas
from octprobe.explore.groups import Record
from octprobe.explore.labels import alpha_label, condition_labels, environment_label, row_label
from octprobe.figures.rows import distinct
from octprobe.figures.shapes import Cell, Table
from octprobe.report.missed import Missed, missed_of
from octprobe.report.tables import break_even_table, place_names, verdicts_table
from octprobe.stats import Verdict
from octprobe.store.query import records
from octprobe.store.records import Status

RATIO = "time_ratio_median"
_RATIO_COLUMNS = (RATIO, "time_ratio_ci_low", "time_ratio_ci_high", "pairs")
# What the overview reads beside what names a row.
COLUMNS = (
    *_RATIO_COLUMNS,
    *("latency_ms_median", "latency_ms_ci_low", "latency_ms_ci_high", "latency_samples"),
    *("macs", "reason", "recorded_at", "sweep", "spec_digest", "octave_exits"),
    *ENVIRONMENT_COLUMNS,
)
# So many alphas of a network are named.
_MOST_NAMED = 12
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
    missed: list[Missed]
    missed_points: int


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
        missed=missed_of(frame[~is_measured(frame)], store),
        missed_points=int((~is_measured(frame)).sum()),
    )


def is_measured(frame: pd.DataFrame) -> Any:
    """Say of each row whether it was measured."""
    return (frame["status"] == Status.MEASURED).to_numpy(dtype=bool, na_value=False)


def statuses(frame: pd.DataFrame) -> list[tuple[str, int]]:
    """Count rows by status, the most frequent first."""
    return [(str(name), int(count)) for name, count in frame["status"].value_counts().items() if count]


def coverage(frame: pd.DataFrame) -> Table:
    """Say of each network, and of the layers, which alphas have rows and how those ended."""
    statuses_met = [name for name, _ in statuses(frame)]
    counts: Counter[tuple[str, str | None]] = Counter()
    for row, count in _counted(frame, ("network", "status")):
        counts[_key(row)] += count
    alphas: dict[str, list[str]] = {}
    for row, _ in _counted(frame, ("network", *ALPHA_AXES)):
        alphas.setdefault(_key(row)[0], []).append(alpha_label(row))
    head = ("network or layers", "alphas", "points", *(f"{name}, points" for name in statuses_met))
    rows: list[tuple[Cell, ...]] = []
    for name in sorted(alphas):
        ended = [counts[name, status] for status in statuses_met]
        rows.append((name, _named(sorted(set(alphas[name]))), sum(ended), *ended))
    return Table(head, tuple(rows))


def _key(row: Record) -> tuple[str, str | None]:
    return row["network"] or LAYERS, row.get("status")


def _counted(frame: pd.DataFrame, names: Sequence[str]) -> list[tuple[Record, int]]:
    """Count rows by the combinations of values that columns take, in the order met."""
    counts = np.bincount(part_numbers(frame, names))
    return list(zip(records(distinct(frame, names)), map(int, counts), strict=True))


def _named(labels: Sequence[str]) -> str:
    more = f" and {len(labels) - _MOST_NAMED} more" if len(labels) > _MOST_NAMED else ""
    return ", ".join(labels[:_MOST_NAMED]) + more


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
    measured = frame["doubts"][is_measured(frame)]
    counts: Counter[str] = Counter()
    for found, count in measured.value_counts().items():
        counts.update(dict.fromkeys(found, int(count)) if count else {})
    return [
        f"{count} of {len(measured)} measured points: {explained(d)}" for d, count in counts.most_common()
    ]


def verdicts(frame: pd.DataFrame) -> dict[str, int]:
    """Count the measured octave points by their verdict against vanilla."""
    counts = frame["verdict"][is_measured(frame)].value_counts()
    return {word.value: int(counts.get(word.value, 0)) for word in Verdict}


def headlines(frame: pd.DataFrame) -> list[str]:
    """Say, for each environment, the best realised speed-up, in words."""
    places = part_numbers(frame, ["env_id"])
    ratios = frame[RATIO].to_numpy(dtype=float, na_value=np.nan, copy=True)
    ratios[~is_measured(frame)] = np.nan
    is_faster = (frame["verdict"] == Verdict.FASTER).to_numpy(dtype=bool, na_value=False)
    return [
        _headline(frame, np.flatnonzero(places == place), ratios, is_faster) for place in np.unique(places)
    ]


def _headline(frame: pd.DataFrame, rows: Places, ratios: Floats, is_faster: Flags) -> str:
    place = environment_label(records(frame.iloc[rows[:1]].astype(object))[0])
    known = rows[~np.isnan(ratios[rows])]
    if not len(known):
        return f"{place}: no octave point was measured beside vanilla, so nothing can be said of alpha yet"
    octave = known[is_faster[known]] if is_faster[known].any() else known
    best = frame.iloc[int(octave[np.argmin(ratios[octave])])]
    group = frame.iloc[rows[(frame["group_id"] == best["group_id"]).to_numpy(dtype=bool)[rows]]]
    found = fastest_alphas(group.astype(object))[0]
    where = ", ".join(
        [found.subject, *condition_labels(found.conditions, ("resolution", "batch", "execution"))]
    )
    return f"{place}: {where}: {found.sentence()}"


def losing(frame: pd.DataFrame) -> Table:
    """Give the octave points that are shown to be slower than vanilla, the slowest first."""
    slower = (frame["verdict"] == Verdict.SLOWER).to_numpy(dtype=bool, na_value=False) & is_measured(frame)
    ratios = frame[RATIO].to_numpy(dtype=float, na_value=np.nan)
    places = np.flatnonzero(slower)
    worst = frame.iloc[places[np.argsort(-ratios[places], kind="stable")[:_MOST_LOSING]]]
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


def _text(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value
