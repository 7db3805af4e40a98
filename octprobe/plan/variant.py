"""Which form of the octave operator runs, and in how much of a network: the axes beside alpha."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any, Final


@dataclass(frozen=True, kw_only=True)
class Variant:
    """Which form of the octave operator runs, and where; null, as all that has no effect, at alpha 0.

    Attributes:
        kernel: how the four paths are run.
        exchange: which paths between the frequencies there are: both, h2l, l2h or none. At a border, where
            the octave world is entered or left, both are always there.
        downsample: how high becomes low: average, strided (by strided convolutions) or max.
        octave_kernels: of a network at a uniform alpha, which of the policy's convolutions have octave
            outputs: all, or spatial, those larger than 1x1.
        return_at: of a network at a uniform alpha, where it returns to alpha 0: policy, as in the paper;
            end, not before its global pooling; or a module's name, from which on all is plain.
    """

    kernel: str | None = "four"
    exchange: str | None = "both"
    downsample: str | None = "average"
    octave_kernels: str | None = "all"
    return_at: str | None = "policy"


NO_VARIANT: Final = Variant(kernel=None, exchange=None, downsample=None, octave_kernels=None, return_at=None)
USUAL: Final[Mapping[str, Any]] = asdict(Variant())
# Those that a person chooses; how the paths are run is not among them yet.
VARIANT_AXES: Final = ("exchange", "downsample", "octave_kernels", "return_at")

# Values that say what they are of need no name before them; together they fit the first column of a table.
_WORDS: Final[Mapping[str, str]] = {
    "kernel": "{}",
    "exchange": "exchange {}",
    "downsample": "{}",
    "octave_kernels": "{}",
    "return_at": "return {}",
}


def variant_label(axes: Mapping[str, Any]) -> str:
    """Name what is not usual of a variant: `exchange none strided`; empty where all is usual or absent."""
    unusual = [name for name, usual in USUAL.items() if axes.get(name) not in (None, usual)]
    return " ".join(_WORDS[name].format(axes[name]) for name in unusual)


def variant_of_layer(
    variant: Variant, alpha_in: Decimal, alpha_out: Decimal, *, halves: bool, is_depthwise: bool
) -> Variant:
    """Give a variant as an octave layer runs it: what is of networks only is null.

    Where an axis makes no difference it has its usual value: the exchange at a border, at which input or
    output has one frequency only and every path stays, and the way to down-sample where nothing becomes low.

    Args:
        variant: what is asked for.
        alpha_in: share of low input channels.
        alpha_out: share of low output channels; one of both is above 0.
        halves: whether the layer has stride 2.
        is_depthwise: whether it has no path between the frequencies.
    """
    is_border = not (0 < alpha_in < 1 and 0 < alpha_out < 1)
    exchange = USUAL["exchange"] if is_border or is_depthwise else variant.exchange
    has_h2l = alpha_in < 1 and alpha_out > 0 and exchange in {"both", "h2l"} and not is_depthwise
    # Before a stride both inputs become low, save a low one that only the high output takes.
    is_used = has_h2l or (halves and (alpha_in < 1 or alpha_out > 0))
    return Variant(
        kernel=variant.kernel,
        exchange=exchange,
        downsample=variant.downsample if is_used else USUAL["downsample"],
        octave_kernels=None,
        return_at=None,
    )
