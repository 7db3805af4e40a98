"""The accuracy of a finished checkpoint at any alpha or alpha map."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from octprobe.accuracy.checkpoint import Checkpoint
from octprobe.accuracy.evaluate import evaluate
from octprobe.accuracy.experiment import Experiment
from octprobe.accuracy.rows import Origin, answer_columns, cost_columns
from octprobe.accuracy.sources import read_data
from octprobe.cost.count import quick_cost
from octprobe.errors import UsageError
from octprobe.plan.recipe import Alpha
from octprobe.store.accuracy_run import AccuracyRun, RunStatus
from octprobe.store.accuracy_runs import TEST, VALIDATION
from octprobe.workload import Workload


@dataclass(frozen=True)
class Asked:
    """Whom and what is asked.

    Attributes:
        file: the checkpoint's file, as it was named.
        folder: where the data set's files are; None for the usual place.
        split: test or validation.
        device: where it runs.
        env_id: identity of the environment.
        allow_import: whether code may be imported to find the network.
    """

    file: str
    checkpoint: Checkpoint
    folder: Path | None
    split: str
    device: torch.device
    env_id: str
    allow_import: bool = False


def answers_at(asked: Asked, alphas: Iterable[Alpha]) -> Iterator[AccuracyRun]:
    """Ask a checkpoint at each alpha; give its row as soon as it is known.

    Where batch-norm statistics of an alpha are not in the checkpoint, they come from training images.

    Raises:
        UsageError: the data set is another, the network cannot be built, or has no such alpha.
        ConversionError: it has no octave form at an alpha.
    """
    task = asked.checkpoint.task
    whole = read_data(task.recipe, asked.folder)
    if whole.name != asked.checkpoint.dataset:
        raise UsageError(
            f"{asked.file}: was trained on {asked.checkpoint.dataset}, and --data holds {whole.name}"
        )
    place = Experiment(Path(), whole, asked.device, asked.env_id, allow_import=asked.allow_import)
    learner, data, example = place.learner_of(task)
    learner.load_state_dict(asked.checkpoint.state)
    statistics = data.sample(task.recipe.statistics_images)
    images = {TEST: data.test, VALIDATION: data.validation}[asked.split]
    if not len(images):
        raise UsageError(f"{asked.file}: its recipe keeps no image for {asked.split}; ask for --split {TEST}")
    origin = Origin(task=task, env_id=asked.env_id, data=data)
    for alpha in alphas:
        network = learner.network_at(alpha, statistics)
        yield AccuracyRun(
            **origin.columns(alpha),
            **answer_columns(evaluate(network, data, images)),
            **cost_columns(quick_cost(Workload(network, example))),
            split=asked.split,
            status=RunStatus.TRAINED,
            checkpoint=asked.file,
        )
