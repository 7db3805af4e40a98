"""A sweep in progress: new parts of the store show without a reload, with progress and the time left."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import charts
import data
import pandas as pd
import streamlit as st

from octprobe.errors import OctprobeError
from octprobe.plan.space import expand
from octprobe.plan.spec import read_spec
from octprobe.store.store import SPECS_FOLDER
from octprobe.units import show_duration

_EVERY = "2s"
# A sweep that wrote nothing for so long is over, or waits for a group of unusual length.
_QUIET_SECONDS = 900.0


class Progress(NamedTuple):
    """How far the sweep of the newest row is.

    Attributes:
        sweep: its name.
        done: its points that have a row in the newest row's environment.
        planned: points of its file; None where the file is not kept or cannot be read.
        first: when the first of its rows was written.
        last: when the last was.
    """

    sweep: str
    done: int
    planned: int | None
    first: datetime
    last: datetime

    def sentence(self, now: datetime) -> str:
        """Say how far it is, and while rows arrive how long the rest will take at the pace so far."""
        if self.planned is None:
            return f"{self.sweep}: {self.done} points"
        told = f"{self.sweep}: {self.done} of {self.planned} points of its file"
        left, seconds = self.planned - self.done, (self.last - self.first).total_seconds()
        is_quiet = (now - self.last).total_seconds() > _QUIET_SECONDS
        if not left or is_quiet or not seconds or self.done < 2:
            return told
        return f"{told}, ETA {show_duration(seconds / (self.done - 1) * left)} at the pace so far"


@st.fragment(run_every=_EVERY)
def watch(store: data.Opened) -> None:
    """Look at the parts every few seconds; run the page again when they have changed."""
    try:
        now = data.opened(store.path)
    except OctprobeError as error:
        charts.say(str(error))
        return
    if now.mark != store.mark:
        st.rerun()
    found = progress(store.path, store.mark)
    if found is None:
        return
    charts.say(found.sentence(datetime.now(UTC)))
    if found.planned:
        st.progress(min(found.done / found.planned, 1.0))
    charts.say(f"Last row: {found.last:%Y-%m-%d %H:%M} UTC")


@st.cache_data(max_entries=4, show_spinner=False)
def progress(path: str, mark: str) -> Progress | None:
    """Find how far the sweep of the newest row is; None for a store without rows."""
    store = data.opened(path)
    frame = data.rows(store, ("recorded_at", "sweep", "spec_digest"))
    if frame.empty:
        return None
    newest = frame.iloc[int(frame["recorded_at"].to_numpy().argmax())]
    named = isinstance(newest["spec_digest"], str)
    same = frame["spec_digest"] == newest["spec_digest"] if named else frame["spec_digest"].isna()
    mine = frame[(same & (frame["env_id"] == newest["env_id"])).to_numpy(dtype=bool, na_value=False)]
    planned = _planned(path, newest) if named else None
    done = mine if planned is None else frame[_are(frame, planned, newest)]
    return Progress(
        sweep=newest["sweep"] if isinstance(newest["sweep"], str) else "the newest sweep",
        done=len(done),
        planned=None if planned is None else len(planned),
        first=mine["recorded_at"].min().to_pydatetime(),
        last=mine["recorded_at"].max().to_pydatetime(),
    )


def _are(frame: pd.DataFrame, planned: frozenset[str], newest: "pd.Series[Any]") -> "pd.Series[bool]":
    found: pd.Series[bool] = frame["point_id"].isin(list(planned)) & (frame["env_id"] == newest["env_id"])
    return found


def _planned(path: str, newest: "pd.Series[Any]") -> frozenset[str] | None:
    """Give the points of the sweep file that is kept in the store; None where it cannot be read."""
    digest = str(newest["spec_digest"])
    if not digest.isalnum():  # it names a file: nothing outside the folder
        return None
    return _points_of(str(Path(path) / SPECS_FOLDER / f"{digest}.yaml"), str(newest["device"]))


@st.cache_data(max_entries=4, show_spinner=False)
def _points_of(file: str, device: str) -> frozenset[str] | None:
    try:
        return frozenset(point.point_id for point in expand(read_spec(Path(file)), device).points)
    except (OctprobeError, OSError):
        return None
