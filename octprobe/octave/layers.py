"""Modules without parameters that stand in an octave network where the vanilla one works on plain values."""

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor, nn

from octprobe.octave.frequency import (
    Pair,
    Value,
    cropped_to_half,
    even_without_channels,
    extended_by_one,
    gather,
    is_short_of_half,
    merge_pair,
    split_plain,
    take,
)
from octprobe.octave.split import ChannelSplit
from octprobe.octave.words import Downsample


class ByMode(nn.Module):
    """A function whose `training` argument follows the module's mode instead of the mode at tracing."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *args: object, **kwargs: object) -> object:
        """Call the function with the present mode."""
        return self.function(*args, training=self.training, **kwargs)

    def extra_repr(self) -> str:
        """Name the function."""
        return getattr(self.function, "__name__", repr(self.function))


class Each(nn.Module):
    """An elementwise module or function on each frequency of a pair; a plain value passes as ever."""

    def __init__(self, inner: Callable[..., Any]) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Value, *args: object, **kwargs: object) -> Value:
        """Apply to the high and to the low part."""
        if isinstance(x, Tensor):
            plain: Tensor = self.inner(x, *args, **kwargs)
            return plain
        return self.inner(x[0], *args, **kwargs), self.inner(x[1], *args, **kwargs)


class Method:
    """A method of tensors with its arguments; one that torch.compile looks into, unlike a `methodcaller`."""

    def __init__(self, name: str, *args: object, **kwargs: object) -> None:
        self.name, self.args, self.kwargs = name, args, kwargs

    def __call__(self, x: Tensor) -> Tensor:
        """Call it on a tensor."""
        result: Tensor = getattr(x, self.name)(*self.args, **self.kwargs)
        return result


class Pairwise(nn.Module):
    """A function of two operands on each frequency: both pairs, or one of them a number."""

    def __init__(self, function: Callable[[Any, Any], Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, a: Any, b: Any) -> Pair:
        """Apply to the high and to the low parts."""
        (a_high, a_low), (b_high, b_low) = _parts(a), _parts(b)
        return self.function(a_high, b_high), self.function(a_low, b_low)

    def extra_repr(self) -> str:
        """Name the function."""
        return getattr(self.function, "__name__", repr(self.function))


class EachPool(nn.Module):
    """A pooling on each frequency: ceil mode on the low part, which is then cropped to half the high size."""

    def __init__(self, pool: Callable[..., Tensor], pool_low: Callable[..., Tensor]) -> None:
        super().__init__()
        self.pool, self.pool_low = pool, pool_low

    def forward(self, x: Value) -> Value:
        """Pool a tensor or a pair."""
        if isinstance(x, Tensor):
            return self.pool(x)
        high = even_without_channels(self.pool, x[0])
        low = self.pool_low(x[1])
        if is_short_of_half(low, high):
            # A window of the high part may reach over a border that none of the low part's begins at.
            low = self.pool_low(extended_by_one(x[1]))
        return high, cropped_to_half(low, high)


class EachDropPath(nn.Module):
    """Stochastic depth of a pair: one mask a sample drops both frequencies."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Value) -> Value:
        """Scale both parts by what the wrapped drop-path makes of ones."""
        if isinstance(x, Tensor):
            plain: Tensor = self.inner(x)
            return plain
        if not self.training:
            return x
        mask = self.inner(x[1].new_ones((x[1].shape[0], *(1,) * (x[1].dim() - 1))))
        return x[0] * mask, x[1] * mask


class Split(nn.Module):
    """A plain value made a pair without parameters, where it meets one in an add."""

    def __init__(self, split: ChannelSplit, downsample: Downsample = "average") -> None:
        super().__init__()
        self.split, self.downsample = split, downsample

    def forward(self, x: Tensor) -> Pair:
        """Take the high channels, and halve the low ones' size; one that broadcasts goes to both."""
        if x.shape[1] == 1 < self.split.channels:
            return x, split_plain(x, ChannelSplit(1, (0,)), self.downsample)[1]
        return split_plain(x, self.split, self.downsample)

    def extra_repr(self) -> str:
        """Say how many channels are low."""
        return f"{self.split.channels}, alpha={self.split.alpha}"


class BatchOfOne(nn.Module):
    """A plain value without a batch, such as a parameter (C, 1, 1), as a batch of one."""

    def forward(self, x: Tensor) -> Tensor:
        """Give (1, C, 1, 1)."""
        return x.unsqueeze(0)


class OfSplit(nn.Module):
    """What acts on pairs of one split."""

    def __init__(self, split: ChannelSplit) -> None:
        super().__init__()
        self.split = split

    def extra_repr(self) -> str:
        """Say how many channels are low."""
        return f"{self.split.channels}, alpha={self.split.alpha}"


class Merge(OfSplit):
    """A pair made plain: the low part is up-sampled, and channels return to their original order."""

    def forward(self, x: Pair) -> Tensor:
        """Merge (high, low)."""
        return merge_pair(x, self.split)


class MergeEach(nn.Module):
    """Pieces of a pair made plain: each that has low channels as `Merge` does."""

    def __init__(self, splits: Sequence[ChannelSplit]) -> None:
        super().__init__()
        self.pieces = nn.ModuleList(nn.Identity() if s.is_plain else Merge(s) for s in splits)

    def forward(self, x: tuple[Value, ...]) -> tuple[Tensor, ...]:
        """Merge every (high, low) of a tuple."""
        return tuple(merge(piece) for merge, piece in zip(self.pieces, x, strict=True))


class GlobalPool(OfSplit):
    """Each frequency pooled over all of space, gathered to a plain (B, C, 1, 1) in the original order.

    A plain value is pooled as ever: one pooling may serve both.
    """

    def __init__(self, pool: Callable[..., Tensor], split: ChannelSplit) -> None:
        super().__init__(split)
        self.pool = pool

    def forward(self, x: Value) -> Tensor:
        """Pool a tensor or (high, low)."""
        if isinstance(x, Tensor):
            return self.pool(x)
        if not self.split.high:
            return self.pool(x[1])
        return gather(self.pool(x[0]), self.pool(x[1]), self.split)


class Gate(OfSplit):
    """A pair scaled by a plain gate (B, C, 1, 1): each frequency by its own channels."""

    def forward(self, x: Pair, gate: Tensor) -> Pair:
        """Scale (high, low)."""
        low = x[1] * take(gate, self.split.low_runs, 1)
        return x[0] * take(gate, self.split.high_runs, 1), low


class ExpandAs(OfSplit):
    """A plain gate (B, C, 1, 1) expanded to the size of a pair, each frequency's channels to its own size."""

    def forward(self, gate: Tensor, like: Pair) -> Pair:
        """Expand; nothing is copied."""
        return (
            take(gate, self.split.high_runs, 1).expand_as(like[0]),
            take(gate, self.split.low_runs, 1).expand_as(like[1]),
        )


def add_pairs(a: Pair, b: Pair) -> Pair:
    """Add two pairs that split alike."""
    return a[0] + b[0], a[1] + b[1]


def _parts(x: Any) -> tuple[Any, Any]:
    return x if isinstance(x, tuple) else (x, x)
