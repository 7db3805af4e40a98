"""Checkpoints of trainings that were never run, and the images that they are asked about."""

import copy
import gzip
from decimal import Decimal
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from octprobe.accuracy.checkpoint import Task, write_checkpoint
from octprobe.accuracy.elastic import Elastic
from octprobe.accuracy.sources import find_data
from octprobe.accuracy.standalone import Standalone
from octprobe.networks import build_network
from octprobe.plan.recipe import Kind, Recipe

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


def noise(folder: Path) -> Path:
    """Write the four files of a data set of 80 images of noise, and give their folder."""
    generator = torch.Generator().manual_seed(0)
    folder.mkdir()
    for part, count in (("train", 60), ("t10k", 20)):
        images = torch.randint(256, (count, 28, 28), generator=generator, dtype=torch.uint8)
        (folder / f"{part}-images-idx3-ubyte.gz").write_bytes(idx(images))
        labels = torch.randint(10, (count,), generator=generator, dtype=torch.uint8)
        (folder / f"{part}-labels-idx1-ubyte.gz").write_bytes(idx(labels))
    return folder


def checkpoint_of(folder: Path, kind: Kind, *, is_broken: bool = False, **changes: Any) -> Path:
    """Write the checkpoint of a network at random weights, or at weights that are no numbers."""
    recipe = Recipe.model_validate(copy.deepcopy(RECIPE) | changes)
    torch.manual_seed(0)
    vanilla = build_network(recipe.network)
    with torch.no_grad():
        for parameter in vanilla.parameters():
            parameter.add_(float("nan") if is_broken else 0.1 * torch.randn_like(parameter))
    alone = kind is Kind.TRAINED
    dataset = find_data(recipe, folder / "images").name
    task = Task(recipe=recipe, kind=kind, alpha=Decimal(0) if alone else None, seed=3, dataset=dataset)
    learner = (
        Standalone(vanilla, Decimal(0), recipe, EXAMPLE)
        if alone
        else Elastic(vanilla, recipe.alphas, recipe, EXAMPLE)
    )
    file = folder / "weights.pt"
    write_checkpoint(file, task, {"state_dict": learner.state_dict()})
    return file
