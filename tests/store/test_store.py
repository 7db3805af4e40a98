"""Parts are published whole or not at all, never overwritten, and damage stays local."""

import errno
import os
import pickle
import re
import shutil
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fakes_store import ended, measured, network_point, row
from octprobe.errors import StoreError
from octprobe.store import publish as publishing
from octprobe.store.publish import publish
from octprobe.store.records import Status
from octprobe.store.row import Row
from octprobe.store.schema import SCHEMA, table_of
from octprobe.store.store import Store


def a_row(alpha: str = "0.5", minutes: float = 0) -> Row:
    """Give a measured row."""
    return row(network_point(alpha), measured(80.0, 0.9), minutes=minutes)


def ids(store: Store) -> list[str]:
    """Give the point ids of a store's readable rows, oldest part first."""
    return [str(value) for value in store.read(["point_id"]).table["point_id"].to_pylist()]


def test_rows_are_read_back_in_the_order_of_time(tmp_path: Path) -> None:
    """Part names sort by their newest row, whichever was written first."""
    store = Store.create(tmp_path / "results" / "x")
    later = store.append([a_row("0.5", minutes=5)])
    earlier = store.append([a_row("0.25", minutes=1), a_row("0", minutes=2)])
    assert earlier.name < later.name
    assert later.name.startswith("20260102T120500000000Z-")
    expected = [network_point(alpha).point_id for alpha in ("0.25", "0", "0.5")]
    assert ids(store) == expected


def test_equal_times_get_distinct_names(tmp_path: Path) -> None:
    """Nothing is overwritten when two parts carry the same time."""
    store = Store.create(tmp_path)
    assert len({store.append([a_row()]) for _ in range(5)}) == 5
    assert len(store.parts()) == 5


def test_a_part_carries_schema_and_version(tmp_path: Path) -> None:
    """Any parquet reader sees the explicit schema, with its version in the metadata."""
    part = Store.create(tmp_path).append([a_row()])
    written = pq.read_schema(part)
    assert written.equals(SCHEMA)
    assert written.metadata[b"octprobe_schema"] == b"3"


def test_nothing_to_append_is_a_mistake(tmp_path: Path) -> None:
    """An empty part would only be noise."""
    with pytest.raises(ValueError, match="at least one row"):
        Store.create(tmp_path).append([])


def test_publish_never_overwrites(tmp_path: Path) -> None:
    """A taken name is refused and the old content stays."""
    target = tmp_path / "a.parquet"
    publish(b"old", target)
    with pytest.raises(StoreError, match="never overwrites"):
        publish(b"new", target)
    assert target.read_bytes() == b"old"


