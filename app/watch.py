"""A sweep in progress: new parts of the store show without a reload, with progress and the time left."""

from datetime import UTC, datetime

import charts
import data
import streamlit as st

from octprobe.errors import OctprobeError
from octprobe.explore.progress import progress
from octprobe.store.snapshot import Snapshot, snapshot

_EVERY = "2s"


@st.fragment(run_every=_EVERY)
def watch(store: Snapshot) -> None:
    """Look at the parts every few seconds; run the page again when they have changed."""
    try:
        now = snapshot(store.path)
    except OctprobeError as error:
        charts.say(str(error))
        return
    if now.mark != store.mark:
        st.rerun()
    found = progress(store)
    if found is None:
        return
    charts.say(found.sentence(datetime.now(UTC)))
    if found.planned:
        st.progress(min(found.done / found.planned, 1.0))
    charts.say(f"Last row: {found.last:%Y-%m-%d %H:%M} UTC")


@st.fragment(run_every=_EVERY)
def await_rows() -> None:
    """While the demonstration is shown, look whether the store that was named has rows by now."""
    if data.has_rows():
        st.rerun()
