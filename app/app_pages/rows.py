"""Give me the rows: filter them, choose columns, download them."""

from dataclasses import fields
from functools import partial
from typing import Any

import charts
import data
import files
import pandas as pd
import state
import streamlit as st

from octprobe.explore.groups import RAW_COLUMNS
from octprobe.figures.text import inert
from octprobe.store.query import plain
from octprobe.store.row import Row
from octprobe.store.snapshot import Snapshot

_DEFAULT = (
    *("point_id", "env_id", "network", "alpha", "alpha_in", "alpha_out", "batch", "resolution"),
    *("memory_format", "execution", "status", "verdict", "doubts", "latency_ms_median"),
    *("latency_ms_ci_low", "latency_ms_ci_high", "latency_samples", "time_ratio_median", "pairs"),
    *("macs", "peak_memory_allocator_bytes", "reason"),
)

# A screen's table; a file has them all.
_MOST_SHOWN = 10_000
# Of samples and parts a table shows nothing; the files hold them.
_UNSHOWN = {*RAW_COLUMNS, "breakdown_operators"}
_UNITS = {field.name: field.metadata.get("unit") for field in fields(Row)}


def page() -> None:
    """Show the columns to choose, the rows, and both files."""
    store = data.current()
    pairs = state.filters(store)
    columns = state.several("Columns", "columns", list(_UNITS), _DEFAULT) or list(_DEFAULT)
    shown = [name for name in columns if name not in _UNSHOWN]
    frame = data.filtered(data.rows(store, shown), pairs)
    kept = frame[shown].head(_MOST_SHOWN)
    charts.say(
        f"{len(frame):,} rows" + (f", the first {len(kept):,} shown" if len(kept) < len(frame) else "")
    )
    charts.show_frame(_inert(kept), "Rows of the store")
    with st.container(horizontal=True):
        _download(store, frame, columns)


def _download(store: Snapshot, frame: pd.DataFrame, columns: list[str]) -> None:
    makers = (("csv", "text/csv", files.csv_of), ("parquet", "application/octet-stream", files.parquet_of))
    for ending, kind, make in makers:
        st.download_button(
            f"Download as {'CSV' if ending == 'csv' else ending}",
            data=partial(make, store, columns, frame.index),
            file_name=f"rows.{ending}",
            mime=kind,
            key=f"download-{ending}",
            on_click="ignore",
        )


def _inert(frame: pd.DataFrame) -> pd.DataFrame:
    """Make texts safe to show, with the unit of a figure in its heading."""
    told = {}
    for name in frame.columns:
        column = frame[name]
        is_text = not pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_datetime64_any_dtype(
            column
        )
        values = _texts(column) if is_text else column
        unit = _UNITS.get(name)
        told[f"{name}, {unit}" if unit else name] = pd.Series(values, index=frame.index)
    return pd.DataFrame(told)


def _texts(column: "pd.Series[Any]") -> list[str | None]:
    """Make each text safe once, however many cells hold it."""
    codes, known = pd.factorize(column)
    told = [*map(_told, known), None]
    return [told[code] for code in codes]


def _told(value: object) -> str | None:
    known = plain(value)
    if isinstance(known, list):
        return ", ".join(map(inert, known))
    return None if known is None else inert(known)


page()
