"""`octprobe accuracy evaluate`: a checkpoint on a folder of images, kept in a store."""

import json
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from typer.testing import CliRunner, Result

from octprobe.commands.accuracy import accuracy
from octprobe.errors import StoreError, UsageError
from octprobe.networks import build_network
from octprobe.store.accuracy_runs import read_runs

NETWORK = "resnet10t"


def test_a_row_of_a_store(tmp_path: Path) -> None:
    """Three images of 1,000 classes: top-1 and top-5 with intervals, beside the recipe named."""
    draws = np.random.default_rng(0)
    for number in range(1000):
        (tmp_path / "pets" / f"c{number:03}").mkdir(parents=True)
    for number in range(3):
        image = Image.fromarray(draws.integers(0, 256, (40, 40, 3), dtype=np.uint8))
        image.save(tmp_path / "pets" / f"c{number:03}" / "a.png")
    names = tmp_path / "names.txt"
    names.write_text("\n".join(f"c{number:03}" for number in range(1000)))
    torch.save(timm.create_model(NETWORK).state_dict(), tmp_path / "w.pt")
    place = [
        "--checkpoint",
        str(tmp_path / "w.pt"),
        "--data",
        str(tmp_path / "pets"),
        "--store",
        str(tmp_path / "s"),
    ]
    more = [
        "--resolution",
        "64",
        "--class-map",
        str(names),
        "--recipe",
        "ours",
        "--device",
        "cpu",
        "--seed",
        "3",
    ]
    result = CliRunner().invoke(
        accuracy, ["evaluate", NETWORK, "--alpha", "0.5", *place, *more, "--json"], catch_exceptions=False
    )
    assert result.exit_code == 0
    row = json.loads(result.stdout)
    assert (row["network"], row["images"], row["recipe"]) == (NETWORK, 3, "ours")
    assert row["dataset"].startswith("pets-")
    assert (row["seed"], row["resolution"], row["kind"]) == (3, 64, "evaluated")
    assert 0 <= row["top1_ci_low_percent"] <= row["top1_percent"] <= row["top5_percent"] <= 100
    (kept,) = read_runs(tmp_path / "s").rows
    assert kept.top1_percent == row["top1_percent"]


@pytest.fixture
def grey(tmp_path: Path) -> Path:
    """Give ten grey images, one a class."""
    for number in range(10):
        folder = tmp_path / "pictures" / f"c{number}"
        folder.mkdir(parents=True)
        Image.new("L", (28, 28), 20 * number).save(folder / "a.png")
    return tmp_path / "pictures"


def evaluated(grey: Path, *more: object) -> Result:
    """Evaluate the small network at random weights."""
    weights, store = grey.parent / "w.pt", grey.parent / "s"
    torch.manual_seed(0)
    torch.save(build_network("octprobe:resnet8").state_dict(), weights)
    options = ["--alpha", "0", "--checkpoint", weights, "--data", grey, "--store", store, "--device", "cpu"]
    return CliRunner().invoke(accuracy, ["evaluate", "octprobe:resnet8", *map(str, [*options, *more])])


def test_a_network_for_grey_images(grey: Path) -> None:
    """Of octprobe's own, with the numbers of its training; how many images there were is shown."""
    result = evaluated(grey, "--mean", "0.286", "--std", "0.353")
    assert result.exit_code == 0, result.output
    (row,) = read_runs(grey.parent / "s").rows
    assert (row.resolution, row.images) == (28, 10)
    (line,) = (line for line in result.stdout.splitlines() if "evaluated" in line and "[" in line)
    assert line.split()[7:9] == ["1", "10"]


def test_numbers_that_do_not_fit_the_channels(grey: Path) -> None:
    """Are told by their option."""
    error = evaluated(grey, *(part for value in (0.1, 0.2, 0.3) for part in ("--mean", value))).exception
    assert str(error) == "--mean: has 3 numbers; give one, or one a channel: 1"


def test_a_missing_map_is_told_by_its_option(grey: Path) -> None:
    """And not as a folder without images; nothing is stored."""
    error = evaluated(grey, "--class-map", grey / "none.txt").exception
    assert str(error).startswith(f"--class-map {grey}/none.txt: cannot be read: No such file")
    assert not (grey.parent / "s").exists()


def test_a_store_that_cannot_be_written_is_found_first(grey: Path) -> None:
    """Before the network is built."""
    (grey.parent / "s").write_text("a file", encoding="utf-8")
    error = evaluated(grey, "--data", "/nowhere").exception
    assert isinstance(error, StoreError)
    assert "a file is in the way" in str(error)


def test_a_fault_leaves_no_store(tmp_path: Path) -> None:
    """Nothing half-written."""
    torch.save({"weight": torch.zeros(1)}, tmp_path / "w.pt")
    place = ["--checkpoint", str(tmp_path / "w.pt"), "--data", str(tmp_path), "--store", str(tmp_path / "s")]
    with pytest.raises(UsageError, match=f"do not fit network '{NETWORK}'"):
        CliRunner().invoke(
            accuracy, ["evaluate", NETWORK, "--alpha", "0", *place, "--device", "cpu"], catch_exceptions=False
        )
    assert not (tmp_path / "s").exists()
