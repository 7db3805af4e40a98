"""Checkpoints of trainings: written whole or not at all, read without running code."""

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from octprobe.accuracy.learner import Learner
from octprobe.errors import UsageError
from octprobe.plan.recipe import Alpha, Kind, Recipe, alpha_text, digest_of
from octprobe.store.accuracy_runs import ACCURACY_FOLDER
from octprobe.store.publish import keep
from octprobe.weights.checkpoint import read_held

_FOLDER = "checkpoints"
# Raised when older files would be misread.
_FORMAT = 1
_NAME_DIGITS = 8
# Whose checkpoint a file is, and in which format.
_MARK = "octprobe_accuracy"
# Names of data sets that stand in a file's name as they are: every disk takes them.
_PLAIN = re.compile(r"[A-Za-z0-9_.-]{1,60}")


@dataclass(frozen=True, kw_only=True)
class Task:
    """One training: at one alpha alone, or elastic at all of the recipe's, from one seed.

    Attributes:
        alpha: None of an elastic one.
        dataset: name of what it learns from; another content has another one.
    """

    recipe: Recipe
    kind: Kind
    alpha: Alpha | None
    seed: int
    dataset: str

    @property
    def label(self) -> str:
        """Name the training in a line."""
        at = "every alpha" if self.alpha is None else f"alpha {alpha_text(self.alpha)}"
        return f"{self.recipe.network} {at}, seed {self.seed}"

    @property
    def epochs(self) -> int:
        """Epochs from beginning to end."""
        return self.recipe.epochs_of(self.kind)

    def file(self, store: Path, *, unfinished: bool = False) -> Path:
        """Give the place of its weights in a store, or of what an unfinished one goes on from."""
        ending = "unfinished.pt" if unfinished else "pt"
        return checkpoint_folder(store) / f"{self.recipe.name}-{self._about}.{ending}"

    def claim(self, store: Path) -> Path:
        """Give the place of the file whose lock says that a process has this training in hand.

        Recipes that differ by their name alone describe the same training.
        """
        return checkpoint_folder(store) / f"{self._about}.claim"

    @property
    def _about(self) -> str:
        """Say in a file's name what makes this training another one than any other."""
        digest = self.recipe.digest(self.kind)[:_NAME_DIGITS]
        at = "" if self.alpha is None else f"-alpha{_short(self.alpha)}"
        return f"{self.kind}-{digest}-{_data(self.dataset)}{at}-seed{self.seed}"

    def identity(self) -> dict[str, Any]:
        """Say which training a checkpoint is of, in plain values."""
        return {
            _MARK: _FORMAT,
            "kind": str(self.kind),
            "digest": self.recipe.digest(self.kind),
            "alpha": None if self.alpha is None else alpha_text(self.alpha),
            "seed": self.seed,
            "dataset": self.dataset,
        }


def checkpoint_folder(store: Path) -> Path:
    """Give the folder of a store that holds weights."""
    return store / ACCURACY_FOLDER / _FOLDER


def _data(name: str) -> str:
    return name if _PLAIN.fullmatch(name) else digest_of(name)[:_NAME_DIGITS]


def _short(alpha: Alpha) -> str:
    text = alpha_text(alpha)
    return text if not isinstance(alpha, tuple) else digest_of(text)[:_NAME_DIGITS]


@dataclass(frozen=True)
class Checkpoint:
    """The weights of a training that has ended, and which one it was.

    Attributes:
        file: where it was read.
    """

    file: str
    task: Task
    state: dict[str, Any]

    @property
    def dataset(self) -> str:
        """Name of the data set that it was trained on."""
        return self.task.dataset

    def put_into(self, learner: Learner) -> None:
        """Give the weights to a learner of the same training.

        Raises:
            UsageError: they do not fit; the message names the file.
        """
        try:
            learner.load_state_dict(self.state)
        except UsageError as error:
            raise UsageError(f"{self.file}: {error}") from error

    def note_on(self, dataset: str) -> str | None:
        """Say in a line that another data set is asked about than it was trained on; None where it is not."""
        if dataset == self.dataset:
            return None
        return (
            f"{self.file}: was trained on {self.dataset}, and is asked about {dataset}: the answers are kept "
            "under that name, apart from those of the training"
        )


def write_checkpoint(file: Path, task: Task, content: Mapping[str, Any]) -> None:
    """Write a checkpoint; a crash at any moment leaves the older one, or none.

    Raises:
        StoreError: the disk is full, or the folder cannot be written.
    """
    buffer = io.BytesIO()
    torch.save({**task.identity(), "recipe": task.recipe.text(), **content}, buffer)
    keep(file, lambda target: target.write(buffer.getbuffer()))


def read_unfinished(file: Path, task: Task) -> dict[str, Any] | None:
    """Give what an unfinished training goes on from; None where there is nothing.

    Raises:
        UsageError: the file is damaged, or of another training.
    """
    if not file.exists():
        return None
    try:
        held = read_held(str(file))
    except UsageError as error:
        raise UsageError(f"{error}; remove the file to train from the beginning") from error
    if not isinstance(held, dict) or any(held.get(key) != value for key, value in task.identity().items()):
        raise UsageError(f"{file}: is of another training; remove it to train from the beginning")
    return held


def read_finished(path: str) -> Checkpoint:
    """Read the checkpoint of a training that has ended.

    Raises:
        UsageError: the file cannot be read without running code, or is no such checkpoint.
    """
    held = read_held(path)
    if not isinstance(held, dict) or held.get(_MARK) != _FORMAT or "state_dict" not in held:
        raise UsageError(
            f"{path}: is no checkpoint of `octprobe accuracy`; give one from a store's "
            f"{ACCURACY_FOLDER}/{_FOLDER}, or evaluate other weights with `octprobe accuracy evaluate`"
        )
    try:
        recipe = Recipe.of_text(held["recipe"])
        by_text = {alpha_text(alpha): alpha for alpha in recipe.alphas}
        alpha = None if held["alpha"] is None else by_text[held["alpha"]]
        task = Task(
            recipe=recipe,
            kind=Kind(held["kind"]),
            alpha=alpha,
            seed=int(held["seed"]),
            dataset=str(held["dataset"]),
        )
        return Checkpoint(path, task, dict(held["state_dict"]))
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path}: is a checkpoint of another octprobe; train it anew") from error
