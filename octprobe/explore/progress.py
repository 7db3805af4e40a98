"""How far the sweep of a store's newest row is, and how long the rest takes at the pace so far."""

from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from octprobe.errors import OctprobeError
from octprobe.plan.space import expand
from octprobe.plan.spec import read_spec
from octprobe.store.snapshot import Snapshot, shared_reader
from octprobe.store.store import SPECS_FOLDER
from octprobe.units import show_duration

# A sweep that wrote nothing for so long is over, or waits for a group of unusual length.
_QUIET_SECONDS = 900.0
_COLUMNS = ("recorded_at", "sweep", "spec_digest", "device")


class Progress(NamedTuple):
    """How far the sweep of the newest row is.

    Attributes:
        sweep: its name.
        done: its points that have a row in the newest row's environment.
        planned: points of its file; None where the file is not kept or cannot be read.
        last: when the last of its rows was written.
        seconds_a_point: its pace since it last stood still; None before two of its rows were written apart.
    """

    sweep: str
    done: int
    planned: int | None
    last: datetime
    seconds_a_point: float | None

    def sentence(self, now: datetime) -> str:
        """Say how far it is, and while rows arrive how long the rest will take at the pace so far."""
        if self.planned is None:
            return f"{self.sweep}: {self.done} points"
        told = f"{self.sweep}: {self.done} of {self.planned} points of its file"
        left = self.planned - self.done
        is_quiet = (now - self.last).total_seconds() > _QUIET_SECONDS
        if not left or is_quiet or self.seconds_a_point is None:
            return told
        return f"{told}, ETA {show_duration(self.seconds_a_point * left)} at the pace so far"


@lru_cache(maxsize=4)
def progress(store: Snapshot) -> Progress | None:
    """Find how far the sweep of the newest row is; None for a store without rows."""
    frame = shared_reader(store).read(_COLUMNS).frame
    if frame.empty:
        return None
    newest = frame.iloc[int(frame["recorded_at"].argmax())]
    digest = newest["spec_digest"] if isinstance(newest["spec_digest"], str) else None
    mine = frame[_of_sweep(frame, newest, digest)]
    planned = None if digest is None else _planned(store.path, digest, newest)
    done = len(mine) if planned is None else _count(frame, planned, newest)
    return Progress(
        sweep=newest["sweep"] if isinstance(newest["sweep"], str) else "the newest sweep",
        done=done,
        planned=None if planned is None else len(planned),
        last=mine["recorded_at"].max().to_pydatetime(),
        seconds_a_point=_pace(mine["recorded_at"]),
    )


def _pace(times: "pd.Series[Any]") -> float | None:
    """Give the seconds a row took since the last pause; rows of a group are written at one moment."""
    seconds = np.sort((times - times.min()).dt.total_seconds().to_numpy())
    pauses = np.flatnonzero(np.diff(seconds) > _QUIET_SECONDS)
    since = seconds[pauses[-1] + 1 :] if len(pauses) else seconds
    later = np.count_nonzero(since > since[0])
    return float(since[-1] - since[0]) / later if later else None


def _of_sweep(frame: pd.DataFrame, newest: "pd.Series[Any]", digest: str | None) -> Any:
    same = frame["spec_digest"].isna() if digest is None else frame["spec_digest"] == digest
    return (same & (frame["env_id"] == newest["env_id"])).to_numpy(dtype=bool, na_value=False)


def _count(frame: pd.DataFrame, planned: frozenset[str], newest: "pd.Series[Any]") -> int:
    """Count the planned points that have a row where the newest was measured, whoever asked for it."""
    return int((frame["point_id"].isin(list(planned)) & (frame["env_id"] == newest["env_id"])).sum())


def _planned(path: str, digest: str, newest: "pd.Series[Any]") -> frozenset[str] | None:
    """Give the points of the sweep file that is kept in the store; None where it cannot be read."""
    if not digest.isalnum():  # it names a file: nothing outside the folder
        return None
    return _points_of(str(Path(path) / SPECS_FOLDER / f"{digest}.yaml"), str(newest["device"]))


@lru_cache(maxsize=4)
def _points_of(file: str, device: str) -> frozenset[str] | None:
    try:
        return frozenset(point.point_id for point in expand(read_spec(Path(file)), device).points)
    except (OctprobeError, OSError):
        return None
