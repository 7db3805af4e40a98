"""What can be chosen about a network's alphas: a record a group, and the network as a whole."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from fractions import Fraction

from octprobe.cost.patterns import patterns_for

# So many alphas are told one by one; more are told by their step.
_ALPHAS_LISTED = 16
# A fraction without an end, as 1/3, is written with so many digits: far fewer channels than 10^6 are split.
_DIGITS = 6


@dataclass(frozen=True, kw_only=True)
class DesignGroup:
    """Convolutions whose outputs have one alpha.

    Attributes:
        number: its place among the network's groups, from 1.
        convs: module names, in the order of the graph.
        followers: depthwise convolutions, which split as their input does.
        named_with: convolutions of other groups that an alpha map must give the same alpha; a uniform alpha
            splits their outputs where they meet this group's.
        patterns: what an alpha map says to speak of this group alone.
        channels: of the output of each of `convs`.
        sizes: the different sizes of the outputs of `convs`: (L,), (H, W) or (T, H, W).
        macs: of `convs` and `followers` in the vanilla network, an item of the batch.
        is_octave: whether a uniform alpha makes it octave, by the network's policy.
        smallest_alpha: the smallest that makes a channel low.
        multiple_of: what alpha must be a multiple of; None where any alpha will do.
    """

    number: int
    convs: tuple[str, ...]
    followers: tuple[str, ...]
    named_with: tuple[str, ...]
    patterns: tuple[str, ...]
    channels: tuple[int, ...]
    sizes: tuple[tuple[int, ...], ...]
    macs: int
    is_octave: bool
    smallest_alpha: Fraction
    multiple_of: Fraction | None

    @property
    def allowed(self) -> tuple[Fraction, ...] | None:
        """Give the alphas above 0 that it allows, where they are few; None where they are many."""
        if self.multiple_of is None or 1 / self.multiple_of > _ALPHAS_LISTED:
            return None
        return tuple(self.multiple_of * k for k in range(1, int(1 / self.multiple_of) + 1))

    def nearest(self, alpha: Fraction) -> Fraction:
        """Give the alpha above 0 nearest to one, of those that it allows."""
        step = self.multiple_of or self.smallest_alpha
        return alpha if self.multiple_of is None and alpha >= step else max(round(alpha / step), 1) * step


@dataclass(frozen=True, kw_only=True)
class DesignSpace:
    """All that can be chosen about the alphas of a network.

    Attributes:
        family: the name of the policy that speaks for the network.
        size: of its input, (L,), (H, W) or (T, H, W).
        macs: of the vanilla network, an item of the batch; of all its layers.
        groups: in the order of the graph.
        names: of all convolutions, also of those in no group.
        example: an alpha map that converts; empty where none was found.
        no_policy: why the policy makes no group octave; None where it does.
    """

    family: str
    size: tuple[int, ...]
    macs: int
    groups: tuple[DesignGroup, ...]
    names: tuple[str, ...]
    example: tuple[tuple[str, Fraction], ...]
    no_policy: str | None

    @property
    def of_policy(self) -> tuple[DesignGroup, ...]:
        """Give the groups that a uniform alpha makes octave."""
        return tuple(group for group in self.groups if group.is_octave)

    def share(self, groups: Iterable[DesignGroup]) -> float:
        """Give the share of the network's MACs that groups have."""
        return sum(group.macs for group in groups) / self.macs if self.macs else 0.0

    def patterns(self, groups: Sequence[DesignGroup]) -> tuple[str, ...]:
        """Give what an alpha map says to speak of these groups and of no others."""
        wanted = [name for group in groups for name in (*group.convs, *group.named_with)]
        free = {name for group in groups for name in group.followers}
        return patterns_for(list(dict.fromkeys(wanted)), self.names, free)


def written(alpha: Fraction) -> Decimal:
    """Give alpha as a decimal for sweep files and command lines: as many channels are low, a third's too."""
    decimal = Decimal(alpha.numerator) / Decimal(alpha.denominator)
    if Fraction(decimal) == alpha:
        return decimal
    return decimal.quantize(Decimal(1).scaleb(-_DIGITS), ROUND_CEILING)
