"""Rows as one file: every column, whole or not at all, never over another file by accident."""

import errno
import os
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

import octprobe.store.publish as publishing
from fakes_store import ended, measured, network_point, row
from octprobe.errors import StoreError, UsageError
from octprobe.store.export_rows import export_rows
from octprobe.store.query import load_frame
from octprobe.store.records import Status
from octprobe.store.schema import SCHEMA
from octprobe.store.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Give a store of two points, one attempted twice."""
    path = tmp_path / "results"
    kept = Store.create(path)
    kept.append([ended(network_point("0.5"), Status.FAILED, reason="=1+1")])
    kept.append([row(network_point("0.5"), measured(60.0, 0.75), attempt=2, minutes=1)])
    kept.append([row(network_point("0"), measured(80.0), minutes=2)])
    return path


def test_parquet_holds_every_column_of_the_last_attempts(store: Path, tmp_path: Path) -> None:
    """Types and lists as in the store."""
    target = tmp_path / "x.parquet"
    export_rows(store, target)
    table = pq.read_table(target)
    assert table.schema.names == SCHEMA.names
    assert table.schema.types == SCHEMA.types
    frame = load_frame(store)
    assert table["point_id"].to_pylist() == frame["point_id"].tolist()
    assert tuple(table["latency_ms_samples"][0].as_py()) == frame["latency_ms_samples"][0]


def test_csv_holds_every_column_too(store: Path, tmp_path: Path) -> None:
    """Numbers read back to the same figures."""
    target = tmp_path / "x.CSV"
    export_rows(store, target)
    read = pd.read_csv(target)
    assert list(read.columns) == SCHEMA.names
    assert read["latency_ms_median"].tolist() == [60.0, 80.0]
    assert read["macs"].tolist() == [4_089_184_256] * 2


def test_every_attempt_and_few_columns(store: Path, tmp_path: Path) -> None:
    """In the order asked for, a name twice once; text that acts as a formula is inert."""
    target = tmp_path / "x.csv"
    written = export_rows(store, target, ["reason", "alpha", "reason"], every_attempt=True)
    assert target.read_text() == '"reason","alpha"\n"\'=1+1",0.5\n,0.5\n,0\n'
    assert (written.table.num_rows, written.damaged) == (3, ())


def test_a_taken_name_is_refused_unless_it_may_be_replaced(store: Path, tmp_path: Path) -> None:
    """The old file stays until the new one is whole."""
    target = tmp_path / "x.csv"
    target.write_text("mine")
    with pytest.raises(UsageError, match=r"x\.csv: exists already; --force overwrites it"):
        export_rows(store, target)
    assert target.read_text() == "mine"
    export_rows(store, target, ["alpha"], overwrite=True)
    assert target.read_text() == '"alpha"\n0.5\n0\n'


def test_a_failed_write_leaves_the_old_file_and_nothing_else(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk at the last moment."""
    target = tmp_path / "out" / "x.csv"
    target.parent.mkdir()
    target.write_text("mine")

    def refuse(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(publishing.os, "fsync", refuse)
    with pytest.raises(UsageError, match=r"x\.csv: cannot be written: No space left on device; name another"):
        export_rows(store, target, overwrite=True)
    assert [path.name for path in target.parent.iterdir()] == ["x.csv"]
    assert target.read_text() == "mine"


def test_an_interrupted_write_leaves_nothing(tmp_path: Path) -> None:
    """Whatever ends it."""

    def stop(_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        publishing.write_whole(tmp_path / "x.csv", stop, overwrite=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("x.xlsx", "x.xlsx: the ending must be one of .csv, .parquet"),
        ("x", "the ending must be one of"),
        ("none/x.csv", "x.csv: cannot be written: No such file or directory; name another file"),
        ("folder.csv", "folder.csv: is a folder; name a file in it"),
    ],
)
def test_a_bad_target_is_one_line(store: Path, tmp_path: Path, target: str, words: str) -> None:
    """Place, rule, way out."""
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(UsageError, match=words):
        export_rows(store, tmp_path / target)


@pytest.mark.parametrize(
    ("name", "words"),
    [("latency_ms", "there is no column 'latency_ms'. Did you mean"), ("qqq", "docs/columns.md lists all")],
)
def test_an_unknown_column_is_told(store: Path, tmp_path: Path, name: str, words: str) -> None:
    """With the nearest name, where one is near."""
    with pytest.raises(UsageError, match=words):
        export_rows(store, tmp_path / "x.csv", [name])


def test_an_empty_store_writes_nothing(tmp_path: Path) -> None:
    """A file without rows would look like an answer."""
    Store.create(tmp_path / "empty")
    with pytest.raises(StoreError, match="holds no rows yet"):
        export_rows(tmp_path / "empty", tmp_path / "x.csv")
    assert not (tmp_path / "x.csv").exists()


def test_a_truncated_part_is_named_and_the_rest_written(store: Path, tmp_path: Path) -> None:
    """What could be read is there."""
    part = Store.open(store).parts()[-1]
    os.truncate(part, 20)
    written = export_rows(store, tmp_path / "x.parquet")
    assert [damaged.path for damaged in written.damaged] == [part]
    assert pq.read_table(tmp_path / "x.parquet").num_rows == written.table.num_rows == 1
