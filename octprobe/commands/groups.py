"""`octprobe groups`: the design space of a network, alpha group by alpha group; no clock read."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from octprobe.cost.design_group import DesignGroup, DesignSpace


def groups(
    network: Annotated[
        str,
        typer.Argument(
            help="timm's name, torchvision:NAME, octprobe:NAME or module:function.", show_default=False
        ),
    ],
    resolution: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=16384,
            help="Side of the square image, pixels; else the network's own.",
            show_default=False,
        ),
    ] = None,
    show_all: Annotated[
        bool, typer.Option("--all", help="Show every group, those that the policy leaves plain too.")
    ] = False,
    allow_import: Annotated[bool, typer.Option(help="Allow module:function, which runs that code.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, with every group.")] = False,
) -> None:
    """Show which layers of NETWORK must share an alpha, their MACs, and the alphas they allow."""
    from octprobe.commands.groups_view import print_groups
    from octprobe.commands.terminal import print_json
    from octprobe.cost.design_space import design_space

    space = design_space(_network(network, allow_import=allow_import), resolution)
    if as_json:
        print_json(as_object(network, space))
    else:
        options = f" --resolution {resolution}" if resolution else ""
        print_groups(
            network,
            space,
            options + (" --allow-import" if allow_import else ""),
            show_all=show_all,
        )


def as_object(network: str, space: "DesignSpace") -> dict[str, Any]:
    """Give a network's design space as plain values: MACs exact, alphas as sweep files take them."""
    from octprobe.cost.design_group import written

    return {
        "network": network,
        "policy": space.family,
        "no_policy": space.no_policy,
        "size": space.size,
        "macs": space.macs,
        "policy_macs": sum(group.macs for group in space.of_policy),
        "policy_share": space.share(space.of_policy),
        "groups": [_group_as_object(space, group) for group in space.groups],
        "example": {pattern: float(written(alpha)) for pattern, alpha in space.example},
        "source": "counted",
        "per": "item of the batch",
    }


def _group_as_object(space: "DesignSpace", group: "DesignGroup") -> dict[str, Any]:
    from octprobe.cost.design_group import written

    return {
        "number": group.number,
        "is_octave": group.is_octave,
        "patterns": group.patterns,
        "convs": group.convs,
        "followers": group.followers,
        "named_with": group.named_with,
        "channels": group.channels,
        "sizes": group.sizes,
        "macs": group.macs,
        "share": space.share([group]),
        "smallest_alpha": float(written(group.smallest_alpha)),
        "multiple_of": None if group.multiple_of is None else str(group.multiple_of),
        "allowed": None if group.allowed is None else [float(written(alpha)) for alpha in group.allowed],
    }


def _network(name: str, *, allow_import: bool) -> Any:
    from octprobe.networks import build_network, without_values

    with without_values(name):
        return build_network(name, allow_import=allow_import)
