"""Few columns of many rows hold what whole rows hold; damage is named, the rest is read."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fakes_store import ENVIRONMENT, OTHER_ENVIRONMENT, ended, layer_point, measured, network_point, row
from octprobe.errors import StoreError
from octprobe.store.columns import ColumnReader, read_columns
from octprobe.store.query import load_frame, records
from octprobe.store.records import Doubt, Status
from octprobe.store.schema import SCHEMA, table_of
from octprobe.store.store import Store

POINTS = [network_point("0"), network_point("0.5", batch=8), layer_point("0.5", "0.25", stride=2)]


def filled(path: Path) -> Store:
    """Write a store of several parts, with retries, failures, doubts and two environments."""
    store = Store.create(path)
    store.append([row(point, measured(80.0, 0.9, doubts=(Doubt.UNSTABLE,))) for point in POINTS])
    store.append([ended(POINTS[0], Status.CRASHED, attempt=2, minutes=1)])
    both = (Doubt.UNKNOWN_CLOCK, Doubt.UNSTABLE)
    store.append([row(POINTS[1], measured(70.0, 0.8, doubts=both), OTHER_ENVIRONMENT, minutes=2)])
    store.append([row(POINTS[2], measured(60.0, 0.7, macs=2**60), attempt=2, minutes=3)])
    return store


def plain(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Give rows as plain values, in the order of the columns' names."""
    return records(frame[sorted(frame.columns)])


def test_every_column_holds_what_whole_rows_hold(tmp_path: Path) -> None:
    """All of the schema's, lists of records too."""
    filled(tmp_path)
    read = read_columns(tmp_path, SCHEMA.names)
    assert read.damaged == ()
    assert plain(read.frame) == plain(load_frame(tmp_path))


def test_only_the_wanted_columns_come_and_ids_first(tmp_path: Path) -> None:
    """Named twice or not at all, the ids are there once."""
    filled(tmp_path)
    frame = read_columns(tmp_path, ["macs", "env_id", "macs"]).frame
    assert list(frame.columns) == ["point_id", "env_id", "macs"]
    assert len(frame) == 4


def test_cells_are_compact(tmp_path: Path) -> None:
    """Text as categories, doubts as categories of tuples, whole numbers in as few bytes as hold them."""
    filled(tmp_path)
    frame = read_columns(
        tmp_path, ["network", "doubts", "batch", "macs", "latency_ms_median", "host_bound"]
    ).frame
    assert isinstance(frame["network"].dtype, pd.CategoricalDtype)
    assert frame["doubts"].cat.categories.tolist() == [("unstable",), (), ("unknown_clock", "unstable")]
    assert frame["batch"].dtype == pd.Int8Dtype()
    assert frame["macs"].dtype == pd.Int64Dtype()
    assert frame["latency_ms_median"].dtype == np.float64
    assert frame["host_bound"].dtype == pd.BooleanDtype()
    assert frame["macs"].tolist()[-1] == 2**60


def test_more_columns_of_a_few_rows(tmp_path: Path) -> None:
    """In the order asked for, under the labels asked for, a row twice if it is asked for twice."""
    filled(tmp_path)
    reader = ColumnReader(tmp_path)
    whole = reader.read(["network", "doubts"]).frame
    places = np.array([3, 0, 2, 0])
    labels = whole.index[places].to_numpy()
    rows = reader.rows(["status", "doubts", "latency_ms_median"], labels)
    assert rows.index.tolist() == labels.tolist()
    assert rows["point_id"].tolist() == whole["point_id"].iloc[places].tolist()
    stored = reader.table(["point_id", "macs"], labels)
    assert stored["point_id"].to_pylist() == rows["point_id"].tolist()
    assert stored.schema.names == ["point_id", "macs"]
    expected = load_frame(tmp_path).iloc[places]
    assert plain(rows) == plain(expected[["point_id", "env_id", "status", "doubts", "latency_ms_median"]])


def test_an_empty_store_has_the_columns(tmp_path: Path) -> None:
    """No rows is no error here; the commands decide."""
    Store.create(tmp_path)
    reader = ColumnReader(tmp_path)
    frame = reader.read(["macs", "network", "doubts"]).frame
    assert (len(frame), list(frame.columns)) == (0, ["point_id", "env_id", "macs", "network", "doubts"])
    assert len(reader.rows(["status"], np.zeros(0, dtype=np.intp))) == 0


