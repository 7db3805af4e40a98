"""The accuracies that a store holds."""

import errno
import os
import tempfile
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from octprobe.errors import StoreError
from octprobe.store import publish
from octprobe.store.accuracy_run import AccuracyRun, percent
from octprobe.store.accuracy_runs import (
    answered,
    append_runs,
    family_of,
    flags_of,
    probe,
    read_runs,
    refuse_no_runs,
)
from octprobe.store.store import Store


def run(right: list[int] | None = None, **changed: Any) -> AccuracyRun:
    """Give a row whose answers are ones and zeros."""
    flags = np.array([1, 0, 1, 1, 0, 1, 1, 1, 0, 1] if right is None else right, dtype=bool)
    values: dict[str, Any] = {
        "network": "octprobe:resnet8",
        "alpha": 0.5,
        "dataset": "stripes",
        "split": "test",
        "resolution": 28,
        "kind": "trained",
        "recipe": "{}",
        "recipe_digest": "0123456789abcdef",
        "seed": 0,
        "status": "trained",
        "recorded_at": datetime(2026, 1, 2, tzinfo=UTC),
        "images": len(flags),
        "top1_percent": percent(float(flags.mean())),
        "top5_percent": 90.0,
        "correct": np.packbits(flags).tobytes(),
        "macs": 1000,
        "parameters": 10,
        "seconds": 60.0,
        "images_seen": 500,
    }
    return AccuracyRun(**values | changed)


def test_rows_come_back_as_they_were(tmp_path: Path) -> None:
    """Bits, times and nulls; a store comes into being with the first."""
    rows = [run(), run(None, alpha=None, alpha_map='{"layer1": 0.5}', top5_percent=None)]
    append_runs(tmp_path, rows)
    found = read_runs(tmp_path)
    assert (found.rows, found.damaged) == (tuple(rows), ())
    Store.open(tmp_path)
    assert flags_of(found.rows[0]).tolist() == [True, False, True, True, False, True, True, True, False, True]


def test_the_last_row_of_a_training_counts(tmp_path: Path) -> None:
    """A failed one is replaced by its next try; other seeds and splits are others."""
    append_runs(tmp_path, [run(status="failed", reason="out of memory", correct=None), run(seed=1)])
    append_runs(tmp_path, [run(), run(split="validation")])
    assert [(row.seed, row.split, row.status) for row in read_runs(tmp_path).rows] == [
        (1, "test", "trained"),
        (0, "test", "trained"),
        (0, "validation", "trained"),
    ]


def test_a_damaged_part_is_left_out(tmp_path: Path) -> None:
    """And named; a hidden one is none."""
    append_runs(tmp_path, [run()])
    (tmp_path / "accuracy" / "zz.parquet").write_bytes(b"no parquet")
    (tmp_path / "accuracy" / "_half.parquet.tmp").write_bytes(b"")
    (tmp_path / "accuracy" / "_half.parquet").write_bytes(b"")
    found = read_runs(tmp_path)
    assert len(found.rows) == 1
    assert [part.path.name for part in found.damaged] == ["zz.parquet"]
    told = str(found.damaged[0])
    assert told.startswith(f"{tmp_path}/accuracy/zz.parquet is damaged (")
    assert told.endswith(
        "Move the file away and give the command of `octprobe accuracy` that wrote it again."
    )


def test_a_part_of_a_newer_octprobe_is_refused(tmp_path: Path) -> None:
    """Rather than half read."""
    part = append_runs(tmp_path, [run()])
    table = pq.read_table(part).replace_schema_metadata({b"octprobe_schema": b"99"})
    pq.write_table(table, part)
    with pytest.raises(StoreError, match="has schema version 99; this octprobe reads up to 1"):
        read_runs(tmp_path)


def test_columns_that_came_later_are_null(tmp_path: Path) -> None:
    """A part of before is read."""
    part = append_runs(tmp_path, [run()])
    table = pq.read_table(part)
    pq.write_table(table.drop_columns(["loss", "env_id"]), part)
    assert read_runs(tmp_path).rows[0].loss is None
    pq.write_table(table.drop_columns(["network"]), part)
    assert "network" in read_runs(tmp_path).damaged[0].reason
    assert isinstance(table, pa.Table)


def test_a_full_disk_adds_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line, and the rows of before stay."""
    append_runs(tmp_path, [run()])

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(publish.os, "fsync", full)
    with pytest.raises(StoreError, match="the disk is full"):
        append_runs(tmp_path, [run(seed=1)])
    assert len(read_runs(tmp_path).rows) == 1
    assert len(list((tmp_path / "accuracy").iterdir())) == 1


def test_nothing_to_show(tmp_path: Path) -> None:
    """A way out in a line."""
    with pytest.raises(StoreError, match=r"holds no accuracies; `octprobe accuracy train FILE --store"):
        refuse_no_runs(tmp_path, read_runs(tmp_path))
    (tmp_path / "accuracy").mkdir()
    (tmp_path / "accuracy" / "a.parquet").write_bytes(b"")
    with pytest.raises(StoreError, match="holds no accuracies that can be read: "):
        refuse_no_runs(tmp_path, read_runs(tmp_path))


def test_families_differ_by_kind_recipe_and_data_set() -> None:
    """None of them is mixed."""
    rows = [run(), run(kind="elastic"), run(recipe_digest="f" * 16), run(dataset="other")]
    assert len({family_of(row) for row in rows}) == 4


def test_answers_of_a_split() -> None:
    """Test images unless asked otherwise; trainings that gave nothing have none."""
    rows = [run(split="validation"), run(status="diverged", correct=None, top1_percent=None), run(seed=1)]
    assert [row.seed for row in answered(rows)] == [1]
    assert [row.split for row in answered(rows, "validation")] == ["validation"]


def test_a_probe_leaves_nothing(tmp_path: Path) -> None:
    """Neither a store that was to come into being, nor a file in one that is there."""
    probe(tmp_path / "a" / "b")
    assert list(tmp_path.iterdir()) == []
    append_runs(tmp_path, [run()])
    before = sorted(tmp_path.rglob("*"))
    probe(tmp_path)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_file_in_the_way_is_found_before_any_work(tmp_path: Path) -> None:
    """Where the store is to be, or amid it."""
    (tmp_path / "s").write_text("a file", encoding="utf-8")
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "accuracy").write_text("a file", encoding="utf-8")
    for name in ("s", "s/deep", "t"):
        with pytest.raises(StoreError, match=r"a file is in the way of this folder\. Give another"):
            probe(tmp_path / name)


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.EROFS, r"/store: cannot be used as a store \(Read-only file system\)"),
        (errno.EACCES, r"/store: cannot be used as a store \(Permission denied\)"),
        (errno.ENOSPC, "/store: the disk is full"),
    ],
)
def test_a_store_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, said: str
) -> None:
    """One line that names the store, whatever the file system says of the folder above it."""

    def refuse(**_: Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    with pytest.raises(StoreError, match=said) as caught:
        probe(tmp_path / "store")
    assert "\n" not in str(caught.value)


def test_every_column_has_its_meaning() -> None:
    """docs/columns.md is made of them; a field without default may not be null."""
    assert all(declared.metadata["meaning"] for declared in fields(AccuracyRun))
    with pytest.raises(ValueError, match="says nothing of its images"):
        flags_of(replace(run(), correct=None))
