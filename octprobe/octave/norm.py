"""Batch norm of a pair: each frequency with its slices of the one set of parameters and buffers."""

from typing import NamedTuple, Self

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm

from octprobe.errors import ConversionError
from octprobe.octave.frequency import Runs, Value, take
from octprobe.octave.pack import Packing, Tensors
from octprobe.octave.split import ChannelSplit

# Of frozen norms that do not say it: torchvision's own default.
_EPS = 1e-5
# What timm's norms hold and do after the norm, in this order.
_AFTERWARDS = ("drop", "act")


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

    A plain value is normalised as ever: one norm may serve both. What the plain norm does after it, such as
    the activation within a norm of timm's, is done to each frequency.

    Attributes:
        split: channels of the value and which of them are low.
        is_frozen: whether the running statistics hold in training too.
        is_synchronised: whether the plain norm gathers its statistics over processes.
    """

    split: ChannelSplit
    is_frozen: bool
    is_synchronised: bool
    # Whether a frequency's channels are several ranges, whose slices are copies and no views of the buffers.
    _in_pieces: bool

    @classmethod
    def from_norm(cls, norm: nn.Module, split: ChannelSplit) -> Self:
        """Make the octave form of a batch norm; it holds the same Parameter, buffer and module objects.

        Args:
            norm: a batch norm of torch, or one of timm's or torchvision's own with the same names inside.
            split: channels of the value and which of them are low.
        """
        module = cls.__new__(cls)
        nn.Module.__init__(module)
        module.is_frozen = not isinstance(norm, _BatchNorm)
        module.is_synchronised = isinstance(norm, nn.SyncBatchNorm)
        module.num_features, module.eps = split.channels, float(getattr(norm, "eps", _EPS))
        module.momentum = getattr(norm, "momentum", None)
        module.affine = getattr(norm, "affine", True)
        module.track_running_stats = getattr(norm, "track_running_stats", False)
        module.training = norm.training
        for name, parameter in norm._parameters.items():
            module.register_parameter(name, parameter)
        for name, buffer in norm._buffers.items():
            module.register_buffer(name, buffer)
        for name, inner in norm._modules.items():
            module.add_module(name, inner)
        module.split = split
        module._in_pieces = len(split.high_runs) > 1 or len(split.low_runs) > 1
        module.drop_pack()
        return module

    def forward(self, x: Value) -> Value:  # type: ignore[override]  # the one norm that takes a pair
        """Normalise (high, low); in training the running statistics are updated channel by channel."""
        self._count_batch()
        if isinstance(x, Tensor):
            return self._after(self._normalise(x, *_in_order(self.pack_sources()), ()))
        high, low = x
        slices = NormSlices(*self.derived())
        low = self._after(self._normalise(low, *slices[4:], self.split.low_runs))
        if not self.split.high:
            return high, low
        return self._after(self._normalise(high, *slices[:4], self.split.high_runs)), low

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

    def _after(self, x: Tensor) -> Tensor:
        for name in _AFTERWARDS:
            inner = self._modules.get(name)
            x = x if inner is None else inner(x)
        return x

    def _count_batch(self) -> None:
        if not self.training or not self.track_running_stats or self.is_frozen:
            return
        if self.is_synchronised and _is_distributed():
            raise ConversionError(
                "the octave form of SyncBatchNorm does not gather statistics over processes; train it in one"
            )
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)

    def _factor(self) -> float:
        if self.momentum is not None:
            return self.momentum
        # Without momentum the running statistics are the plain average over all batches so far.
        tracked = None if self.is_frozen else self.num_batches_tracked
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
        from_batch = mean is None or (self.training and not self.is_frozen)
        writes_back = from_batch and self._in_pieces and bool(runs)
        if writes_back and mean is not None and var is not None:
            # One range is a view of the buffer, and writing to another one would spoil it for the backward.
            mean, var = mean.clone(), var.clone()
        out = functional.batch_norm(x, mean, var, weight, bias, from_batch, self._factor(), self.eps)
        if writes_back and mean is not None and var is not None:
            _write_back(self.running_mean, mean, runs)
            _write_back(self.running_var, var, runs)
        return out


def _in_order(sources: Tensors) -> tuple[Tensor | None, Tensor | None, Tensor | None, Tensor | None]:
    weight, bias, mean, var = sources
    return weight, bias, mean, var


def _is_distributed() -> bool:
    group = torch.distributed
    return group.is_available() and group.is_initialized() and group.get_world_size() > 1


def _write_back(buffer: Tensor | None, part: Tensor, runs: Runs) -> None:
    if buffer is None:
        return
    taken = 0
    with torch.no_grad():
        for start, stop in runs:
            buffer[start:stop].copy_(part[taken : taken + stop - start])
            taken += stop - start
