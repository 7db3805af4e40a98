"""`octprobe accuracy sensitivity`: rows of a store from one elastic checkpoint, and errors in a line."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner, Result

from checkpoints import checkpoint_of, idx, noise
from octprobe.commands.main import app
from octprobe.errors import StoreError, UsageError
from octprobe.plan.recipe import Kind
from octprobe.store.sensitivities import read_sensitivities


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Give the files of a data set."""
    return noise(tmp_path / "images")


def sensitivity(*arguments: object) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(app, ["accuracy", "sensitivity", *map(str, arguments)])


def test_rows_are_kept_and_printed(tmp_path: Path, data: Path) -> None:
    """Four groups at two alphas, asked about the 40 validation images."""
    file, store = checkpoint_of(tmp_path, Kind.ELASTIC), tmp_path / "store"
    ran = sensitivity(file, "--store", store, "--data", data, "--json")
    assert ran.exit_code == 0, ran.output
    rows = read_sensitivities(store).rows
    assert [(row.group_number, row.alpha) for row in rows] == [
        (n, a) for n in (2, 3, 4, 5) for a in (0.25, 0.5)
    ]
    assert {(row.seed, row.images, row.split, row.checkpoint) for row in rows} == {
        (3, 40, "validation", str(file))
    }
    printed = json.loads(ran.stdout)
    assert [row["lost_points"] for row in printed] == [row.lost_points.median for row in rows]
    assert printed[0]["layers"] == ["layer1.0.conv1"]
    assert ran.stderr == ""


def test_other_images_are_told(tmp_path: Path, data: Path) -> None:
    """A checkpoint can be asked about another data set; its rows carry that one's name."""
    file, store = checkpoint_of(tmp_path, Kind.ELASTIC), tmp_path / "store"
    labels = torch.randint(10, (60,), generator=torch.Generator().manual_seed(5), dtype=torch.uint8)
    (data / "train-labels-idx1-ubyte.gz").write_bytes(idx(labels))
    ran = sensitivity(file, "--store", store, "--data", data, "--json")
    assert ran.exit_code == 0, ran.output
    (name,) = {row.dataset for row in read_sensitivities(store).rows}
    assert f"is asked about {name}" in " ".join(ran.stderr.split())


def test_a_person_sees_a_line_a_group_and_alpha(tmp_path: Path, data: Path) -> None:
    """With the interval, and what it rests on."""
    file = checkpoint_of(tmp_path, Kind.ELASTIC)
    ran = sensitivity(file, "--store", tmp_path / "store", "--data", data)
    assert ran.exit_code == 0, ran.output
    assert "n = 40 images" in ran.stdout
    assert sum("layer" in line and "[" in line for line in ran.stdout.splitlines()) == 8


@pytest.mark.parametrize(
    ("kind", "changes", "said"),
    [
        (Kind.TRAINED, {}, "was trained at one alpha alone"),
        (Kind.ELASTIC, {"validation": 0}, "keeps no images for validation"),
        (Kind.ELASTIC, {"alphas": (Decimal(0),)}, "has no number above 0 among its alphas"),
        (
            Kind.ELASTIC,
            {"alphas": (Decimal(0), {"layer1": 0.5})},
            "has no number above 0 among its alphas",
        ),
        (Kind.ELASTIC, {"is_broken": True}, "answers to 40 of 40 images are no finite numbers"),
    ],
)
def test_what_says_nothing_of_groups_is_refused(
    tmp_path: Path, data: Path, kind: Kind, changes: dict[str, Any], said: str
) -> None:
    """In one line; no store comes into being."""
    file, store = checkpoint_of(tmp_path, kind, **changes), tmp_path / "store"
    ran = sensitivity(file, "--store", store, "--data", data)
    assert isinstance(ran.exception, UsageError)
    assert said in str(ran.exception)
    assert "\n" not in str(ran.exception)
    assert not store.exists()


def test_a_store_that_cannot_be_written_is_found_first(tmp_path: Path) -> None:
    """Before the checkpoint is read."""
    (tmp_path / "store").write_text("a file", encoding="utf-8")
    ran = sensitivity(tmp_path / "none.pt", "--store", tmp_path / "store")
    assert isinstance(ran.exception, StoreError)
    assert "a file is in the way" in str(ran.exception)
