"""PReLU of a pair: each frequency with the slopes of its channels."""

from typing import Self

from torch import Tensor, nn
from torch.nn import functional

from octprobe.octave.frequency import Runs, Value, take
from octprobe.octave.split import ChannelSplit


class OctavePReLU(nn.PReLU):
    """A PReLU over both frequencies, with the one parameter of the plain activation.

    Attributes:
        split: channels of the value and which of them are low.
    """

    split: ChannelSplit

    @classmethod
    def from_prelu(cls, prelu: nn.PReLU, split: ChannelSplit) -> Self:
        """Make the octave form of a PReLU; it holds the same Parameter object."""
        module = cls.__new__(cls)
        nn.Module.__init__(module)
        module.num_parameters, module.weight, module.split = prelu.num_parameters, prelu.weight, split
        return module

    def forward(self, x: Value) -> Value:  # type: ignore[override]  # the one PReLU that takes a pair
        """Act on a tensor or on (high, low)."""
        if isinstance(x, Tensor):
            return functional.prelu(x, self.weight)
        return self._part(x[0], self.split.high_runs), self._part(x[1], self.split.low_runs)

    def _part(self, x: Tensor, runs: Runs) -> Tensor:
        if not x.shape[1]:
            return x
        return functional.prelu(x, self.weight if self.num_parameters == 1 else take(self.weight, runs))
