"""One training for every alpha: each step learns at a few of them, drawn anew."""

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from timm.optim._param_groups import param_groups_weight_decay
from torch import Tensor, nn
from torch.nn import functional

from octprobe.accuracy.elastic_network import ElasticNetwork
from octprobe.plan.recipe import Alpha, ElasticPart, Recipe


class Elastic:
    """A learner that is one network at several alphas; its state holds each parameter once.

    Source: the slimmable networks of Yu et al. (arXiv 1812.08928), whose widths are alphas here: weights are
    shared, statistics of batch norms are not; Yu and Huang (arXiv 1903.05134) let the whole network teach.

    Args:
        vanilla: the network at its initial weights; it is taken over, not copied.
        alphas: those that steps draw from.
        recipe: how it learns.
        example: (1, C, R, R), what the network takes.

    Attributes:
        passes: alphas a step, for each image is run at each of them.
        module: the vanilla network, which holds the shared parameters.

    Raises:
        ConversionError: the network has no octave form at one of the alphas.
    """

    def __init__(self, vanilla: nn.Module, alphas: Iterable[Alpha], recipe: Recipe, example: Tensor) -> None:
        self._network = ElasticNetwork(vanilla, alphas, example)
        self._part = recipe.elastic or ElasticPart()
        self._smoothing = recipe.label_smoothing
        self.passes, self.module = min(self._part.alphas_a_step, len(self._network.alphas)), vanilla
        self._network.train()

    def parameter_groups(self, weight_decay: float) -> list[dict[str, Any]]:
        """See `Learner`."""
        groups: list[dict[str, Any]] = param_groups_weight_decay(self.module, weight_decay)
        return groups

    def step(self, images: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
        """See `Learner`; the loss is the mean over the alphas drawn."""
        total, teacher = torch.zeros((), device=images.device), None
        for alpha in self._drawn(generator):
            logits = self._network.form(alpha)(images)
            loss = self._loss(logits, labels, teacher) / self.passes
            loss.backward()  # type: ignore[no-untyped-call]  # as torch has it
            total += loss.detach()
            if alpha == 0 and self._part.distillation:
                teacher = logits.detach()
        return total

    def state_dict(self) -> dict[str, Any]:
        """See `Learner`."""
        return self._network.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """See `Learner`."""
        self._network.load_state_dict(state)

    def finish(self, images: Tensor) -> None:
        """See `Learner`; every alpha has its statistics estimated."""
        self._network.estimate_statistics(images)

    def network_at(self, alpha: Alpha, images: Tensor) -> nn.Module:
        """See `Learner`; any alpha or alpha map will do."""
        return self._network.network_at(alpha, images)

    def _drawn(self, generator: torch.Generator) -> Sequence[Alpha]:
        """Draw different alphas; one that teaches comes first, and always where answers are asked of it."""
        alphas = self._network.alphas
        order = torch.randperm(len(alphas), generator=generator).tolist()
        if self._part.distillation and 0 in alphas:
            order.sort(key=lambda place: alphas[place] != 0)
        return [alphas[place] for place in order[: self.passes]]

    def _loss(self, logits: Tensor, labels: Tensor, teacher: Tensor | None) -> Tensor:
        """Mix the loss of the labels with that of the teacher's answers."""
        loss = functional.cross_entropy(logits, labels, label_smoothing=self._smoothing)
        if teacher is None:
            return loss
        share, temperature = self._part.distillation, self._part.temperature
        asked = (teacher / temperature).log_softmax(1)
        given = (logits / temperature).log_softmax(1)
        # Gradients of softened answers are smaller by the square: Hinton et al. (arXiv 1503.02531).
        apart = functional.kl_div(given, asked, reduction="batchmean", log_target=True) * temperature**2
        return (1 - share) * loss + share * apart
