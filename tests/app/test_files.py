"""Downloads: the rows that are filtered, in both forms, with no formula in a CSV."""

import csv
import io
from pathlib import Path

import pyarrow.parquet as pq

from fakes_store import ended, measured, network_point, row
from octprobe.store.records import Status
from octprobe.store.snapshot import Snapshot, snapshot
from octprobe.store.store import Store
from pages_of_app import app_module


def store_of(path: Path) -> Snapshot:
    """Give a store of three rows, one with a formula as its reason."""
    rows = [row(network_point("0"), measured(90.0)), row(network_point("0.5"), measured(70.0, 0.8))]
    Store.create(path).append([*rows, ended(network_point("0.25"), Status.FAILED, "=1+1")])
    return snapshot(str(path))


def test_a_csv_holds_the_rows_asked_for(tmp_path: Path) -> None:
    """By their places, in the columns' order; formulas are text."""
    content = app_module("files").csv_of(store_of(tmp_path), ["alpha", "reason", "doubts"], [0, 2])
    lines = list(csv.reader(io.StringIO(content.decode())))
    assert lines == [["alpha", "reason", "doubts"], ["0", "", "[]"], ["0.25", "'=1+1", "[]"]]


def test_a_parquet_keeps_the_types(tmp_path: Path) -> None:
    """Raw samples included."""
    content = app_module("files").parquet_of(store_of(tmp_path), ["alpha", "latency_ms_samples"], [1])
    table = pq.read_table(io.BytesIO(content))
    assert table.column_names == ["alpha", "latency_ms_samples"]
    assert table["alpha"].to_pylist() == [0.5]
    assert len(table["latency_ms_samples"][0]) == 41
