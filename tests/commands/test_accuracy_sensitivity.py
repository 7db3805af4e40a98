"""`octprobe accuracy sensitivity`: rows of a store from one elastic checkpoint, and errors in a line."""

import copy
import gzip
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from typer.testing import CliRunner, Result

from octprobe.accuracy.checkpoint import Task, write_checkpoint
from octprobe.accuracy.elastic import Elastic
from octprobe.accuracy.standalone import Standalone
from octprobe.commands.main import app
from octprobe.errors import UsageError
from octprobe.networks import build_network
from octprobe.plan.recipe import Kind, Recipe
from octprobe.store.sensitivities import read_sensitivities

EXAMPLE = torch.zeros(1, 1, 28, 28)
RECIPE: dict[str, Any] = {
    "version": 1,
    "name": "tiny",
    "network": "octprobe:resnet8",
    "dataset": "fashion-mnist",
    "epochs": 1,
    "learning_rate": 0.1,
    "validation": 40,
    "statistics_images": 20,
    "alphas": (Decimal(0), Decimal("0.25"), Decimal("0.5")),
    "elastic": {"alphas_a_step": 1},
}


def idx(values: Tensor) -> bytes:
    """Write bytes as MNIST's authors defined it."""
    sizes = b"".join(size.to_bytes(4, "big") for size in values.shape)
    return gzip.compress(b"\0\0\x08" + bytes([values.dim()]) + sizes + values.numpy().tobytes())


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Give the four files of a data set of 80 images of noise."""
    folder, generator = tmp_path / "images", torch.Generator().manual_seed(0)
    folder.mkdir()
    for part, count in (("train", 60), ("t10k", 20)):
        images = torch.randint(256, (count, 28, 28), generator=generator, dtype=torch.uint8)
        (folder / f"{part}-images-idx3-ubyte.gz").write_bytes(idx(images))
        labels = torch.randint(10, (count,), generator=generator, dtype=torch.uint8)
        (folder / f"{part}-labels-idx1-ubyte.gz").write_bytes(idx(labels))
    return folder


def checkpoint_of(folder: Path, kind: Kind, **changes: Any) -> Path:
    """Write the checkpoint of a network at random weights."""
    recipe = Recipe.model_validate(copy.deepcopy(RECIPE) | changes)
    torch.manual_seed(0)
    vanilla = build_network(recipe.network)
    with torch.no_grad():
        for parameter in vanilla.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    alone = kind is Kind.TRAINED
    task = Task(recipe=recipe, kind=kind, alpha=Decimal(0) if alone else None, seed=3)
    learner = (
        Standalone(vanilla, Decimal(0), recipe, EXAMPLE)
        if alone
        else Elastic(vanilla, recipe.alphas, recipe, EXAMPLE)
    )
    file = folder / "weights.pt"
    write_checkpoint(file, task, {"state_dict": learner.state_dict(), "dataset": "fashion-mnist"})
    return file


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
