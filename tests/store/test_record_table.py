"""A table of records in a store: parts that appear whole, add to one another, and are read with care."""

import errno
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from octprobe.errors import StoreError
from octprobe.store import publish
from octprobe.store.record_table import RecordTable
from octprobe.store.schema import VERSION_KEY
from octprobe.store.store import Store


@dataclass(frozen=True, kw_only=True)
class Note:
    """What is kept here."""

    name: str
    count: int
    tags: tuple[str, ...]
    share: float | None = None
    raw: bytes | None = None


TABLE = RecordTable(Note, folder="notes", version=2)
NOTE = Note(name="ä", count=3, tags=("a", "b"), share=0.5, raw=b"\0\1")


def rewritten(part: Path, version: bytes | None, table: pa.Table | None = None) -> Path:
    """Write a part anew as another octprobe would have: of another version, or with other columns."""
    held = pq.read_table(part) if table is None else table
    metadata = None if version is None else {VERSION_KEY: version}
    target = part.with_name("z.parquet")
    pq.write_table(held.replace_schema_metadata(metadata), target)
    return target


def test_records_come_back_as_they_were(tmp_path: Path) -> None:
    """Part by part, oldest first; tuples are tuples, absent is None; a store comes into being."""
    first, second = [NOTE, replace(NOTE, tags=(), share=None, raw=None)], [replace(NOTE, count=4)]
    parts = [TABLE.append(tmp_path / "s", rows) for rows in (first, second)]
    assert TABLE.read(tmp_path / "s") == ([*first, *second], [])
    assert TABLE.parts(tmp_path / "s") == sorted(parts)
    assert {part.parent for part in parts} == {tmp_path / "s" / "notes"}
    Store.open(tmp_path / "s")


def test_a_part_is_never_changed(tmp_path: Path) -> None:
    """The next one lies beside it under another name, and nothing half-written stays."""
    first = TABLE.append(tmp_path, [NOTE])
    content = first.read_bytes()
    TABLE.append(tmp_path, [replace(NOTE, count=9)])
    assert first.read_bytes() == content
    assert len(list((tmp_path / "notes").iterdir())) == 2


def test_nothing_is_there_yet(tmp_path: Path) -> None:
    """A folder that is no store has no records, and does not become one by reading."""
    assert TABLE.read(tmp_path / "none") == ([], [])
    assert TABLE.parts(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"no parquet", b"PAR1"])
def test_a_damaged_part_is_named_and_the_others_are_read(tmp_path: Path, content: bytes) -> None:
    """With a reason of one line."""
    TABLE.append(tmp_path, [NOTE])
    damaged = tmp_path / "notes" / "a.parquet"
    damaged.write_bytes(content)
    rows, parts = TABLE.read(tmp_path)
    assert rows == [NOTE]
    assert [part.path for part in parts] == [damaged]
    assert parts[0].reason
    assert "\n" not in parts[0].reason


def test_a_part_that_was_cut_short(tmp_path: Path) -> None:
    """As a copy that ended early leaves it."""
    part = TABLE.append(tmp_path, [NOTE])
    part.write_bytes(part.read_bytes()[:-20])
    rows, parts = TABLE.read(tmp_path)
    assert (rows, [each.path for each in parts]) == ([], [part])


@pytest.mark.parametrize("name", ["_half.parquet", ".hidden.parquet", "notes.txt"])
def test_hidden_and_other_files_are_no_parts(tmp_path: Path, name: str) -> None:
    """Half-written ones are hidden, as pyarrow has it."""
    TABLE.append(tmp_path, [NOTE])
    (tmp_path / "notes" / name).write_bytes(b"")
    assert TABLE.read(tmp_path) == ([NOTE], [])


def test_a_newer_version_is_refused(tmp_path: Path) -> None:
    """By the version of this table and not that of rows; half of what it says would be a wrong answer."""
    part = rewritten(TABLE.append(tmp_path, [NOTE]), b"3")
    with pytest.raises(StoreError) as caught:
        TABLE.read(tmp_path)
    assert str(caught.value) == (
        f"{part} has schema version 3; this octprobe reads up to 2. "
        "Upgrade octprobe, or give another --store."
    )


def test_an_older_part_is_brought_to_this_version(tmp_path: Path) -> None:
    """A column that came later is null, a narrower type is widened, one that is gone is left out."""
    part = TABLE.append(tmp_path, [NOTE])
    older = pq.read_table(part).drop_columns(["share"])
    older = older.set_column(older.schema.get_field_index("count"), "count", older["count"].cast(pa.int8()))
    older = older.append_column("gone", pa.array([1]))
    rewritten(part, b"1", older)
    part.unlink()
    assert TABLE.read(tmp_path) == ([replace(NOTE, share=None)], [])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda table: table.drop_columns(["count"]), "column count is absent or null"),
        (
            lambda table: table.set_column(1, "count", pa.array([None], pa.int64())),
            "column count is absent or null",
        ),
        (lambda table: table.set_column(1, "count", pa.array(["many"])), "many"),
    ],
)
def test_what_makes_no_record_is_damage(tmp_path: Path, change: object, reason: str) -> None:
    """A value that every record must have, or one of another kind."""
    part = TABLE.append(tmp_path, [NOTE])
    assert callable(change)
    rewritten(part, b"2", change(pq.read_table(part)))
    rows, (damaged,) = TABLE.read(tmp_path)
    assert rows == [NOTE]
    assert reason in damaged.reason


def test_a_file_of_another_program_is_damage(tmp_path: Path) -> None:
    """It carries no version."""
    rewritten(TABLE.append(tmp_path, [NOTE]), None)
    rows, (damaged,) = TABLE.read(tmp_path)
    assert rows == [NOTE]
    assert damaged.reason == "it names no schema version, so octprobe did not write it"


def test_a_full_disk_adds_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line; what was there stays."""
    TABLE.append(tmp_path, [NOTE])

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(publish.os, "fsync", full)
    with pytest.raises(StoreError, match="notes: the disk is full"):
        TABLE.append(tmp_path, [NOTE])
    assert TABLE.read(tmp_path) == ([NOTE], [])
    assert len(list((tmp_path / "notes").iterdir())) == 1


def test_a_file_in_the_way_is_one_line(tmp_path: Path) -> None:
    """And nothing is written."""
    (tmp_path / "s").write_text("a file", encoding="utf-8")
    with pytest.raises(StoreError, match="a file is in the way of this folder") as caught:
        TABLE.append(tmp_path / "s", [NOTE])
    assert "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["s"]
