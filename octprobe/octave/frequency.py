"""What a pair is, and how a plain value becomes one and back; sizes are read from the tensors."""

import torch
from torch import Tensor
from torch.nn import functional

from octprobe.errors import ConversionError
from octprobe.octave.split import ChannelSplit

# High part (B, C_high, H, W) and low part (B, C_low, ceil(H/2), ceil(W/2)). At alpha 1 the high part has
# no channels, (B, 0, H, W), and still says how large the value is.
Pair = tuple[Tensor, Tensor]
Value = Tensor | Pair
Runs = tuple[tuple[int, int], ...]


def half(size: int) -> int:
    """Give the low size of a high size: `ceil(size / 2)`."""
    return (size + 1) // 2


def pool2(x: Tensor) -> Tensor:
    """Average 2x2 with stride 2; a border window of an odd size averages what it covers."""
    return functional.avg_pool2d(x, 2, 2, 0, ceil_mode=True, count_include_pad=False)


def upsample_to(x: Tensor, like: Tensor) -> Tensor:
    """Bring a low tensor to the height and width of a high one by nearest up-sampling."""
    return functional.interpolate(x, size=like.shape[2:], mode="nearest")


def take(x: Tensor, runs: Runs, dim: int = 0) -> Tensor:
    """Give the channels of some ranges along one dimension: a view for one range, a copy for several.

    The result is differentiable, and needs no index tensor on any device.
    """
    if not runs:
        return x.narrow(dim, 0, 0)
    pieces = [x.narrow(dim, start, stop - start) for start, stop in runs]
    return torch.cat(pieces, dim) if len(pieces) > 1 else pieces[0]


def split_plain(x: Tensor, split: ChannelSplit) -> Pair:
    """Split a plain value (B, C, H, W) without parameters: the low channels are averaged 2x2.

    It is an octave 1x1 convolution with the identity as its weight.
    """
    return take(x, split.high_runs, 1), pool2(take(x, split.low_runs, 1))


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
    if low.shape[2] != half(high.shape[2]) or low.shape[3] != half(high.shape[3]):
        raise ConversionError(
            f"{where}: high part is {tuple(high.shape)}, low part {tuple(low.shape)}; "
            "the low size must be ceil(high size / 2)"
        )
