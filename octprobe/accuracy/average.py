"""A running average of parameters over the steps of a training."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn


class RunningAverage:
    """Exponentially weighted means of parameters, which answer better than the last step's.

    Early steps weigh less than the decay alone would have it, or the random initial weights would stay in the
    average of a short training for good: as in TensorFlow's ExponentialMovingAverage, the decay of step n is
    at most (1 + n) / (10 + n).
    """

    def __init__(self, parameters: Iterable[nn.Parameter], decay: float) -> None:
        """Begin with the parameters as they are."""
        self._parameters = list(parameters)
        self._decay = decay
        self._means = [parameter.detach().clone() for parameter in self._parameters]

    @torch.no_grad()
    def update(self, steps: int) -> None:
        """Take in the parameters after so many steps."""
        decay = min(self._decay, (1 + steps) / (10 + steps))
        get_ema_multi_avg_fn(decay)(self._means, list(self._parameters), steps)  # type: ignore[no-untyped-call]  # as torch has it

    @torch.no_grad()
    def apply(self) -> None:
        """Put the means in the place of the parameters."""
        for parameter, mean in zip(self._parameters, self._means, strict=True):
            parameter.copy_(mean)

    def state(self) -> list[Tensor]:
        """Give the means, in the order of the parameters."""
        return self._means

    def load(self, means: Sequence[Tensor]) -> None:
        """Take means that were given before."""
        for held, mean in zip(self._means, means, strict=True):
            held.copy_(mean)
