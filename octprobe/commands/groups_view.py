"""A design space on the terminal: its groups, where the MACs are, and an alpha map to begin with."""

import json
import shutil
from collections.abc import Iterator, Sequence

from rich.console import Console

from octprobe.commands.groups_rows import MEETS, Row, has_room, percent, print_rows, rows_of, size_text
from octprobe.commands.terminal import cell, make_console
from octprobe.cost.design_group import DesignGroup, DesignSpace, written
from octprobe.units import show_macs


def print_groups(network: str, space: DesignSpace, options: str, *, show_all: bool) -> None:
    """Print a network's groups, where its MACs are, and an alpha map to begin with.

    Args:
        network: its name.
        space: its design space.
        options: what a command needs beside the network and an alpha.
        show_all: every group in a row of its own; else the policy's, those alike in one row if they are many.
    """
    console = make_console()
    if console.is_terminal:
        console.width = shutil.get_terminal_size().columns
    show_all = show_all or not space.of_policy
    rows = rows_of(space, show_all=show_all)
    size = size_text(space.size)
    title = f"{network}, {size} px: {show_macs(space.macs)} an item; policy {space.family}"
    console.print(cell(title, "bold"), soft_wrap=True)
    if space.no_policy:
        console.print(cell(f"No uniform alpha: {space.no_policy}", "yellow"))
    if rows:
        console.print()
        print_rows(console, space, rows)
        console.print()
    for line in _totals(space, show_all=show_all):
        console.print(cell(line))
    for line in _legend(rows, is_wide=has_room(console)):
        console.print(cell(line, "dim"))
    _print_example(console, network, space, options)


def _totals(space: DesignSpace, *, show_all: bool) -> Iterator[str]:
    others = [group for group in space.groups if not group.is_octave]
    hint = "" if show_all else "; --all shows them"
    left = f"that the policy leaves plain{hint}" if space.of_policy else "that an alpha map can make octave"
    for groups, text in ((space.of_policy, "that a uniform alpha makes octave"), (others, left)):
        if groups:
            yield f"{percent(space.share(groups), 2):>8} of the MACs: {_count(groups)} {text}"
    yield f"{percent(1 - space.share(space.groups), 2):>8} of the MACs: layers that are always plain"


def _legend(rows: Sequence[Row], *, is_wide: bool) -> Iterator[str]:
    """Explain what is in sight and not said by its heading."""
    groups = [group for row in rows for group in row.groups]
    if len(groups) > len(rows):
        yield "m..n (k): k groups alike, from m to n, each of which may have its own alpha; --all shows each"
    if any(group.named_with for group in groups):
        yield f"{MEETS}: meets layers of other groups, which an alpha map must name along"
    if any(group.multiple_of is None for group in groups):
        yield "any: every alpha from 0 to 1; a channel more is low at each step of 1/channels"
    if not is_wide and any(group.multiple_of is not None for group in groups):
        yield "n/4: multiples of 1/4"
    if any(group.followers for group in groups):
        yield "Depthwise convolutions split as their input does; their MACs are in its group."


def _print_example(console: Console, network: str, space: DesignSpace, options: str) -> None:
    if not space.example:
        return
    example = {pattern: float(written(alpha)) for pattern, alpha in space.example}
    typed = ",".join(f"{pattern}={written(alpha)}" for pattern, alpha in space.example)
    console.print()
    console.print(cell(f"An alpha map: {json.dumps(example)}"), soft_wrap=True)
    console.print(cell(f"octprobe cost {network} --alpha '{typed}'{options}"), soft_wrap=True)


def _count(groups: Sequence[DesignGroup]) -> str:
    return "1 group" if len(groups) == 1 else f"{len(groups)} groups"
