"""The store that travels with the package: small, whole, measured, labelled with its machine and time."""

from pathlib import Path

import pytest

from benchmarks.demo_store import LARGEST_BYTES, rewrite
from demo_store import demo_rows, write_demo
from octprobe.demo import demo_store
from octprobe.store.query import load_frame, load_readable
from octprobe.store.store import Store


def test_it_is_small_and_whole() -> None:
    """A part that cannot be read would be named."""
    files = [path for path in demo_store().rglob("*") if path.is_file()]
    assert {path.suffix for path in files} == {".parquet", ".yaml"}
    assert sum(path.stat().st_size for path in files) <= LARGEST_BYTES
    assert load_readable(demo_store()).damaged == ()


def test_every_row_names_its_machine_and_its_time() -> None:
    """And what was asked for, with samples to draw."""
    frame = load_frame(demo_store())
    assert len(frame) >= 20
    for name in ("device_name", "cpu_model", "torch", "os", "recorded_at", "sweep"):
        assert frame[name].notna().all(), name
    assert (frame["status"] == "measured").all()
    assert frame["latency_ms_samples"].map(len).min() >= 30
    digests = {path.stem for path in (demo_store() / "specs").glob("*.yaml")}
    assert set(frame["spec_digest"]) == digests


def test_it_has_what_a_first_look_needs() -> None:
    """Two networks, two batches, both memory formats, vanilla and octave."""
    frame = load_frame(demo_store())
    for name in ("network", "batch", "memory_format"):
        assert frame[name].nunique() >= 2, name
    assert {0.0, 0.5} <= set(frame["alpha"])
    assert frame["verdict"].notna().sum() == (frame["alpha"] > 0).sum()


def test_it_is_made_of_the_last_attempts(tmp_path: Path) -> None:
    """In one part of the same figures; what was there before goes."""
    source = Store(write_demo(tmp_path / "source"))
    source.append(demo_rows(seed=1))
    (source.path / "specs").mkdir()
    asked_for = load_frame(source.path)["spec_digest"].iloc[0]
    for name in (asked_for, "another"):
        (source.path / "specs" / f"{name}.yaml").write_text("version: 1\n")
    stale = tmp_path / "target" / "parts" / "stale.parquet"
    stale.parent.mkdir(parents=True)
    stale.touch()
    rewrite(source, tmp_path / "target")
    assert len(Store(tmp_path / "target").parts()) == 1
    assert [path.stem for path in (tmp_path / "target" / "specs").iterdir()] == [asked_for]
    made, given = load_frame(tmp_path / "target"), load_frame(source.path)
    assert made.columns.tolist() == given.columns.tolist()
    assert made["latency_ms_samples"].tolist() == given["latency_ms_samples"].tolist()
    assert made["point_id"].tolist() == given["point_id"].tolist()


def test_what_is_too_large_or_damaged_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the old demonstration stays."""
    target = tmp_path / "target"
    target.mkdir()
    source = Store(write_demo(tmp_path / "source"))
    monkeypatch.setattr("benchmarks.demo_store.LARGEST_BYTES", 100)
    with pytest.raises(ValueError, match="bytes of at most 100"):
        rewrite(source, target)
    monkeypatch.undo()
    (source.path / "parts" / "broken.parquet").write_bytes(b"no parquet")
    with pytest.raises(ValueError, match="damaged"):
        rewrite(source, target)
    assert target.is_dir()
