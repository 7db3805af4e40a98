"""Options of a command that are axes of a point: their words, and the rules of sweep files for them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from octprobe.errors import UsageError

if TYPE_CHECKING:
    from octprobe.plan.point import Conditions, DesignPoint

ExchangeOption = Annotated[
    str, typer.Option(help="Paths between the frequencies amid the octave part: both, h2l, l2h or none.")
]
DownsampleOption = Annotated[str, typer.Option(help="How high becomes low: average, strided or max.")]
OctaveKernelsOption = Annotated[
    str,
    typer.Option(help="Which of the policy's convolutions are octave: all, or the spatial ones."),
]
ReturnAtOption = Annotated[
    str, typer.Option(help="Where the network returns to alpha 0: policy, end or a module's name.")
]


def check_axes(values: Mapping[str, str]) -> None:
    """Hold values of options to the rules of the axes that they are named after.

    Raises:
        UsageError: for the first that is none of its axis' values.
    """
    from octprobe.plan.complaints import axis_fault

    for name, value in values.items():
        fault = axis_fault(name, value)
        if fault:
            raise UsageError(f"{_option(name)} {value}: {fault}")


def network_point(network: str, alpha: str, conditions: "Conditions", **variant: str) -> "DesignPoint":
    """Make the point of a network of a command's options.

    Args:
        network: its name.
        alpha: as `parse_alpha` reads it.
        conditions: how it is run.
        variant: the axes of the variant, each by its name.

    Raises:
        UsageError: alpha cannot be read, or a value of the variant is none of its axis or has no effect.
    """
    from octprobe.commands.parsing import parse_alpha
    from octprobe.plan.effect import no_effect
    from octprobe.plan.point import DesignPoint, NetworkSubject
    from octprobe.plan.variant import Variant

    subject = NetworkSubject(network=network, alpha=parse_alpha(alpha))
    check_axes(variant)
    point = DesignPoint(subject=subject, conditions=conditions, variant=Variant(**variant))
    for name, value in variant.items():
        why = no_effect(name, value, point)
        if why:
            raise UsageError(f"{_option(name)} {value}: {why}")
    return point


def _option(axis: str) -> str:
    return f"--{axis.replace('_', '-')}"
