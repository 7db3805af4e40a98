"""The store that the pages show, read once for each state of its parts; frames are never changed."""

import os
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd
import pyarrow as pa
import streamlit as st

from octprobe.demo import demo_store
from octprobe.errors import OctprobeError, StoreError
from octprobe.explore.dominance.narrowing import ABSENT_VALUE, FORMS, narrowed
from octprobe.explore.known_accuracies import known_accuracies
from octprobe.explore.labels import LABEL_COLUMNS
from octprobe.store.accuracy import Accuracy
from octprobe.store.query import plain, records
from octprobe.store.schema import SCHEMA
from octprobe.store.snapshot import Snapshot, shared_reader, snapshot

# What the sidebar narrows by, where a store has more than one value of it.
FILTERED = (
    *("device_name", "env_id", "subject", "network", "batch", "resolution", "dtype", "mode", "threads"),
    *("execution", "memory_format", "kernel", "exchange", "downsample"),
)
# What narrows layers beside it.
LAYER_AXES = ("stride", "alpha_in", "alpha_out", "in_channels", "out_channels", "kernel_size")
# More values than these do not fit a list that a person chooses from.
_MOST_VALUES = 200
# The query parameter and key of the demonstration's switch.
DEMO = "demo"


def named_store() -> str | None:
    """Give the store named on the command line or in the environment."""
    return sys.argv[1] if len(sys.argv) > 1 else os.environ.get("OCTPROBE_STORE") or None


def has_rows() -> bool:
    """Say whether the store that was named can be opened and has rows."""
    path = named_store()
    try:
        return path is not None and len(rows(snapshot(path))) > 0
    except OctprobeError:
        return False


def current() -> Snapshot:
    """Give the store that a page is run for: the one named once it has rows, else the demonstration.

    Raises:
        StoreError: none is named, or there is none.
    """
    path = named_store()
    if st.session_state.get(DEMO) and not has_rows():
        path = str(demo_store())
    if path is None:
        raise StoreError("no store is named; give one after `--`, or set OCTPROBE_STORE")
    return snapshot(path)


def rows(store: Snapshot, names: Iterable[str] = ()) -> pd.DataFrame:
    """Read `LABEL_COLUMNS` and further columns of every row; labels stay the rows' own."""
    return shared_reader(store).read((*LABEL_COLUMNS, *names)).frame


def damaged(store: Snapshot) -> tuple[str, ...]:
    """Name the parts that cannot be read."""
    return tuple(str(part) for part in shared_reader(store).read(()).damaged)


@st.cache_data(max_entries=8, show_spinner=False)
def values_of(store: Snapshot) -> dict[str, list[str]]:
    """Give, by axis of the sidebar, the values that a store has, as they are written."""
    frame = rows(store)
    return {name: _values(frame[name]) + _absent(name, frame[name]) for name in (*FILTERED, *LAYER_AXES)}


@st.cache_data(max_entries=4, show_spinner=False)
def accuracies(store: Snapshot) -> tuple[Accuracy, ...]:
    """Give the published accuracies and the store's own."""
    return known_accuracies(store.path).accuracies


def families(store: Snapshot) -> list[str]:
    """Name whose accuracies there are; they are never mixed."""
    return sorted({str(each.source_family) for each in accuracies(store)})


def _values(column: "pd.Series[Any]") -> list[str]:
    found = [plain(value) for value in column.dropna().unique()]
    ordered = sorted(found, key=lambda value: (isinstance(value, str), value))
    return [f"{value:g}" if isinstance(value, float) else str(value) for value in ordered[:_MOST_VALUES]]


def _absent(name: str, column: "pd.Series[Any]") -> list[str]:
    """Give null as a value where rows other than vanilla's may have it."""
    return [ABSENT_VALUE] if name not in FORMS and column.isna().any() else []


def filtered(frame: pd.DataFrame, pairs: Iterable[str]) -> pd.DataFrame:
    """Keep the rows that the sidebar's `AXIS=VALUE` pairs leave.

    Raises:
        UsageError: no row is left.
    """
    return narrowed(frame, list(pairs), "the sidebar's", keeps_vanilla=True)


def whole_rows(store: Snapshot, places: Iterable[int]) -> pd.DataFrame:
    """Read every column of a few rows, raw samples included, by their places."""
    wanted = pd.Index(list(places)).to_numpy(dtype="int64")
    reader = shared_reader(store)
    reader.read(())
    return reader.rows(SCHEMA.names, wanted)


def whole_records(store: Snapshot, places: Iterable[int]) -> list[dict[str, Any]]:
    """Give a few rows as plain values."""
    return records(whole_rows(store, places))


def arrow_rows(store: Snapshot, names: Sequence[str], places: Iterable[int]) -> pa.Table:
    """Read columns of rows as they are stored, for a file."""
    reader = shared_reader(store)
    reader.read(())
    return reader.table(names, pd.Index(list(places)).to_numpy(dtype="int64"))
