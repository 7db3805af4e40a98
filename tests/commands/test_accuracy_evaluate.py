"""`octprobe accuracy evaluate`: a checkpoint on a folder of images, kept in a store."""

import json
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from typer.testing import CliRunner

from octprobe.commands.accuracy import accuracy
from octprobe.errors import UsageError
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
    assert (row["network"], row["dataset"], row["images"], row["recipe"]) == (NETWORK, "pets", 3, "ours")
    assert (row["seed"], row["resolution"], row["kind"]) == (3, 64, "evaluated")
    assert 0 <= row["top1_ci_low_percent"] <= row["top1_percent"] <= row["top5_percent"] <= 100
    (kept,) = read_runs(tmp_path / "s").rows
    assert kept.top1_percent == row["top1_percent"]


def test_a_fault_leaves_no_store(tmp_path: Path) -> None:
    """Nothing half-written."""
    torch.save({"weight": torch.zeros(1)}, tmp_path / "w.pt")
    place = ["--checkpoint", str(tmp_path / "w.pt"), "--data", str(tmp_path), "--store", str(tmp_path / "s")]
    with pytest.raises(UsageError, match=f"do not fit network '{NETWORK}'"):
        CliRunner().invoke(
            accuracy, ["evaluate", NETWORK, "--alpha", "0", *place, "--device", "cpu"], catch_exceptions=False
        )
    assert not (tmp_path / "s").exists()
