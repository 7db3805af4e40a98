"""Octave forms of convolutions that standardise their weight in every call (arXiv 1903.10520, 2101.08692)."""

from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from octprobe.octave.conv import OctaveConv2d
from octprobe.octave.pack import Tensors
from octprobe.octave.split import ChannelSplit


class OctaveStdConv2d(OctaveConv2d):
    """An octave convolution whose paths are slices of the standardised weight.

    The weight is standardised whole, for every output channel over all of its inputs, as in the plain
    network; then it is cut into paths. In eval both happen once.

    Attributes:
        eps: what is added to the variance.
        gain: (C_out, 1, 1, 1), a parameter, or None where the plain convolution has none.
        scale: what the gain is multiplied by.
    """

    gain: Tensor | None
    eps: float
    scale: float

    @classmethod
    def from_conv(
        cls, conv: nn.modules.conv._ConvNd, split_in: ChannelSplit, split_out: ChannelSplit, **options: Any
    ) -> Self:
        """Make the octave form; `conv` is a `StdConv2d` or `ScaledStdConv2d` of timm."""
        module = super().from_conv(conv, split_in, split_out, **options)
        attributes: Any = conv
        module.eps, module.gain = attributes.eps, getattr(attributes, "gain", None)
        module.scale = getattr(attributes, "scale", 1.0)
        return module

    def pack_sources(self) -> Tensors:
        """Give weight, bias and gain."""
        return self.weight, self.bias, self.gain

    def full_weight(self) -> Tensor:
        """Give the weight with mean 0 and variance 1 an output channel, times the gain."""
        gain = None if self.gain is None else (self.gain * self.scale).view(-1)
        rows = self.weight.reshape(1, self.out_channels, -1)
        standard = functional.batch_norm(
            rows, None, None, weight=gain, training=True, momentum=0.0, eps=self.eps
        )
        return torch.reshape(standard, self.weight.shape)
