"""One network at one alpha that learns by itself."""

from typing import Any, Self

import torch
from timm.optim import param_groups_weight_decay  # type: ignore[attr-defined]  # as timm has it
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm
from torch.optim.swa_utils import update_bn

from octprobe.accuracy.state import refuse_misfit
from octprobe.errors import UsageError
from octprobe.plan.point import NetworkSubject
from octprobe.plan.recipe import Alpha, Recipe, alpha_text
from octprobe.plan.variant import Variant
from octprobe.workload import at_alpha

# As many as train a usual batch, so that statistics are those of batches of that kind.
STATISTICS_BATCH = 250


class Standalone:
    """A learner that is one network at one alpha; its state dict is the vanilla network's.

    Args:
        vanilla: the network at its initial weights; it is taken over, not copied.
        alpha: at which it learns.
        recipe: how.
        example: (1, C, R, R), what the network takes.

    Raises:
        ConversionError: the network has no octave form at this alpha.
    """

    passes = 1

    def __init__(self, vanilla: nn.Module, alpha: Alpha, recipe: Recipe, example: Tensor) -> None:
        subject = NetworkSubject(network=recipe.network, alpha=alpha)
        self.alpha = subject.vanilla().alpha if subject.is_vanilla else alpha
        self.module = vanilla if subject.is_vanilla else at_alpha(vanilla, subject, example, Variant())
        self._smoothing = recipe.label_smoothing
        self.module.train()

    def parameter_groups(self, weight_decay: float) -> list[dict[str, Any]]:
        """See `Learner`."""
        groups: list[dict[str, Any]] = param_groups_weight_decay(self.module, weight_decay)
        return groups

    def step(self, images: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
        """See `Learner`; nothing is drawn."""
        loss = functional.cross_entropy(self.module(images), labels, label_smoothing=self._smoothing)
        loss.backward()  # type: ignore[no-untyped-call]  # as torch has it
        return loss.detach()

    def state_dict(self) -> dict[str, Any]:
        """See `Learner`."""
        return dict(self.module.state_dict())

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """See `Learner`."""
        refuse_misfit(self.module.state_dict(), state)
        self.module.load_state_dict(state)

    def finish(self, images: Tensor) -> None:
        """See `Learner`."""
        estimate_statistics(self.module, images)
        self.module.eval()

    def network_at(self, alpha: Alpha, images: Tensor) -> nn.Module:
        """See `Learner`; there is a network at the alpha that was trained alone."""
        if alpha != self.alpha:
            raise UsageError(
                f"the checkpoint was trained at alpha {alpha_text(self.alpha)} alone, not at "
                f"{alpha_text(alpha)}; a checkpoint of `octprobe accuracy elastic` serves every alpha"
            )
        return self.module.eval()


def estimate_statistics(network: nn.Module, images: Tensor) -> None:
    """Put into a network's batch norms the plain mean of the statistics of batches of these images.

    What else differs in training, such as dropout, is as it is when the network answers: statistics are of
    the values that it then has, and nothing is drawn at random.

    Args:
        network: is changed in place; its mode stays.
        images: (N, C, R, R), float32; those that fill no batch are left out where one is filled.
    """
    size, was_training = min(STATISTICS_BATCH, len(images)), network.training
    batches = images[: len(images) // size * size].split(size)  # type: ignore[no-untyped-call]  # as torch has it
    update_bn(batches, _NormsTrain(network))
    network.train(was_training)


class _NormsTrain(nn.Module):
    """A network of which the batch norms alone can be in training mode."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self._network = network

    def forward(self, images: Tensor) -> Tensor:
        answers: Tensor = self._network(images)
        return answers

    def train(self, mode: bool = True) -> Self:
        """Set the mode of norms; what timm puts into them acts after them, and is no norm."""
        self._network.eval()
        for module in self._network.modules():
            if isinstance(module, _BatchNorm):
                module.train(mode)
                for inner in module.children():
                    inner.eval()
        return self