def test_publish_flushes_file_and_folder_before_and_after_the_rename(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The content reaches the disk under the hidden name; the folder after the rename."""
    seen: list[tuple[bool, list[str]]] = []
    real = os.fsync

    def spy(handle: int) -> None:
        is_folder = os.path.isdir(f"/proc/self/fd/{handle}")  # noqa: PTH112 - a file handle, not a path of ours
        names = [re.sub(r"[0-9a-f]{8}", "TOKEN", path.name) for path in tmp_path.iterdir()]
        seen.append((is_folder, names))
        real(handle)

    monkeypatch.setattr(publishing.os, "fsync", spy)
    publish(b"rows", tmp_path / "a.parquet")
    assert seen == [(False, ["_a.parquet.TOKEN.tmp"]), (True, ["a.parquet"])]


def test_what_a_killed_writer_has_left_is_removed_and_what_a_live_one_writes_is_not(tmp_path: Path) -> None:
    """The next sweep opens the store while another writes: its half part stays and becomes whole."""
    store = Store.create(tmp_path)
    left = tmp_path / "parts" / "_20260101T000000000000Z-00000000.parquet.01234567.tmp"
    left.write_bytes(b"half")
    (tmp_path / "parts" / "_folder.tmp").mkdir()
    seen: list[list[str]] = []

    def write(file: BinaryIO) -> None:
        file.write(b"whole")
        Store.create(tmp_path)
        seen.append([path.name for path in (tmp_path / "parts").glob("_*.tmp") if path.is_file()])

    publishing.keep(store.path / "parts" / "a.parquet", write)
    assert [len(names) for names in seen] == [1]
    assert seen[0][0].startswith("_a.parquet.")
    assert (tmp_path / "parts" / "a.parquet").read_bytes() == b"whole"
    assert not left.exists()


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.ENOSPC, "the disk is full. Free some space and run again: what is stored is kept."),
        (errno.EDQUOT, "the disk is full. Free some space and run again: what is stored is kept."),
        (
            errno.EACCES,
            "cannot be used as a store (Permission denied). Give the folder the right permissions",
        ),
        (
            errno.EROFS,
            "cannot be used as a store (Read-only file system). Give the folder the right permissions",
        ),
    ],
)
def test_a_failed_write_adds_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, words: str
) -> None:
    """The error says what to do, no half part is left, and earlier rows stay readable."""
    store = Store.create(tmp_path)
    store.append([a_row("0")])

    def refuse(_: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(publishing.os, "fsync", refuse)
    with pytest.raises(StoreError) as caught:
        store.append([a_row("0.5")])
    assert f"{tmp_path / 'parts'}: {words}" in str(caught.value)
    assert [path.name for path in (tmp_path / "parts").iterdir()] == [store.parts()[0].name]
    assert ids(store) == [network_point("0").point_id]


def test_unfinished_and_foreign_names_are_ignored(tmp_path: Path) -> None:
    """What a killed process left behind, and hidden files, are no parts."""
    store = Store.create(tmp_path)
    part = store.append([a_row()])
    for name in ("_x.parquet", "_x.parquet.tmp", ".x.parquet", "notes.txt"):
        (part.parent / name).write_bytes(b"not parquet")
    (part.parent / "folder.parquet").mkdir()
    assert store.parts() == [part]
    assert store.read().damaged == ()


def test_a_damaged_part_is_named_and_the_rest_is_read(tmp_path: Path) -> None:
    """Truncation costs the rows of one part only."""
    store = Store.create(tmp_path)
    store.append([a_row("0", minutes=1)])
    torn = store.append([a_row("0.25", minutes=2)])
    store.append([a_row("0.5", minutes=3)])
    torn.write_bytes(torn.read_bytes()[:-20])
    contents = store.read(["point_id"])
    assert contents.table["point_id"].to_pylist() == [network_point(a).point_id for a in ("0", "0.5")]
    assert [damage.path for damage in contents.damaged] == [torn]
    assert str(contents.damaged[0]).startswith(f"{torn} is damaged (")
    assert "\n" not in str(contents.damaged[0])


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" + b"\0" * 64 + b"PAR1", pickle.dumps({"rows": 1})])
def test_bytes_that_are_no_parquet_are_damage(tmp_path: Path, content: bytes) -> None:
    """Whatever the bytes, they are reported and never interpreted as anything else."""
    store = Store.create(tmp_path)
    (tmp_path / "parts" / "x.parquet").write_bytes(content)
    contents = store.read()
    assert len(contents.damaged) == 1
    assert contents.table.num_rows == 0


def test_flipped_bytes_never_escape_as_other_errors(tmp_path: Path) -> None:
    """A part with any byte run changed is read or reported, never a traceback."""
    store = Store.create(tmp_path)
    part = store.append([a_row()])
    good = part.read_bytes()
    for start in range(4, len(good), len(good) // 60):
        part.write_bytes(good[:start] + b"\xff\x00\xff" + good[start + 3 :])
        try:
            store.read()
        except StoreError as error:
            assert "schema version" in str(error)


def test_a_part_of_another_program_is_damage(tmp_path: Path) -> None:
    """A parquet file without our version is named as foreign."""
    store = Store.create(tmp_path)
    pq.write_table(pa.table({"point_id": ["a"]}), tmp_path / "parts" / "x.parquet")
    assert "octprobe did not write it" in str(store.read().damaged[0])


def test_a_newer_part_stops_the_reader(tmp_path: Path) -> None:
    """The message names the part, both versions and the way out."""
    store = Store.create(tmp_path)
    future = table_of([a_row()]).replace_schema_metadata({b"octprobe_schema": b"9"})
    pq.write_table(future, tmp_path / "parts" / "x.parquet")
    with pytest.raises(StoreError, match=r"x\.parquet has schema version 9; this octprobe reads up to 3\."):
        store.read()


def test_an_extra_column_of_our_version_is_passed_over(tmp_path: Path) -> None:
    """Columns are chosen by the schema, not by what a file happens to hold."""
    store = Store.create(tmp_path)
    wider = table_of([a_row()]).append_column("surprise", pa.array(["x"]))
    pq.write_table(wider, tmp_path / "parts" / "x.parquet")
    assert store.read().table.column_names == SCHEMA.names


def test_sweep_texts_are_kept_once_under_their_digest(tmp_path: Path) -> None:
    """The same text has the same name; the file is exactly the text."""
    store = Store.create(tmp_path)
    text = "version: 1\nname: größer\n"
    digest = store.keep_spec(text)
    assert store.keep_spec(text) == digest
    assert store.keep_spec("version: 1\n") != digest
    assert (tmp_path / "specs" / f"{digest}.yaml").read_text(encoding="utf-8") == text
    assert len(list((tmp_path / "specs").iterdir())) == 2


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: None, "no such folder. `octprobe sweep FILE --store "),
        (lambda path: path.write_text("x"), "is a file; a store is the folder that `octprobe sweep` wrote."),
        (lambda path: path.mkdir(), "holds no store: it has no folder parts/. Give the folder"),
    ],
    ids=["missing", "file", "empty"],
)
def test_what_is_no_store_is_said_in_one_line(tmp_path: Path, make: object, words: str) -> None:
    """Opening for reading tells a missing folder, a file and an empty folder apart."""
    path = tmp_path / "x"
    make(path)  # type: ignore[operator]  # a parametrised callable
    with pytest.raises(StoreError) as caught:
        Store.open(path)
    assert str(path) in str(caught.value)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_in_the_way_is_said_in_one_line(tmp_path: Path) -> None:
    """A sweep cannot make its store where a file lies."""
    (tmp_path / "x").write_text("")
    with pytest.raises(StoreError, match="a file is in the way of this folder"):
        Store.create(tmp_path / "x")


def test_a_created_store_is_empty_and_readable(tmp_path: Path) -> None:
    """A sweep that was stopped before its first row leaves a store with no rows."""
    Store.create(tmp_path / "x")
    contents = Store.open(tmp_path / "x").read()
    assert contents.table.num_rows == 0
    assert contents.table.schema.names == SCHEMA.names


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    """Markup, paths and escapes come back as they were written."""
    store = Store.create(tmp_path)
    hostile = "<script>alert(1)</script> [bold] $(rm -rf /) \x1b[2J ../../etc"
    store.append([ended(network_point("0"), Status.FAILED, hostile)])
    assert store.read(["reason"]).table["reason"].to_pylist() == [hostile]


def test_a_part_of_version_1_is_read_with_new_columns_as_null(tmp_path: Path) -> None:
    """A file that the first version wrote: figures stand, what it did not know is absent."""
    store = Store.create(tmp_path)
    shutil.copy(Path(__file__).parent / "version_1.parquet", tmp_path / "parts" / "old.parquet")
    store.append([a_row()])
    rows = store.read().table.to_pylist()
    old = [row for row in rows if row["env_id"] != a_row().env_id]
    assert [(row["status"], row["latency_ms_median"], row["macs"]) for row in old] == [
        ("measured", 30.0, 4_089_184_256),
        ("measured", 27.0, 4_089_184_256),
        ("skipped", None, None),
    ]
    new = ("period_ms_median", "macs_executed", "breakdown_parts", "governor", "timed_together")
    assert all(row[name] is None for row in old for name in new)
