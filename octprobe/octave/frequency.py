"""What a pair is, and how a plain value becomes one and back; sizes are read from the tensors.

Space is the last axis of a value (B, C, L), and the last two of (B, C, H, W) and (B, C, T, H, W): time keeps
its full resolution in both parts.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from octprobe.errors import ConversionError
from octprobe.octave.split import ChannelSplit
from octprobe.octave.words import Downsample

# High part (B, C_high, H, W) and low part (B, C_low, ceil(H/2), ceil(W/2)). At alpha 1 the high part has
# no channels, (B, 0, H, W), and still says how large the value is.
Pair = tuple[Tensor, Tensor]
Value = Tensor | Pair
Runs = tuple[tuple[int, int], ...]

# Height and width; a value of one axis has length alone.
SPACE_AXES = 2
# By number of dimensions: the pooling, and its window of two along each axis of space.
_AVERAGES: dict[int, tuple[Callable[..., Any], int | tuple[int, ...]]] = {
    3: (functional.avg_pool1d, 2),
    4: (functional.avg_pool2d, 2),
    5: (functional.avg_pool3d, (1, 2, 2)),
}
_GREATEST: dict[int, tuple[Callable[..., Any], int | tuple[int, ...]]] = {
    3: (functional.max_pool1d, 2),
    4: (functional.max_pool2d, 2),
    5: (functional.max_pool3d, (1, 2, 2)),
}


def half(size: int) -> int:
    """Give the low size of a high size: `ceil(size / 2)`."""
    return (size + 1) // 2


def low_size(size: Sequence[int]) -> tuple[int, ...]:
    """Give the low size of a high size (L,), (H, W) or (T, H, W)."""
    space = min(len(size), SPACE_AXES)
    return (*size[:-space], *map(half, size[-space:]))


def pool2(x: Tensor) -> Tensor:
    """Average 2x2 with stride 2; a border window of an odd size averages what it covers."""
    pool, window = _AVERAGES[x.dim()]
    pooled: Tensor = pool(x, window, window, 0, ceil_mode=True, count_include_pad=False)
    return pooled


def max2(x: Tensor) -> Tensor:
    """Give the greatest of each 2x2 with stride 2, at a border of those that there are."""
    pool, window = _GREATEST[x.dim()]
    pooled: Tensor = pool(x, window, window, 0, ceil_mode=True)
    return pooled


def every_second(x: Tensor) -> Tensor:
    """Give every second pixel along each axis of space: what a strided 1x1 convolution reads."""
    return x[..., ::2] if x.dim() == 3 else x[..., ::2, ::2]


def downsampled(x: Tensor, downsample: Downsample) -> Tensor:
    """Halve the size of a value by one of the ways that an octave network may have."""
    return _DOWNSAMPLINGS[downsample](x)


def upsample_to(x: Tensor, like: Tensor) -> Tensor:
    """Bring a low tensor to the height and width of a high one by nearest up-sampling."""
    size = like.shape[2:] if x.dim() < 5 else (x.shape[2], *like.shape[3:])
    return functional.interpolate(x, size=size, mode="nearest")


def cropped_to_half(low: Tensor, high: Tensor) -> Tensor:
    """Crop what is too large for the low part of a pair with this high part."""
    return low[(slice(None), slice(None), *map(slice, low_size(high.shape[2:])))]


def is_short_of_half(low: Tensor, high: Tensor) -> bool:
    """Tell whether a low part is smaller than half of a high part along some axis."""
    return any(got < asked for got, asked in zip(low.shape[2:], low_size(high.shape[2:]), strict=True))


def extended_by_one(x: Tensor) -> Tensor:
    """Repeat the last pixel along each axis of space."""
    space = min(x.dim() - 2, SPACE_AXES)
    for axis in range(x.dim() - space, x.dim()):
        x = torch.cat([x, x.narrow(axis, -1, 1)], axis)
    return x


def even_without_channels(resize: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Resize a tensor; torch refuses one without channels, and one of zeros tells the size."""
    if x.shape[1]:
        return resize(x)
    return resize(x.new_zeros((x.shape[0], 1, *x.shape[2:])))[:, :0]


def take(x: Tensor, runs: Runs, dim: int = 0) -> Tensor:
    """Give the channels of some ranges along one dimension: a view for one range, a copy for several.

    The result is differentiable, and needs no index tensor on any device.
    """
    if not runs:
        return x.narrow(dim, 0, 0)
    pieces = [x.narrow(dim, start, stop - start) for start, stop in runs]
    return torch.cat(pieces, dim) if len(pieces) > 1 else pieces[0]


def split_plain(x: Tensor, split: ChannelSplit, downsample: Downsample = "average") -> Pair:
    """Split a plain value (B, C, H, W) without parameters: the low channels are averaged 2x2.

    It is an octave 1x1 convolution with the identity as its weight.
    """
    return take(x, split.high_runs, 1), downsampled(take(x, split.low_runs, 1), downsample)


def gather(high: Tensor, low: Tensor, split: ChannelSplit) -> Tensor:
    """Put high and low channels of one size back into the original channel order, along dimension 1."""
    runs = [(start, stop, 0) for start, stop in split.high_runs] + [(*run, 1) for run in split.low_runs]
    sources, taken, pieces = (high, low), [0, 0], []
    for start, stop, frequency in sorted(runs):
        pieces.append(sources[frequency].narrow(1, taken[frequency], stop - start))
        taken[frequency] += stop - start
    return torch.cat(pieces, 1)


def merge_pair(pair: Pair, split: ChannelSplit) -> Tensor:
    """Make a pair plain: up-sample the low part, then restore the original channel order."""
    high, low = pair
    return gather(high, upsample_to(low, high), split)


def check_pair(pair: Pair, where: str) -> None:
    """Refuse a pair whose low part is not half as large as its high part, rounded up.

    Raises:
        ConversionError: the sizes do not fit.
    """
    high, low = pair
    if tuple(low.shape[2:]) != low_size(high.shape[2:]):
        raise ConversionError(
            f"{where}: high part is {tuple(high.shape)}, low part {tuple(low.shape)}; "
            "the low size must be ceil(high size / 2)"
        )


_DOWNSAMPLINGS: dict[str, Callable[[Tensor], Tensor]] = {
    "average": pool2,
    "strided": every_second,
    "max": max2,
}
