"""Channels of pairs put together, taken apart and dealt out anew, and what a pair says of its shape."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from octprobe.octave.frequency import Pair, Value, cropped_to_half, even_without_channels, low_size
from octprobe.octave.split import ChannelSplit


def cat_values(values: Sequence[Value]) -> Pair:
    """Concatenate over channels: high parts with high ones, low with low; a plain value is all high."""
    highs = [value if isinstance(value, Tensor) else value[0] for value in values]
    lows = [value[1] for value in values if not isinstance(value, Tensor)]
    return torch.cat(highs, 1), torch.cat(lows, 1)


class Channels(nn.Module):
    """A range of a pair's channels: a pair, or a tensor where none of them is low."""

    def __init__(self, split: ChannelSplit, start: int, stop: int) -> None:
        super().__init__()
        self.split, self.start, self.stop = split, start, stop
        self._high = _range_of(split.high, start, stop)
        self._low = _range_of(split.low, start, stop)

    def forward(self, x: Pair) -> Value:
        """Take the range from (high, low)."""
        high = x[0].narrow(1, *self._high)
        return (high, x[1].narrow(1, *self._low)) if self._low[1] else high

    def extra_repr(self) -> str:
        """Say which channels."""
        return f"{self.start} to {self.stop} of {self.split.channels}, alpha={self.split.alpha}"


class Pieces(nn.Module):
    """All of a pair's channels in pieces of given widths."""

    def __init__(self, split: ChannelSplit, widths: Sequence[int]) -> None:
        super().__init__()
        stops = [sum(widths[: i + 1]) for i in range(len(widths))]
        self.pieces = nn.ModuleList(
            Channels(split, stop - width, stop) for width, stop in zip(widths, stops, strict=True)
        )

    def forward(self, x: Pair) -> tuple[Value, ...]:
        """Take (high, low) apart."""
        return tuple(piece(x) for piece in self.pieces)


class EachPixelShuffle(nn.Module):
    """A pixel shuffle on each frequency; the low part is cropped to half the high size."""

    def __init__(self, factor: int) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Value) -> Value:
        """Shuffle a tensor or a pair."""
        if isinstance(x, Tensor):
            return functional.pixel_shuffle(x, self.factor)
        high = functional.pixel_shuffle(x[0], self.factor)
        return high, cropped_to_half(functional.pixel_shuffle(x[1], self.factor), high)


class EachInterpolate(nn.Module):
    """An up- or down-sampling of each frequency; the low part goes to half the high size, rounded up.

    Args:
        mode: the mode of interpolation.
        align_corners: as torch's.
        size: size of the output, or None.
        scale_factor: factor of the size where there is no size.
    """

    def __init__(
        self,
        mode: str,
        align_corners: bool | None = None,
        size: Any = None,
        scale_factor: Any = None,
    ) -> None:
        super().__init__()
        self.mode, self.align_corners, self.size, self.scale_factor = mode, align_corners, size, scale_factor

    def forward(self, x: Value, size: Any = None) -> Value:
        """Resize a tensor or a pair."""
        if isinstance(x, Tensor):
            return self._resized(x, size or self.size, self.scale_factor)
        resize = partial(self._resized, size=size or self.size, scale_factor=self.scale_factor)
        high = even_without_channels(resize, x[0])
        return high, self._resized(x[1], low_size(high.shape[2:]), None)

    def _resized(self, x: Tensor, size: Any, scale_factor: Any) -> Tensor:
        resized: Tensor = functional.interpolate(
            x, size, scale_factor, mode=self.mode, align_corners=self.align_corners
        )
        return resized


def shape_of(x: Value) -> torch.Size:
    """Give the shape that a value has as a plain one."""
    if isinstance(x, Tensor):
        return x.shape
    batch, channels, *size = x[0].shape
    return torch.Size((batch, channels + x[1].shape[1], *size))


def size_of(x: Value, dim: int | None = None) -> torch.Size | int:
    """Give the shape that a value has as a plain one, or one size of it."""
    shape = shape_of(x)
    return shape if dim is None else shape[dim]


def attribute_of(x: Value, name: str) -> object:
    """Give what a value says of itself: its shape as a plain one, its dtype or its device."""
    return shape_of(x) if name == "shape" else getattr(x if isinstance(x, Tensor) else x[0], name)


def _range_of(channels: Sequence[int], start: int, stop: int) -> tuple[int, int]:
    """Give where the channels of a range begin among some channels, and how many there are."""
    before = sum(c < start for c in channels)
    return before, sum(start <= c < stop for c in channels)
