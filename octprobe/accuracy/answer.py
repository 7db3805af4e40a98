"""The accuracy of a finished checkpoint at any alpha or alpha map."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from octprobe.accuracy.checkpoint import Checkpoint
from octprobe.accuracy.evaluate import evaluate, refuse_no_numbers
from octprobe.accuracy.experiment import Experiment
from octprobe.accuracy.rows import Origin, answer_columns, cost_columns
from octprobe.accuracy.sources import read_data
from octprobe.cost.count import quick_cost
from octprobe.errors import UsageError
from octprobe.plan.recipe import Alpha, alpha_text
from octprobe.store.accuracy_run import AccuracyRun, RunStatus, Split
from octprobe.workload import Workload


@dataclass(frozen=True)
class Asked:
    """Whom and what is asked.

    Attributes:
        checkpoint: of a training that has ended; asked about another data set, its rows carry that name.
        folder: where the data set's files are; None for the usual place.
        split: of the data set.
        device: where it runs.
        env_id: identity of the environment.
        allow_import: whether code may be imported to find the network.
    """

    checkpoint: Checkpoint
    folder: Path | None
    split: Split
    device: torch.device
    env_id: str
    allow_import: bool = False


def answers_at(asked: Asked, alphas: Iterable[Alpha]) -> Iterator[AccuracyRun]:
    """Ask a checkpoint at each alpha; give its row as soon as it is known.

    Where batch-norm statistics of an alpha are not in the checkpoint, they come from training images.

    Raises:
        UsageError: the network cannot be built or has no such alpha, the weights do not fit it, or it answers
            with what is no number.
        ConversionError: it has no octave form at an alpha.
    """
    task = asked.checkpoint.task
    whole = read_data(task.recipe, asked.folder)
    place = Experiment(Path(), whole, asked.device, asked.env_id, allow_import=asked.allow_import)
    learner, data, example = place.learner_of(task)
    asked.checkpoint.put_into(learner)
    statistics = data.sample(task.recipe.statistics_images)
    images = data.test if asked.split is Split.TEST else data.validation
    if not len(images):
        raise UsageError(
            f"{asked.checkpoint.file}: its recipe keeps no image for {asked.split}; "
            f"ask for --split {Split.TEST}"
        )
    origin = Origin(task=task, env_id=asked.env_id, data=data)
    for alpha in alphas:
        network = learner.network_at(alpha, statistics)
        found = evaluate(network, data, images)
        refuse_no_numbers(found, f"{asked.checkpoint.file}: at alpha {alpha_text(alpha)}")
        yield AccuracyRun(
            **origin.columns(alpha),
            **answer_columns(found),
            **cost_columns(quick_cost(Workload(network, example))),
            split=asked.split,
            status=RunStatus.TRAINED,
            checkpoint=asked.checkpoint.file,
        )
