"""What each alpha group alone costs in accuracy, read off one elastic network."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import numpy as np
from torch import Tensor, nn

from octprobe.accuracy.checkpoint import Checkpoint, Task
from octprobe.accuracy.evaluate import Flags, evaluate, refuse_no_numbers
from octprobe.accuracy.experiment import Experiment
from octprobe.cost.design_group import DesignGroup, DesignSpace, written
from octprobe.cost.design_space import design_space
from octprobe.cost.walk import walk
from octprobe.errors import UsageError
from octprobe.octave.shapes import on_meta
from octprobe.plan.point import AlphaMap
from octprobe.plan.recipe import Alpha, Kind
from octprobe.store.accuracy_runs import VALIDATION
from octprobe.store.sensitivity import Sensitivity

# Gives the network at an alpha or alpha map, in eval mode.
NetworkAt = Callable[[Alpha], nn.Module]


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where the answers are from, as the columns of the store say it."""

    network: str
    dataset: str
    split: str
    recipe_digest: str
    seed: int
    checkpoint: str


@dataclass(frozen=True)
class Choice:
    """One alpha group at one alpha, everything else at alpha 0."""

    group: DesignGroup
    alpha: Decimal

    @property
    def alpha_map(self) -> AlphaMap:
        """Say it as an alpha map."""
        return tuple((pattern, self.alpha) for pattern in self.group.patterns)


def look(checkpoint: Checkpoint, experiment: Experiment) -> Iterator[Sensitivity]:
    """Ask an elastic network about the validation images, each group of the policy alone at each alpha.

    Args:
        checkpoint: of an elastic training.
        experiment: says where the images are, and where to run.

    Raises:
        UsageError: the training served one alpha alone or kept no image for validation, its weights do not
            fit, or there is no group or no alpha to compare.
        ConversionError: the network has no octave form at an alpha.
    """
    task, file = checkpoint.task, checkpoint.file
    learner, data, example = experiment.learner_of(task)
    _refuse(task, file, len(data.validation))
    checkpoint.put_into(learner)
    statistics = data.sample(task.recipe.statistics_images)
    return sensitivities(
        _wanted(file, design_space(learner.module, int(example.shape[-1])), task.recipe.alphas),
        lambda alpha: learner.network_at(alpha, statistics),
        lambda network: refuse_no_numbers(evaluate(network, data, data.validation), file).first,
        example,
        Origin(
            network=task.recipe.network,
            dataset=data.name,
            split=VALIDATION,
            recipe_digest=task.recipe.digest(task.kind),
            seed=task.seed,
            checkpoint=file,
        ),
    )


def _refuse(task: Task, file: str, images: int) -> None:
    """Stop where the answer would say nothing of groups, or would read the test images."""
    if task.kind is not Kind.ELASTIC:
        raise UsageError(
            f"{file}: was trained at one alpha alone; groups are compared by one network that serves all: "
            "give a checkpoint of `octprobe accuracy elastic`"
        )
    if not images:
        raise UsageError(
            f"{file}: its recipe keeps no images for validation, and choices are not made by test images; "
            "train by a recipe with `validation: 5000`"
        )


def _wanted(file: str, space: DesignSpace, alphas: Iterable[Alpha]) -> tuple[Choice, ...]:
    """Give what is looked at; alpha maps are left out, for they speak of several groups."""
    found = choices(space, [alpha for alpha in alphas if isinstance(alpha, Decimal)])
    if not found:
        raise UsageError(
            f"{file}: its recipe has no number above 0 among its alphas, or its network no group that "
            "becomes octave; there is nothing to compare: train by a recipe with `alphas: [0, 0.5]`"
        )
    return found


def choices(space: DesignSpace, alphas: Iterable[Decimal]) -> tuple[Choice, ...]:
    """Give each group that the network's policy makes octave at each alpha above 0.

    Where a group allows multiples of a share only, it has the nearest one of them, once.

    Args:
        space: the design space of the network.
        alphas: as a recipe has them; 0 is what all are compared with, and left out.
    """
    asked = [Fraction(alpha) for alpha in alphas if alpha > 0]
    return tuple(
        Choice(group, written(alpha))
        for group in space.of_policy
        for alpha in dict.fromkeys(group.nearest(each) for each in asked)
    )


def sensitivities(
    wanted: Iterable[Choice],
    network_at: NetworkAt,
    ask: Callable[[nn.Module], Flags],
    example: Tensor,
    origin: Origin,
) -> Iterator[Sensitivity]:
    """Ask the network about the same images at alpha 0 and at each choice; a row each, as it is known.

    Args:
        wanted: what to look at.
        network_at: gives the networks.
        ask: tells which images a network answers right, (N,).
        example: (1, C, R, R), what the networks take.
        origin: where the answers are from.
    """
    vanilla = network_at(Decimal(0))
    baseline, baseline_macs = ask(vanilla), _macs(vanilla, example)
    for choice in wanted:
        network = network_at(choice.alpha_map)
        right = ask(network)
        yield Sensitivity(
            **vars(origin),
            group_number=choice.group.number,
            layers=choice.group.patterns,
            alpha=float(choice.alpha),
            macs=_macs(network, example),
            baseline_macs=baseline_macs,
            images=len(baseline),
            baseline_right=int(baseline.sum()),
            newly_wrong=int(np.count_nonzero(baseline & ~right)),
            newly_right=int(np.count_nonzero(~baseline & right)),
        )


def _macs(network: nn.Module, example: Tensor) -> int:
    return walk(on_meta(network), example.to("meta")).macs
