"""What the training loop asks of whatever learns: one network, or one for every alpha."""

from typing import Any, Protocol

import torch
from torch import Tensor, nn

from octprobe.plan.recipe import Alpha


class Learner(Protocol):
    """Something with parameters that learns from batches and gives networks to be evaluated.

    Attributes:
        passes: forward passes of each image in one step: 1, or the alphas a step of an elastic network.
        module: holds the parameters and buffers that learn; those at `module.parameters()` are averaged
            where the recipe asks for a running average.
    """

    passes: int
    module: nn.Module

    def parameter_groups(self, weight_decay: float) -> list[dict[str, Any]]:
        """Give the parameters in the groups that an optimiser of torch takes, each with its weight decay."""

    def step(self, images: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
        """Run a batch forward and backward; the gradients are there afterwards, and were none before.

        Args:
            images: (B, C, R, R), float32, augmented and normalised.
            labels: (B,), int64.
            generator: of every random choice, on the processor; its state is kept in checkpoints.

        Returns:
            the loss, a scalar without its graph.
        """

    def state_dict(self) -> dict[str, Any]:
        """Give all that was learned: tensors, numbers and text in dicts and lists, nothing else."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take what `state_dict` gave of the same recipe.

        Raises:
            UsageError: it is of another network.
        """

    def finish(self, images: Tensor) -> None:
        """End the training: estimate the batch-norm statistics of the weights as they are now.

        Args:
            images: (N, C, R, R), float32, normalised, not augmented, of the training set.
        """

    def network_at(self, alpha: Alpha, images: Tensor) -> nn.Module:
        """Give the network at an alpha or alpha map, in eval mode, of the weights as they are now.

        Args:
            alpha: exact, as in a recipe.
            images: as for `finish`; where statistics of this alpha are not known, they come from these.

        Raises:
            UsageError: the learner has no network at this alpha.
            ConversionError: the network has no octave form at this alpha.
        """
