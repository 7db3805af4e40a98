"""A checkpoint evaluated at an alpha on a folder of images."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from torch import nn

from octprobe.accuracy.evaluate import answers, refuse_no_numbers
from octprobe.accuracy.imagefolder import FolderOfImages, Wanted, open_folder
from octprobe.accuracy.rows import alpha_columns, answer_columns, cost_columns
from octprobe.cost.count import quick_cost
from octprobe.networks import build_network
from octprobe.plan.point import NetworkSubject
from octprobe.plan.recipe import Alpha, Kind, alpha_text, digest_of
from octprobe.plan.variant import Variant
from octprobe.store.accuracy_run import AccuracyRun, RunStatus
from octprobe.store.accuracy_runs import TEST
from octprobe.weights import PRETRAINED
from octprobe.workload import Workload, at_alpha

_DIGEST_HEX_DIGITS = 16


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What is evaluated, and on what.

    Attributes:
        checkpoint: file of the weights, or `pretrained`.
        dataset: what the data set is called; None for the folder's name with a digest of its files.
        recipe: how the weights were trained; None where nobody says, and then the file stands for it.
        images: how they are to be given.
    """

    network: str
    alpha: Alpha
    checkpoint: str
    folder: Path
    dataset: str | None
    recipe: str | None
    seed: int | None
    images: Wanted
    device: torch.device
    env_id: str
    allow_import: bool = False

    @property
    def recipe_text(self) -> str:
        """Say how the weights came about, as far as is known."""
        if self.recipe is not None:
            return self.recipe
        if self.checkpoint == PRETRAINED:
            return f"{PRETRAINED} {self.network}"
        with Path(self.checkpoint).expanduser().open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()[:_DIGEST_HEX_DIGITS]
        return f"checkpoint {Path(self.checkpoint).name} {digest}"


def evaluated_row(checked: Checked) -> AccuracyRun:
    """Evaluate, and give the row.

    Raises:
        UsageError: there is no such network, the checkpoint is not its own or cannot be read without running
            code, or the folder has no images of its classes.
        ConversionError: the network has no octave form at this alpha.
        MachineError: pretrained weights cannot be fetched.
    """
    vanilla = build_network(
        checked.network, allow_import=checked.allow_import, weights=checked.checkpoint
    ).eval()
    images = open_folder(checked.folder, vanilla, checked.network, checked.images)
    example = torch.zeros(1, *images.config["input_size"])
    network = _octave(vanilla, checked, example).to(checked.device)
    found = answers(network, images.batches(checked.device))
    refuse_no_numbers(found, f"{checked.checkpoint}: at alpha {alpha_text(checked.alpha)}")
    counted = cost_columns(quick_cost(Workload(network, example)))
    return _row(checked, images, answer_columns(found) | counted)


def _row(checked: Checked, images: FolderOfImages, found: dict[str, Any]) -> AccuracyRun:
    alpha, alpha_map = alpha_columns(checked.network, checked.alpha)
    return AccuracyRun(
        network=checked.network,
        alpha=alpha,
        alpha_map=alpha_map,
        dataset=checked.dataset or images.name,
        split=TEST,
        resolution=images.resolution,
        kind=str(Kind.EVALUATED),
        recipe=checked.recipe_text,
        recipe_digest=digest_of(checked.recipe_text),
        seed=checked.seed,
        status=RunStatus.EVALUATED,
        recorded_at=datetime.now(UTC),
        env_id=checked.env_id,
        checkpoint=checked.checkpoint,
        **found,
    )


def _octave(vanilla: nn.Module, checked: Checked, example: torch.Tensor) -> nn.Module:
    subject = NetworkSubject(network=checked.network, alpha=checked.alpha)
    return vanilla if subject.is_vanilla else at_alpha(vanilla, subject, example, Variant()).eval()
