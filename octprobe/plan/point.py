"""One design point: what is measured, under which conditions, and its identity."""

import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import Any, Final

from octprobe.plan.variant import NO_VARIANT, USUAL, Variant, variant_label, variant_of_layer

# Part of every point_id: raised when a change of method makes old and new figures incomparable.
PROTOCOL_VERSION = 1
# Version of the conversion rules and policies, part of the point_id of octave networks alone: raised when a
# network at an alpha becomes another network. Rows of before stay, and the point is measured anew.
RULES_VERSION = 1
# 64 bits: a collision among a million points has a chance of 3e-8.
_ID_HEX_DIGITS = 16
# Axes younger than the first stores: their usual value stays out of `point_id`, or the work that those
# stores have measured would be other work now.
_YOUNGER_AXES: Final = {name: USUAL[name] for name in ("octave_kernels", "return_at")}

AlphaMap = tuple[tuple[str, Decimal], ...]


def exact_alpha(value: float | int | str | Decimal) -> Decimal:
    """Give alpha as the exact decimal its author wrote, without trailing zeros.

    Raises:
        ValueError: alpha is not a number in [0, 1].
    """
    try:
        alpha = Decimal(str(value))
    except InvalidOperation:
        raise ValueError(f"alpha must be a number in [0, 1], not {value}") from None
    if not alpha.is_finite() or not 0 <= alpha <= 1:
        raise ValueError(f"alpha must lie in [0, 1], not {value}")
    return abs(Decimal(f"{alpha.normalize():f}"))


@dataclass(frozen=True, kw_only=True)
class NetworkSubject:
    """A network by name and the alpha of its alpha groups.

    `alpha` is one exact decimal for the policy's layers, or ordered (pattern, alpha) pairs.
    """

    network: str
    alpha: Decimal | AlphaMap

    @property
    def is_vanilla(self) -> bool:
        """Whether nothing is converted."""
        return self.alpha == 0 if isinstance(self.alpha, Decimal) else all(a == 0 for _, a in self.alpha)

    def vanilla(self) -> "NetworkSubject":
        """Give the same network at alpha 0."""
        return replace(self, alpha=Decimal(0))

    def effective(self, variant: Variant) -> Variant:
        """Give a variant as this network runs it; what has no effect is null.

        An alpha map says itself which convolutions are octave.
        """
        if self.is_vanilla:
            return NO_VARIANT
        has_map = not isinstance(self.alpha, Decimal)
        return replace(variant, octave_kernels=None, return_at=None) if has_map else variant

    def axes(self) -> dict[str, Any]:
        """Give the subject's axes as plain values; `alpha` is None where `alpha_map` speaks."""
        if isinstance(self.alpha, Decimal):
            return {"network": self.network, "alpha": float(self.alpha), "alpha_map": None}
        alpha_map = json.dumps({pattern: float(alpha) for pattern, alpha in self.alpha})
        return {"network": self.network, "alpha": None, "alpha_map": alpha_map}


@dataclass(frozen=True, kw_only=True)
class LayerSubject:
    """One two-dimensional convolution, 3x3 by default, and the low shares of its input and output."""

    in_channels: int
    out_channels: int
    kernel_size: int = 3
    stride: int = 1
    padding: int | str = 1
    dilation: int = 1
    groups: int = 1
    alpha_in: Decimal
    alpha_out: Decimal

    def shape_label(self) -> str:
        """Name the convolution: `conv 64->64 k3 s1 p1`, dilation and groups where there are any."""
        rare = [f" d{self.dilation}"] * (self.dilation > 1) + [f" g{self.groups}"] * (self.groups > 1)
        shape = f"k{self.kernel_size} s{self.stride} p{self.padding}"
        return f"conv {self.in_channels}->{self.out_channels} {shape}{''.join(rare)}"

    @property
    def is_vanilla(self) -> bool:
        """Whether this is a plain convolution."""
        return self.alpha_in == 0 and self.alpha_out == 0

    @property
    def is_depthwise(self) -> bool:
        """Whether each channel is convolved by itself."""
        return self.groups == self.in_channels > 1

    def vanilla(self) -> "LayerSubject":
        """Give the same convolution, plain."""
        return replace(self, alpha_in=Decimal(0), alpha_out=Decimal(0))

    def effective(self, variant: Variant) -> Variant:
        """Give a variant as this layer runs it; what has no effect is null or the usual value."""
        if self.is_vanilla:
            return NO_VARIANT
        shares = (self.alpha_in, self.alpha_out)
        return variant_of_layer(variant, *shares, halves=self.stride > 1, is_depthwise=self.is_depthwise)

    def axes(self) -> dict[str, Any]:
        """Give the subject's axes as plain values."""
        values = asdict(self)
        return values | {"alpha_in": float(self.alpha_in), "alpha_out": float(self.alpha_out)}


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """How a subject is run; `threads` is None for the machine's own default."""

    batch: int = 1
    resolution: int = 224
    dtype: str = "float32"
    memory_format: str = "contiguous"
    execution: str = "eager"
    mode: str = "infer"
    threads: int | None = None