def test_a_part_of_an_older_schema_is_migrated(tmp_path: Path) -> None:
    """As every reader migrates it: networks get the extent that all had."""
    store = filled(tmp_path)
    old = table_of([row(network_point("0.25"), measured(50.0))]).drop_columns(["octave_kernels", "return_at"])
    pq.write_table(
        old.replace_schema_metadata({b"octprobe_schema": b"2"}), store.path / "parts" / "0.parquet"
    )
    names = ["octave_kernels", "return_at", "alpha", "network"]
    read = read_columns(tmp_path, names)
    assert read.frame.iloc[0][names].tolist() == ["all", "policy", 0.25, "resnet50"]
    assert plain(read.frame) == plain(load_frame(tmp_path)[["point_id", "env_id", *names]])


def test_damaged_parts_are_named_and_the_rest_is_read(tmp_path: Path) -> None:
    """One cut short, and one whose ids are whole but not a column that is wanted."""
    store = filled(tmp_path)
    first, _, third, last = store.parts()
    third.write_bytes(third.read_bytes()[:-40])
    table = pq.read_table(last)
    place = table.schema.get_field_index("macs")
    pq.write_table(table.set_column(place, "macs", pa.array(["many"])), last)
    read = read_columns(tmp_path, ["macs", "status"])
    assert [part.path for part in read.damaged] == [third, last]
    # The damaged second attempt does not hide the first.
    assert read.frame["status"].tolist() == ["measured", "measured", "crashed"]
    assert read_columns(tmp_path, ["status"]).frame["status"].tolist() == ["measured", "crashed", "measured"]
    reader = ColumnReader(tmp_path)
    labels = reader.read(["status"]).frame.index.to_numpy()
    with pytest.raises(StoreError, match=rf"{last.name} is damaged"):
        reader.rows(["macs"], labels[2:])
    assert reader.rows(["macs"], labels[:1])["macs"].tolist() == [4_089_184_256]
    first.write_bytes(b"")
    assert len(read_columns(tmp_path, ["macs"]).damaged) == 3


def test_a_newer_part_stops_the_reading(tmp_path: Path) -> None:
    """Half of it would be worse than none."""
    store = Store.create(tmp_path)
    future = table_of([row(POINTS[0], measured(1.0))]).replace_schema_metadata({b"octprobe_schema": b"9"})
    pq.write_table(future, store.path / "parts" / "x.parquet")
    with pytest.raises(StoreError, match="reads up to"):
        read_columns(tmp_path, ["macs"])
    with pytest.raises(StoreError, match="no such folder"):
        read_columns(tmp_path / "nowhere", ["macs"])


def test_environments_are_kept_apart(tmp_path: Path) -> None:
    """The same point in two environments is two rows."""
    store = Store.create(tmp_path)
    for minutes, environment in enumerate((ENVIRONMENT, OTHER_ENVIRONMENT)):
        store.append([row(POINTS[0], measured(80.0), environment, minutes=minutes)])
    assert read_columns(tmp_path, []).frame["env_id"].tolist() == [
        ENVIRONMENT.env_id,
        OTHER_ENVIRONMENT.env_id,
    ]


def test_a_row_keeps_its_label_when_a_part_turns_out_damaged(tmp_path: Path) -> None:
    """What was found before is the same row after, and what is gone is a line."""
    store = Store.create(tmp_path)
    for minutes, batch in enumerate((1, 2, 4)):
        store.append([row(network_point("0", batch=batch), measured(float(batch)), minutes=minutes)])
    damaged = store.parts()[0]
    table = pq.read_table(damaged)
    place = table.schema.get_field_index("macs")
    pq.write_table(table.set_column(place, "macs", pa.array(["many"])), damaged)
    reader = ColumnReader(tmp_path)
    before = reader.read(["batch"]).frame["batch"]
    after = reader.read(["batch", "macs"])
    assert before.to_dict() == {0: 1, 1: 2, 2: 4}
    assert after.frame["batch"].to_dict() == {1: 2, 2: 4}
    assert [part.path for part in after.damaged] == [damaged]
    assert reader.rows(["batch"], np.array([2, 1]))["batch"].to_dict() == {2: 4, 1: 2}


def test_threads_read_the_same(tmp_path: Path) -> None:
    """Whole columns and few rows at once, of one reader."""
    store = Store.create(tmp_path)
    for batch in range(1, 9):
        store.append([row(network_point("0", batch=batch), measured(float(batch)), minutes=batch)])
    reader = ColumnReader(tmp_path)

    def asked(turn: int) -> list[int]:
        names = ["batch", SCHEMA.names[turn % len(SCHEMA)]]
        frame = reader.read(names).frame
        return reader.rows(["batch"], frame.index.to_numpy()[::-1])["batch"].tolist()

    with ThreadPoolExecutor(4) as pool:
        assert set(map(tuple, pool.map(asked, range(40)))) == {tuple(range(8, 0, -1))}
