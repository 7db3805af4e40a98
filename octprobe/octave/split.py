"""Which channels are low: exact index sets, and the only place where `floor(alpha * C)` is computed."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from fractions import Fraction

from octprobe.errors import ConversionError, UnrealisableAlphaError

AlphaLike = float | int | str | Decimal | Fraction
# Smaller shares make no channel low in any layer of up to 10^12 channels; the bound keeps `1e-999999999`
# from being expanded into a fraction of a billion digits.
_SMALLEST_DECIMAL_EXPONENT = -12
# How many of the alphas that would do are written out in a message.
_ALPHAS_SHOWN = 8


def exact_alpha(alpha: AlphaLike) -> Fraction:
    """Give alpha as the exact fraction its author wrote: 0.7 is 7/10, not the nearest double.

    Raises:
        ConversionError: alpha is not a number in [0, 1].
    """
    share = alpha if isinstance(alpha, Fraction) else _fraction_of(str(alpha))
    if not 0 <= share <= 1:
        raise ConversionError(f"alpha is {alpha}; alpha must lie in [0, 1]")
    return share


def low_channels(channels: int, alpha: AlphaLike) -> int:
    """Count the channels stored at half resolution: `floor(alpha * channels)`, exactly."""
    return math.floor(exact_alpha(alpha) * channels)


@dataclass(frozen=True)
class ChannelSplit:
    """The channels of one value and which of them are low.

    `low` holds the original channel numbers, ascending; without any the value is plain. The high part of a
    pair carries the other channels in ascending order.

    Attributes:
        high: the channels at full resolution, ascending.
        low_runs: the low channels as ranges (start, stop).
        high_runs: the high channels as ranges (start, stop).
    """

    channels: int
    low: tuple[int, ...] = ()
    high: tuple[int, ...] = field(init=False, repr=False, compare=False)
    low_runs: tuple[tuple[int, int], ...] = field(init=False, repr=False, compare=False)
    high_runs: tuple[tuple[int, int], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Computed now: a cached property takes a lock, which torch.compile cannot trace.
        low = set(self.low)
        high = tuple(c for c in range(self.channels) if c not in low)
        object.__setattr__(self, "high", high)
        object.__setattr__(self, "low_runs", _runs(self.low))
        object.__setattr__(self, "high_runs", _runs(high))

    @property
    def is_plain(self) -> bool:
        """Whether no channel is low, so that the value is one tensor."""
        return not self.low

    @property
    def alpha(self) -> Fraction:
        """Give the realised share of low channels."""
        return Fraction(len(self.low), self.channels)

    def within_groups(self, groups: int) -> "ChannelSplit | None":
        """Give the split inside each of so many channel groups, or None where the groups differ."""
        if self.channels % groups:
            return None
        width = self.channels // groups
        inside = tuple(c for c in self.low if c < width)
        repeated = tuple(j * width + p for j in range(groups) for p in inside)
        return ChannelSplit(width, inside) if repeated == self.low else None

    def part(self, start: int, stop: int) -> "ChannelSplit":
        """Give the split of a range of the channels."""
        return ChannelSplit(stop - start, tuple(c - start for c in self.low if start <= c < stop))

    def fold_each(self, times: int) -> "ChannelSplit | None":
        """Give the split in which so many neighbours have become one channel; None where they differ."""
        folded = ChannelSplit(self.channels // times, tuple(c // times for c in self.low[::times]))
        return folded if folded.repeat_each(times) == self else None

    def repeat_each(self, times: int) -> "ChannelSplit":
        """Give the split in which every channel has become so many neighbours, as a depth multiplier does."""
        return ChannelSplit(
            self.channels * times, tuple(c * times + j for c in self.low for j in range(times))
        )


def split_channels(channels: int, alpha: AlphaLike, partitions: int = 1) -> ChannelSplit:
    """Split channels at alpha: the last channels of each of `partitions` equal parts are low.

    Args:
        channels: C, channels of the value.
        alpha: share of low channels.
        partitions: G, the least common multiple of the partitions that touch the value; channel c is low iff
            `c mod (C/G) >= C/G - low/G`.

    Raises:
        UnrealisableAlphaError: G does not divide C and the low channels alike.
    """
    share = exact_alpha(alpha)
    low = low_channels(channels, share)
    if channels % partitions or low % partitions:
        raise _unrealisable(channels, share, partitions, low)
    width = channels // partitions
    first_low = width - low // partitions
    return ChannelSplit(channels, tuple(c for c in range(channels) if c % width >= first_low))


def concatenated(splits: Iterable[ChannelSplit]) -> ChannelSplit:
    """Give the split of a concatenation over channels: the parts' low sets, each moved by its offset."""
    channels = 0
    low: list[int] = []
    for split in splits:
        low.extend(channels + c for c in split.low)
        channels += split.channels
    return ChannelSplit(channels, tuple(low))


def _fraction_of(text: str) -> Fraction:
    try:
        if "/" in text:
            return Fraction(text)
        number = Decimal(text)
    except (ValueError, InvalidOperation, ZeroDivisionError):
        raise ConversionError(f"alpha is {text}; alpha must be a number in [0, 1]") from None
    # Compared as decimals: a number of a billion digits must not become a fraction first.
    if not number.is_finite() or not 0 <= number <= 1:
        raise ConversionError(f"alpha is {text}; alpha must lie in [0, 1]")
    if number and number.adjusted() < _SMALLEST_DECIMAL_EXPONENT:
        smallest = f"1e{_SMALLEST_DECIMAL_EXPONENT}"
        raise ConversionError(f"alpha is {text}; alpha must be 0 or at least {smallest}")
    return Fraction(number)


def _runs(channels: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
    runs: list[tuple[int, int]] = []
    for c in channels:
        if runs and runs[-1][1] == c:
            runs[-1] = (runs[-1][0], c + 1)
        else:
            runs.append((c, c + 1))
    return tuple(runs)


def _unrealisable(channels: int, alpha: Fraction, partitions: int, low: int) -> UnrealisableAlphaError:
    place = f"alpha {_shown(alpha)} on {channels} channels in {partitions} partitions"
    if channels % partitions:
        return UnrealisableAlphaError(
            f"{place}: {partitions} does not divide {channels}; only alpha 0 would do", [Fraction(0)]
        )
    allowed = [Fraction(k * partitions, channels) for k in range(channels // partitions + 1)]
    shown = ", ".join(_shown(a) for a in allowed[:_ALPHAS_SHOWN]) + (
        ", ..." if len(allowed) > _ALPHAS_SHOWN else ""
    )
    rule = f"{low} low channels do not divide into {partitions} parts"
    step = Fraction(partitions, channels)
    return UnrealisableAlphaError(f"{place}: {rule}; use a multiple of {step}: {shown}", allowed)


def _shown(alpha: Fraction) -> str:
    decimal = Decimal(alpha.numerator) / Decimal(alpha.denominator)
    return f"{decimal.normalize():f}" if Fraction(decimal) == alpha else str(alpha)
