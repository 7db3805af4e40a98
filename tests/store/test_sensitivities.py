"""What alpha groups cost, kept in a store and read back."""

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from octprobe.errors import StoreError
from octprobe.store.schema import VERSION_KEY
from octprobe.store.sensitivities import SENSITIVITIES, append_sensitivities, read_sensitivities
from octprobe.store.sensitivity import Sensitivity
from octprobe.store.store import Store

ROW = Sensitivity(
    network="octprobe:resnet8",
    dataset="fashion-mnist",
    split="validation",
    recipe_digest="0123456789abcdef",
    seed=0,
    checkpoint="elastic.pt",
    group_number=4,
    layers=("layer2.0.conv2", "layer2.0.downsample.0"),
    alpha=0.5,
    macs=9_000_000,
    baseline_macs=10_000_000,
    images=5000,
    baseline_right=4600,
    newly_wrong=40,
    newly_right=25,
)


def test_rows_come_back_as_they_were(tmp_path: Path) -> None:
    """In a store that is one for every other command too."""
    rows = [ROW, replace(ROW, alpha=0.25, newly_wrong=30)]
    part = append_sensitivities(tmp_path / "s", rows)
    assert part.parent == tmp_path / "s" / "sensitivity"
    assert read_sensitivities(tmp_path / "s").rows == tuple(rows)
    Store.open(tmp_path / "s")


def test_shares_and_points_are_derived() -> None:
    """From the counts; the points carry the interval of paired answers."""
    assert ROW.baseline_top1_percent == pytest.approx(92.0)
    assert ROW.top1_percent == pytest.approx(91.7)
    lost = ROW.lost_points
    assert lost.median == pytest.approx(0.3)
    # Agresti and Min: 15 of 5,002, 66 of them unlike, 1.96 standard errors.
    half = 1.959964 * ((66 / 5002 - (15 / 5002) ** 2) / 5002) ** 0.5
    assert (lost.low, lost.high) == pytest.approx((100 * (15 / 5002 - half), 100 * (15 / 5002 + half)))


def test_the_last_look_holds(tmp_path: Path) -> None:
    """Of each group, alpha and training; those of other seeds stay."""
    append_sensitivities(tmp_path, [ROW, replace(ROW, seed=1)])
    later = replace(ROW, newly_wrong=41, checkpoint="again.pt")
    append_sensitivities(tmp_path, [later])
    assert read_sensitivities(tmp_path).rows == (replace(ROW, seed=1), later)


def test_a_store_without_any_gives_none(tmp_path: Path) -> None:
    """And a folder that is no store yet."""
    assert read_sensitivities(tmp_path).rows == ()
    assert read_sensitivities(tmp_path / "none").rows == ()


def test_a_damaged_part_is_told_and_the_others_are_read(tmp_path: Path) -> None:
    """Half-written files of other programs are no rows."""
    append_sensitivities(tmp_path, [ROW])
    (tmp_path / "sensitivity" / "a.parquet").write_bytes(b"no parquet")
    (tmp_path / "sensitivity" / "_b.parquet.tmp").write_bytes(b"half")
    found = read_sensitivities(tmp_path)
    assert found.rows == (ROW,)
    assert [part.path.name for part in found.damaged] == ["a.parquet"]


def test_a_part_from_the_future_is_refused(tmp_path: Path) -> None:
    """Half of it would be a wrong answer."""
    part = append_sensitivities(tmp_path, [ROW])
    newer = pq.read_table(part).replace_schema_metadata({VERSION_KEY: b"2"})
    pq.write_table(newer, part.with_name("z.parquet"))
    with pytest.raises(StoreError, match="has schema version 2"):
        read_sensitivities(tmp_path)


def test_every_column_must_have_a_value() -> None:
    """A count that is not known makes no row."""
    assert not any(column.nullable for column in SENSITIVITIES.schema)
    assert SENSITIVITIES.schema.field("layers").type == pa.list_(pa.string())


def test_a_file_in_the_way_is_one_line(tmp_path: Path) -> None:
    """And nothing is written."""
    (tmp_path / "s").write_text("a file", encoding="utf-8")
    with pytest.raises(StoreError, match="a file is in the way") as caught:
        append_sensitivities(tmp_path / "s", [ROW])
    assert "\n" not in str(caught.value)
