"""`octprobe accuracy at`: whose answers are kept, under which name, and which are none."""

import json
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner, Result

from checkpoints import checkpoint_of, idx, noise
from octprobe.commands.main import app
from octprobe.errors import StoreError, UsageError
from octprobe.plan.recipe import Kind
from octprobe.store.accuracy_runs import read_runs


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Give the files of a data set."""
    return noise(tmp_path / "images")


def at(*arguments: object) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(app, ["accuracy", "at", *map(str, arguments), "--device", "cpu"])


def test_validation_unless_test_is_asked_for(tmp_path: Path, data: Path) -> None:
    """Each is kept as what it is."""
    file, store = checkpoint_of(tmp_path, Kind.ELASTIC), tmp_path / "store"
    asked = (file, "--data", data, "--store", store, "--alpha", "0.5", "--json")
    for more, split, images in (((), "validation", 40), (("--split", "test"), "test", 20)):
        ran = at(*asked, *more)
        assert (ran.exit_code, ran.stderr) == (0, "")
        (row,) = json.loads(ran.stdout)
        assert (row["split"], row["images"], row["checkpoint"]) == (split, images, str(file))
    assert [row.split for row in read_runs(store).rows] == ["validation", "test"]


def test_other_images_are_another_data_set(tmp_path: Path, data: Path) -> None:
    """They are told, and kept apart from those of the training."""
    file = checkpoint_of(tmp_path, Kind.ELASTIC)
    own = json.loads(at(file, "--data", data, "--alpha", "0", "--json").stdout)[0]["dataset"]
    labels = torch.randint(10, (20,), generator=torch.Generator().manual_seed(5), dtype=torch.uint8)
    (data / "t10k-labels-idx1-ubyte.gz").write_bytes(idx(labels))
    ran = at(file, "--data", data, "--alpha", "0", "--json")
    (other,) = {row["dataset"] for row in json.loads(ran.stdout)}
    assert other != own
    assert f"was trained on {own}, and is asked about {other}" in ran.stderr


def test_answers_in_no_numbers_are_not_kept(tmp_path: Path, data: Path) -> None:
    """The line names the file and the alpha; no store comes into being."""
    file, store = checkpoint_of(tmp_path, Kind.ELASTIC, is_broken=True), tmp_path / "store"
    ran = at(file, "--data", data, "--store", store, "--alpha", "0.25")
    assert isinstance(ran.exception, UsageError)
    assert str(ran.exception).startswith(
        f"{file}: at alpha 0.25: its answers to 40 of 40 images are no finite numbers"
    )
    assert not store.exists()


def test_a_store_that_cannot_be_written_is_found_first(tmp_path: Path) -> None:
    """Before the checkpoint is read."""
    (tmp_path / "store").write_text("a file", encoding="utf-8")
    ran = at(tmp_path / "none.pt", "--store", tmp_path / "store", "--alpha", "0")
    assert isinstance(ran.exception, StoreError)
    assert "a file is in the way" in str(ran.exception)
