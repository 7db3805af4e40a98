"""The two sides of a comparison: which rows of which store are A, and which are B."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from octprobe.errors import UsageError
from octprobe.explore.labels import environment_label
from octprobe.store.query import are_last_attempts, load_readable_attempts, records
from octprobe.store.store import DamagedPart, refuse_empty

_WAYS = "a second store, --environments ENV_A ENV_B, --sweeps X Y or --since DATE"


@dataclass(frozen=True, kw_only=True)
class Side:
    """Which rows of a store are one side; None does not choose.

    Attributes:
        name: A or B.
        store: the folder.
        environment: the beginning of an `env_id`.
        sweep: the sweep that asked for the rows.
        since: no row recorded earlier.
        before: no row recorded at this moment or later.
    """

    name: str
    store: Path
    environment: str | None = None
    sweep: str | None = None
    since: datetime | None = None
    before: datetime | None = None

    def __str__(self) -> str:
        parts = [
            str(self.store),
            self.environment and f"environment {self.environment}",
            self.sweep and f"sweep {self.sweep}",
            self.since and f"since {_moment(self.since)}",
            self.before and f"before {_moment(self.before)}",
        ]
        return ", ".join(part for part in parts if part)


@dataclass(frozen=True)
class Rows:
    """The rows of a side, the last attempt at each point, and the parts that could not be read."""

    frame: pd.DataFrame
    damaged: tuple[DamagedPart, ...]


def sides_of(
    a: Path,
    b: Path | None,
    *,
    environments: tuple[str, str] | None = None,
    sweeps: tuple[str, str] | None = None,
    since: str | None = None,
) -> tuple[Side, Side]:
    """Part one store, or set two beside each other.

    Args:
        a: the store of side A.
        b: the store of side B; None for the same.
        environments: beginnings of the sides' `env_id`.
        sweeps: names of the sides' sweeps.
        since: the moment, ISO 8601, UTC unless it says otherwise, at which B begins and A ends.

    Raises:
        UsageError: nothing parts the one store, two stores are to be parted by date, or the date is none.
    """
    if b is None and not (environments or sweeps or since):
        raise UsageError(f"{a} is one store: give {_WAYS} to say what B is")
    if b is not None and since:
        raise UsageError(f"--since {since} parts one store by date; with the second store {b} leave it out")
    moment = None if since is None else _parsed(since)
    env_a, env_b = environments or (None, None)
    sweep_a, sweep_b = sweeps or (None, None)
    return (
        Side(name="A", store=a, environment=env_a, sweep=sweep_a, before=moment),
        Side(name="B", store=b or a, environment=env_b, sweep=sweep_b, since=moment),
    )


def read_side(side: Side) -> Rows:
    """Read the rows of a side, past damaged parts.

    Raises:
        StoreError: there is no store, or a part was written by a newer octprobe.
        UsageError: there is no such sweep or environment, or the rows are of several environments.
    """
    loaded = load_readable_attempts(side.store)
    refuse_empty(side.store, len(loaded.frame), loaded.damaged)
    return Rows(rows_of(loaded.frame, side).reset_index(drop=True), loaded.damaged)


def rows_of(attempts: pd.DataFrame, side: Side) -> pd.DataFrame:
    """Keep the rows of a side, the last attempt at each point; they keep their labels.

    Raises:
        UsageError: there is no such sweep or environment, or the rows are of several environments.
    """
    frame = _of_sweep(attempts, side)
    if side.since is not None:
        frame = frame[frame["recorded_at"] >= side.since]
    if side.before is not None:
        frame = frame[frame["recorded_at"] < side.before]
    frame = _of_environment(frame, side)
    return frame[are_last_attempts(frame)]


def _of_sweep(frame: pd.DataFrame, side: Side) -> pd.DataFrame:
    if side.sweep is None:
        return frame
    names = sorted(str(name) for name in frame["sweep"].dropna().unique())
    if side.sweep not in names:
        near = difflib.get_close_matches(side.sweep, names, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise UsageError(
            f"--sweeps: {side.store} has no sweep {side.sweep!r} (side {side.name}).{hint} "
            f"It has: {', '.join(names) or 'none'}."
        )
    return frame[(frame["sweep"] == side.sweep).to_numpy(dtype=bool, na_value=False)]


def _of_environment(frame: pd.DataFrame, side: Side) -> pd.DataFrame:
    env_ids = [str(env_id) for env_id in frame["env_id"].unique()]
    wanted = side.environment or ""
    found = [env_id for env_id in env_ids if env_id.startswith(wanted)]
    if len(found) > 1:
        raise UsageError(
            f"side {side.name}, {side}, has rows of {len(found)} environments, which are not comparable: "
            f"{_named(frame, found)}. Choose with --environments ENV_A ENV_B."
        )
    if not found and env_ids:
        raise UsageError(
            f"--environments: side {side.name}, {side.store}, has no environment {wanted!r}; "
            f"it has: {_named(frame, env_ids)}."
        )
    return frame[frame["env_id"].isin(found)]


def _named(frame: pd.DataFrame, env_ids: Sequence[str]) -> str:
    first = frame[frame["env_id"].isin(env_ids)].drop_duplicates("env_id")
    rows = records(first[["env_id", "device", "device_name", "torch"]])
    return "; ".join(sorted(f"{row['env_id']} ({environment_label(row)})" for row in rows))


def _parsed(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise UsageError(
            f"--since {text}: no date; write one as 2026-11-24 or 2026-11-24T13:30 (UTC), "
            "or with its offset, 2026-11-24T13:30+01:00"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _moment(moment: datetime) -> str:
    return moment.isoformat(timespec="minutes")
