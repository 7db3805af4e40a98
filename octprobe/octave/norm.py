"""Batch norm of a pair: each frequency with its slices of the one set of parameters and buffers."""

from typing import NamedTuple, Self

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm

from octprobe.octave.frequency import Runs, Value, take
from octprobe.octave.pack import Packing, Tensors
from octprobe.octave.split import ChannelSplit


class NormSlices(NamedTuple):
    """Weight, bias, mean and variance of the high channels, then of the low ones."""

    weight_high: Tensor | None
    bias_high: Tensor | None
    mean_high: Tensor | None
    var_high: Tensor | None
    weight_low: Tensor | None
    bias_low: Tensor | None
    mean_low: Tensor | None
    var_low: Tensor | None


class OctaveBatchNorm(Packing, nn.BatchNorm2d):
    """Batch norm over both frequencies of a pair, with the parameters and buffers of the plain norm.

    A plain value is normalised as ever: one norm may serve both.

    Attributes:
        split: channels of the value and which of them are low.
    """

    split: ChannelSplit

    @classmethod
    def from_norm(cls, norm: _BatchNorm, split: ChannelSplit) -> Self:
        """Make the octave form of a batch norm; it holds the same Parameter and buffer objects."""
        module = cls.__new__(cls)
        nn.Module.__init__(module)
        module.num_features, module.eps, module.momentum = norm.num_features, norm.eps, norm.momentum
        module.affine, module.track_running_stats = norm.affine, norm.track_running_stats
        module.training = norm.training
        for name, parameter in norm._parameters.items():
            module.register_parameter(name, parameter)
        for name, buffer in norm._buffers.items():
            module.register_buffer(name, buffer)
        module.split = split
        module.drop_pack()
        return module

    def forward(self, x: Value) -> Value:  # type: ignore[override]  # the one norm that takes a pair
        """Normalise (high, low); in training the running statistics are updated channel by channel."""
        if isinstance(x, Tensor):
            return super().forward(x)
        high, low = x
        if not self.split.high:
            return high, self._normalise(low, *self._prepared()[4:], self.split.low_runs)
        slices = self._prepared()
        return (
            self._normalise(high, *slices[:4], self.split.high_runs),
            self._normalise(low, *slices[4:], self.split.low_runs),
        )

    def extra_repr(self) -> str:
        """Describe the layer as the plain norm does, with its share of low channels."""
        return f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, alpha={self.split.alpha}"

    def pack_sources(self) -> Tensors:
        """Give weight, bias and running statistics."""
        return self.weight, self.bias, self.running_mean, self.running_var

    def slices(self) -> NormSlices:
        """Give the slices of both frequencies."""
        runs = (self.split.high_runs, self.split.low_runs)
        parts = [None if s is None else take(s, run) for run in runs for s in self.pack_sources()]
        return NormSlices(*parts)

    def packed_slices(self) -> NormSlices:
        """Give copies of the slices of both frequencies."""
        return NormSlices(*(None if s is None else s.clone() for s in self.slices()))

    def _prepared(self) -> NormSlices:
        if self.training and self.track_running_stats and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
        return NormSlices(*self.derived())

    def _factor(self) -> float:
        if self.momentum is not None:
            return self.momentum
        # Without momentum the running statistics are the plain average over all batches so far.
        tracked = self.num_batches_tracked
        return 0.0 if tracked is None or not self.training else 1.0 / float(tracked)

    def _normalise(
        self,
        x: Tensor,
        weight: Tensor | None,
        bias: Tensor | None,
        mean: Tensor | None,
        var: Tensor | None,
        runs: Runs,
    ) -> Tensor:
        from_batch = self.training or mean is None
        out = functional.batch_norm(x, mean, var, weight, bias, from_batch, self._factor(), self.eps)
        # One range is a view of the buffer; several are a copy, which has to be written back.
        if self.training and len(runs) > 1 and mean is not None and var is not None:
            _write_back(self.running_mean, mean, runs)
            _write_back(self.running_var, var, runs)
        return out


def _write_back(buffer: Tensor | None, part: Tensor, runs: Runs) -> None:
    if buffer is None:
        return
    taken = 0
    with torch.no_grad():
        for start, stop in runs:
            buffer[start:stop].copy_(part[taken : taken + stop - start])
            taken += stop - start
