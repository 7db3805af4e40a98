"""The axes of the design space, one rule an axis: its values, its bounds, its meaning."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    PlainValidator,
    StringConstraints,
    Tag,
    ValidationInfo,
    WithJsonSchema,
)

from octprobe.plan.expression import Kind
from octprobe.plan.fault import did_you_mean
from octprobe.plan.point import AlphaMap, Conditions, exact_alpha
from octprobe.plan.variant import USUAL

# The bounds stop typing errors, not hardware: each is several times what any published network uses.
MAX_BATCH: Final = 65_536
MAX_RESOLUTION: Final = 16_384
MAX_CHANNELS: Final = 65_536
MAX_KERNEL_SIZE: Final = 127
MAX_PADDING: Final = 1_024
MAX_DILATION: Final = 256
MAX_THREADS: Final = 1_024
# 1/2048, one channel of the widest ResNet tensor, has 11 decimals; a float shows 12 exactly.
MAX_ALPHA_DECIMALS: Final = 12
_MAX_NAME_CHARACTERS = 200
# The words of `return_at` that are no module's name.
_ENDS = ("policy", "end")

# The words of condition axes that no axis of the file gives.
DEVICE_KIND: Final = "device_kind"


def _whole(low: int, high: int) -> Any:
    return Annotated[int, Field(ge=low, le=high)]


def _alpha(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        quotes = ", without quotes" if isinstance(value, str) else ""
        raise ValueError(f"alpha must be a number in [0, 1]{quotes}")
    try:
        alpha = exact_alpha(value)
    except ValueError:
        raise ValueError("alpha must lie in [0, 1]") from None
    if -int(alpha.as_tuple().exponent) > MAX_ALPHA_DECIMALS:
        raise ValueError(f"alpha has at most {MAX_ALPHA_DECIMALS} decimals")
    return alpha


def truly_whole(value: object) -> int:
    """Pass whole numbers only: pydantic's literals take true and 1.0 for 1.

    Raises:
        ValueError: it is something else.
    """
    if type(value) is not int:
        raise ValueError("must be a whole number")
    return value


def _padding(value: object) -> int | str:
    if value == "same":
        return "same"
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_PADDING:
        raise ValueError(f'padding must be a whole number in [0, {MAX_PADDING}] or "same"')
    return value


def _known_network(name: str, info: ValidationInfo) -> str:
    check = (info.context or {}).get("network_fault")
    fault = check(name) if check else None
    if fault:
        raise ValueError(fault)
    return name


def _map_or_share(value: object) -> str:
    return "<map>" if isinstance(value, dict) else "<share>"


def _end_of_octave(value: str) -> str:
    """Refuse `End` for `end`: taken for a module's name it would end as skipped rows."""
    if value not in _ENDS and value.casefold() in _ENDS:
        raise ValueError(f"is policy, end or a module's name{did_you_mean(value, _ENDS)}")
    return value


Share = Annotated[
    Decimal, PlainValidator(_alpha), WithJsonSchema({"type": "number", "minimum": 0, "maximum": 1})
]
Pattern = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9_.*?!\[\]-]+$", strict=True, max_length=_MAX_NAME_CHARACTERS)
]


def _ordered(alpha_map: dict[str, Decimal]) -> AlphaMap:
    return tuple(alpha_map.items())


ShareMap = Annotated[
    dict[Pattern, Share],
    Field(
        min_length=1,
        description="alpha by pattern of module names; the last pattern that fits wins",
    ),
    AfterValidator(_ordered),
]
NetworkAlpha = Annotated[
    Annotated[Share, Tag("<share>")] | Annotated[ShareMap, Tag("<map>")], Discriminator(_map_or_share)
]
Network = Annotated[
    str,
    StringConstraints(
        pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.:/-]*$", strict=True, max_length=_MAX_NAME_CHARACTERS
    ),
    AfterValidator(_known_network),
]
Padding = Annotated[
    int | str,
    PlainValidator(_padding),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 0, "maximum": MAX_PADDING}, {"const": "same"}]}),
]
Stride = Annotated[Literal[1, 2], BeforeValidator(truly_whole)]
Dtype = Literal["float32", "tf32", "float16", "bfloat16"]
MemoryFormat = Literal["contiguous", "channels_last"]
Execution = Literal["eager", "compiled", "cudagraph"]
Mode = Literal["infer", "train"]
Exchange = Literal["both", "h2l", "l2h", "none"]
Downsample = Literal["average", "strided", "max"]
OctaveKernels = Literal["all", "spatial"]
ReturnAt = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$", strict=True, max_length=_MAX_NAME_CHARACTERS),
    AfterValidator(_end_of_octave),
]


@dataclass(frozen=True)
class AxisRule:
    """What one axis takes.

    Attributes:
        value: the annotated type of one value.
        meaning: what the axis is, with its unit and its default; lands in the JSON Schema.
        kind: what it is in a condition.
        examples: values shown by editors.
        endpoint: the annotated type of the ends of a range; None where no range may stand for the list.
    """

    value: Any
    meaning: str
    kind: Kind
    examples: tuple[Any, ...]
    endpoint: Any = None


