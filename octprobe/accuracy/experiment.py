"""The trainings of a recipe, one after the other: resumed where one was killed, each kept as it ends."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from octprobe.accuracy.build import vanilla_for
from octprobe.accuracy.checkpoint import Task, read_unfinished, write_checkpoint
from octprobe.accuracy.data import DataSet, ImageSet
from octprobe.accuracy.elastic import Elastic
from octprobe.accuracy.evaluate import Answers, evaluate
from octprobe.accuracy.learner import Learner
from octprobe.accuracy.loop import Progress, Training
from octprobe.accuracy.rows import Origin, alpha_columns, answered_row, fault_row
from octprobe.accuracy.standalone import Standalone
from octprobe.cost.count import quick_cost
from octprobe.errors import UsageError, first_line, wants_memory
from octprobe.plan.recipe import Alpha, Kind, Recipe
from octprobe.store.accuracy_run import FINAL, AccuracyRun, RunStatus
from octprobe.store.accuracy_runs import TEST, VALIDATION, append_runs
from octprobe.store.records import Cost
from octprobe.workload import Workload


class Watcher(Protocol):
    """Hears how trainings go."""

    def started(self, task: Task, epochs_done: int) -> None:
        """Hear that a training begins, or goes on after so many epochs."""

    def epoch(self, task: Task, progress: Progress) -> None:
        """Hear that one more epoch is done."""

    def ended(self, task: Task, rows: Sequence[AccuracyRun]) -> None:
        """Hear what is now in the store."""


def tasks_of(recipe: Recipe, kind: Kind, dataset: str) -> tuple[Task, ...]:
    """List the trainings of a recipe: seed by seed, so that what is done first can be compared first.

    Args:
        recipe: says what is trained.
        kind: at each alpha alone, or elastic.
        dataset: name of what is learned from, which tells its content.
    """
    alphas: Sequence[Alpha | None] = [None] if kind is Kind.ELASTIC else recipe.alphas
    return tuple(
        Task(recipe=recipe, kind=kind, alpha=alpha, seed=seed, dataset=dataset)
        for seed in recipe.seeds
        for alpha in alphas
    )


def pending(tasks: Iterable[Task], rows: Iterable[AccuracyRun]) -> tuple[Task, ...]:
    """Give the trainings whose end the rows of a store do not hold; one that failed is tried again."""
    done = {_end(row) for row in rows if row.status in FINAL}
    return tuple(task for task in tasks if not _ends(task) <= done)


def rows_of(task: Task, rows: Iterable[AccuracyRun]) -> list[AccuracyRun]:
    """Give those of the rows that are a training's end, at any of its alphas."""
    ends = _ends(task)
    return [row for row in rows if _end(row) in ends]


def _end(row: AccuracyRun) -> tuple[Any, ...]:
    return row.kind, row.recipe_digest, row.dataset, row.seed, row.alpha, row.alpha_map


def _ends(task: Task) -> set[tuple[Any, ...]]:
    alphas = task.recipe.alphas if task.alpha is None else (task.alpha,)
    about = (str(task.kind), task.recipe.digest(task.kind), task.dataset, task.seed)
    return {(*about, *alpha_columns(task.recipe.network, alpha)) for alpha in alphas}


@dataclass(frozen=True)
class Experiment:
    """Where trainings take their data from and put what they give.

    Attributes:
        store: the folder of the store.
        data: on the processor.
        device: where it is trained.
        env_id: identity of the environment.
        allow_import: whether code may be imported to find a network.
    """

    store: Path
    data: DataSet
    device: torch.device
    env_id: str
    allow_import: bool = False

    def run(self, task: Task, watch: Watcher) -> tuple[AccuracyRun, ...]:
        """Train, or go on with a training that was killed, and keep its weights and answers.

        Raises:
            StoreError: the disk is full, or the store cannot be written.
            UsageError: the network cannot be built for the data set, or its unfinished checkpoint read.
            ConversionError: it has no octave form at an alpha.
        """
        origin = Origin(task=task, env_id=self.env_id, data=self.data)
        try:
            rows = self._trained(task, origin, watch)
        except Exception as error:  # whatever a want of memory raises
            if not wants_memory(error):
                raise
            rows = tuple(
                fault_row(origin, alpha, RunStatus.FAILED, first_line(error)) for alpha in origin.alphas
            )
        append_runs(self.store, rows)
        if all(row.status in FINAL for row in rows):
            task.file(self.store, unfinished=True).unlink(missing_ok=True)
        watch.ended(task, rows)
        return rows

    def _trained(self, task: Task, origin: Origin, watch: Watcher) -> tuple[AccuracyRun, ...]:
        learner, data, example = self.learner_of(task)
        training = Training(learner, task.recipe, data, seed=task.seed, epochs=task.epochs)
        unfinished = task.file(self.store, unfinished=True)
        held = read_unfinished(unfinished, task)
        if held is not None:
            _go_on(training, held, unfinished)
        watch.started(task, training.progress.epochs)
        progress = training.run(
            save=lambda state: write_checkpoint(unfinished, task, {"training": state}),
            watch=lambda now: watch.epoch(task, now),
        )
        if progress.fault is not None:
            return tuple(
                fault_row(origin, alpha, RunStatus.DIVERGED, progress.fault, progress)
                for alpha in origin.alphas
            )
        file = task.file(self.store)
        write_checkpoint(file, task, {"state_dict": learner.state_dict()})
        checkpoint = str(file.relative_to(self.store))
        statistics = data.sample(task.recipe.statistics_images)
        return tuple(
            answered_row(origin, alpha, split, found, progress, counted, checkpoint)
            for alpha in origin.alphas
            for counted, answers in [_asked(learner.network_at(alpha, statistics), data, example)]
            for split, found in answers.items()
        )

    def learner_of(self, task: Task) -> tuple[Learner, DataSet, Tensor]:
        """Build what learns, with the data and an example as it takes them, on the device.

        Raises:
            UsageError: the network cannot be built for the data set.
            ConversionError: it has no octave form at an alpha.
        """
        name = task.recipe.network
        vanilla, data, example = vanilla_for(name, self.data, seed=task.seed, allow_import=self.allow_import)
        vanilla, example = vanilla.to(self.device), example.to(self.device)
        learner: Learner = (
            Elastic(vanilla, task.recipe.alphas, task.recipe, example)
            if task.alpha is None
            else Standalone(vanilla, task.alpha, task.recipe, example)
        )
        return learner, data.to(self.device), example


def _go_on(training: Training, held: dict[str, Any], file: Path) -> None:
    """Take up a training where its unfinished checkpoint was written."""
    try:
        training.load_state_dict(held["training"])
    except Exception as error:  # whatever a damaged content raises
        if wants_memory(error):
            raise
        raise UsageError(f"{file}: is damaged; remove it to train from the beginning") from error


def _asked(network: nn.Module, data: DataSet, example: Tensor) -> tuple[Cost, dict[str, Answers]]:
    """Ask about validation and test images, each once."""
    parts: dict[str, ImageSet] = {VALIDATION: data.validation, TEST: data.test}
    found = {name: evaluate(network, data, images) for name, images in parts.items() if len(images)}
    return quick_cost(Workload(network, example)), found