@dataclass(frozen=True, kw_only=True)
class DesignPoint:
    """One choice of every axis. Axes without effect are normalised to null, so equal work is equal."""

    subject: NetworkSubject | LayerSubject
    conditions: Conditions = field(default_factory=Conditions)
    variant: Variant = field(default_factory=Variant)

    def __post_init__(self) -> None:
        if self.subject.is_vanilla:
            object.__setattr__(self, "subject", self.subject.vanilla())
        object.__setattr__(self, "variant", self.subject.effective(self.variant))

    @property
    def is_anchor(self) -> bool:
        """Whether this is the alpha 0 point that the others of its group are compared with."""
        return self.subject.is_vanilla

    @property
    def subject_kind(self) -> str:
        """Give `network` or `layer`."""
        return "network" if isinstance(self.subject, NetworkSubject) else "layer"

    def anchor(self) -> "DesignPoint":
        """Give the alpha 0 point of this point's group."""
        return replace(self, subject=self.subject.vanilla(), variant=NO_VARIANT)

    def axes(self) -> dict[str, Any]:
        """Give every axis by name as a plain value, for conditions, tables and rows."""
        return (
            {"subject": self.subject_kind}
            | self.subject.axes()
            | asdict(self.variant)
            | asdict(self.conditions)
        )

    @cached_property
    def point_id(self) -> str:
        """Identity of the work: never of the device, the sweep or the measuring settings."""
        canonical = {
            name: value
            for name, value in self.exact_axes().items()
            if value is not None and value != _YOUNGER_AXES.get(name)
        }
        text = json.dumps(canonical, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:_ID_HEX_DIGITS]

    @property
    def group_id(self) -> str:
        """Identity of the group: that of its anchor."""
        return self.anchor().point_id

    def label(self) -> str:
        """Name the point in a line: `resnet50 alpha 0.5 exchange none, batch 8, channels_last`."""
        name = f"{self._subject_label()} {variant_label(asdict(self.variant))}".rstrip()
        return f"{name}, {self._conditions_label()}"

    def exact_axes(self) -> dict[str, Any]:
        """Give every axis with alpha as exact text, protocol and rules: what `point_id` is made of."""
        axes = self.axes() | {"protocol": PROTOCOL_VERSION}
        subject = self.subject
        if isinstance(subject, NetworkSubject) and not subject.is_vanilla:
            axes["rules"] = RULES_VERSION
        if isinstance(subject, LayerSubject):
            return axes | {"alpha_in": str(subject.alpha_in), "alpha_out": str(subject.alpha_out)}
        if isinstance(subject.alpha, Decimal):
            return axes | {"alpha": str(subject.alpha)}
        return axes | {"alpha_map": [[pattern, str(alpha)] for pattern, alpha in subject.alpha]}

    def _subject_label(self) -> str:
        subject = self.subject
        if isinstance(subject, LayerSubject):
            return f"{subject.shape_label()} alpha {subject.alpha_in}->{subject.alpha_out}"
        if isinstance(subject.alpha, Decimal):
            return f"{subject.network} alpha {subject.alpha}"
        return f"{subject.network} alpha " + "/".join(f"{p}:{a}" for p, a in subject.alpha)

    def _conditions_label(self) -> str:
        usual = Conditions()
        parts = [f"batch {self.conditions.batch}", f"{self.conditions.resolution} px"]
        for name in ("memory_format", "dtype", "execution", "mode"):
            value = getattr(self.conditions, name)
            if name == "memory_format" or value != getattr(usual, name):
                parts.append(value)
        if self.conditions.threads is not None:
            parts.append(f"{self.conditions.threads} threads")
        return ", ".join(parts)