def _text(value: object, meaning: str, *examples: str) -> AxisRule:
    return AxisRule(value, meaning, Kind.TEXT, examples)


def _number(value: object, meaning: str, *examples: Any) -> AxisRule:
    return AxisRule(value, meaning, Kind.NUMBER, examples, endpoint=value)


_USUAL = Conditions()

_CONDITIONS: Final[Mapping[str, AxisRule]] = {
    "resolution": _number(_whole(1, MAX_RESOLUTION), "side of the square input, pixels", 224),
    "batch": _number(_whole(1, MAX_BATCH), f"items a forward call (default {_USUAL.batch})", 1, 8),
    "dtype": _text(
        Dtype,
        f"number format (default {_USUAL.dtype}, with TF32 off; tf32 is float32 with TF32 convolutions and "
        "matrix products)",
        "float32",
        "bfloat16",
    ),
    "memory_format": _text(
        MemoryFormat, f"layout of tensors (default {_USUAL.memory_format})", "contiguous", "channels_last"
    ),
    "execution": _text(
        Execution, f"how the network is run (default {_USUAL.execution})", "eager", "compiled", "cudagraph"
    ),
    "mode": _text(
        Mode,
        f"what a call is (default {_USUAL.mode}): a forward in eval mode, or a forward in training mode and "
        "its backward",
        "infer",
        "train",
    ),
    "threads": _number(_whole(1, MAX_THREADS), "intra-op threads (default: the machine's own)", 1, 2),
}

_FORMS: Final[Mapping[str, AxisRule]] = {
    "exchange": _text(
        Exchange,
        f"which paths between the frequencies there are (default {USUAL['exchange']}); where the octave "
        "world is entered or left, both are always there, so it has no effect where all else is depthwise",
        "both",
        "h2l",
        "l2h",
        "none",
    ),
    "downsample": _text(
        Downsample,
        f"how high becomes low (default {USUAL['downsample']}): the average of 2x2, by strided convolutions, "
        "or the maximum of 2x2",
        "average",
        "strided",
        "max",
    ),
}

_EXTENTS: Final[Mapping[str, AxisRule]] = {
    "octave_kernels": _text(
        OctaveKernels,
        f"which convolutions have octave outputs (default {USUAL['octave_kernels']}): all that the policy "
        "chooses, or of these the spatial ones, larger than 1x1; without effect on an alpha map",
        "all",
        "spatial",
    ),
    "return_at": _text(
        ReturnAt,
        f"where the network returns to alpha 0 (default {USUAL['return_at']}, as in the paper): end, not "
        "before its global pooling, or a module's name, from which on all is plain; without effect on an "
        "alpha map",
        "policy",
        "end",
        "layer3",
    ),
}

NETWORK_AXES: Final[Mapping[str, AxisRule]] = {
    "network": _text(Network, "name of timm, torchvision:NAME or package.module:function", "resnet50"),
    **_CONDITIONS,
    **_FORMS,
    **_EXTENTS,
    "alpha": AxisRule(
        NetworkAlpha,
        "share of low channels in [0, 1], or a map from module pattern to share",
        Kind.NUMBER,
        (0, 0.125, 0.25, 0.5, 0.75),
        endpoint=Share,
    ),
}

LAYER_AXES: Final[Mapping[str, AxisRule]] = {
    "in_channels": _number(_whole(1, MAX_CHANNELS), "input channels", 64, 256),
    "out_channels": _number(_whole(1, MAX_CHANNELS), "output channels", 64, 256),
    "kernel_size": _number(_whole(1, MAX_KERNEL_SIZE), "side of the square kernel, pixels (default 3)", 1, 3),
    "stride": AxisRule(Stride, "stride (default 1)", Kind.NUMBER, (1, 2)),
    "padding": AxisRule(
        Padding,
        'pixels on each side, or "same" (default: dilation * (kernel_size - 1) / 2 rounded down, '
        "which keeps the size for odd kernels)",
        Kind.EITHER,
        (0, 1, "same"),
    ),
    "dilation": _number(_whole(1, MAX_DILATION), "distance of kernel taps, pixels (default 1)", 1, 2),
    "groups": _number(_whole(1, MAX_CHANNELS), "groups of the convolution (default 1)", 1, 32),
    **_CONDITIONS,
    **_FORMS,
    "alpha": _number(Share, "share of low channels of input and output alike", 0, 0.25, 0.5),
    "alpha_in": _number(Share, "share of low input channels", 0, 0.5),
    "alpha_out": _number(Share, "share of low output channels", 0, 0.5),
}

AXES: Final[Mapping[str, Mapping[str, AxisRule]]] = {"network": NETWORK_AXES, "layer": LAYER_AXES}

# What no point is without and no default can stand for; a layer's alpha has two forms and is checked apart.
NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "network": ("network", "alpha"),
    "layer": ("in_channels", "out_channels", "resolution"),
}


def condition_names(subject: str) -> dict[str, Kind]:
    """Give the names that a condition may read for this subject, each with its kind."""
    return {DEVICE_KIND: Kind.TEXT} | {name: rule.kind for name, rule in AXES[subject].items()}
