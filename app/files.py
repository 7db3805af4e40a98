"""Rows as a file to download."""

import io
from collections.abc import Iterable, Sequence

import data
import pyarrow.parquet as pq

from octprobe.store.snapshot import Snapshot
from octprobe.store.tabular import write_csv


def csv_of(store: Snapshot, columns: Sequence[str], places: Iterable[int]) -> bytes:
    """Give rows as CSV: lists as JSON, and no cell that a spreadsheet would run."""
    content = io.BytesIO()
    write_csv(data.arrow_rows(store, columns, places), content)
    return content.getvalue()


def parquet_of(store: Snapshot, columns: Sequence[str], places: Iterable[int]) -> bytes:
    """Give rows as parquet, with the types of the store."""
    content = io.BytesIO()
    pq.write_table(data.arrow_rows(store, columns, places), content, compression="zstd")
    return content.getvalue()
