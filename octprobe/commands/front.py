"""`octprobe front`: the points that nothing beats on two or three objectives."""

from pathlib import Path
from typing import Annotated

import typer

from octprobe.commands.split_option import SplitOption
from octprobe.store.accuracy_run import Split

# More points than a person reads: only those on the front are shown then, and so many fronts.
MANY_POINTS = 2_000
MANY_FRONTS = 40


def front(
    store: Annotated[Path, typer.Argument(help="Folder that `octprobe sweep` wrote.", show_default=False)],
    *,
    x: Annotated[
        str, typer.Option(help="First objective: latency, macs, memory, top1, ... or a column.")
    ] = "latency",
    y: Annotated[str, typer.Option(help="Second objective.")] = "macs",
    z: Annotated[str | None, typer.Option(help="Third objective, if wanted.", show_default=False)] = None,
    given: Annotated[
        list[str] | None, typer.Option(help="Rows of one value of an axis only: batch=8, network=resnet50.")
    ] = None,
    at_most: Annotated[
        list[str] | None,
        typer.Option("--max", help="Points above are infeasible: latency=5ms, memory=800MB, macs=2G."),
    ] = None,
    at_least: Annotated[
        list[str] | None,
        typer.Option("--min", help="Points below are infeasible: top1=75, throughput=100/s."),
    ] = None,
    accuracy_from: Annotated[
        str | None,
        typer.Option(help="Source family of accuracies; else each has a front.", show_default=False),
    ] = None,
    split: SplitOption = Split.VALIDATION,
    everything: Annotated[
        bool, typer.Option("--all", help=f"Show every point and front, of more than {MANY_POINTS:,} too.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the points as a JSON list, each with its standing.")
    ] = False,
) -> None:
    """Show the front over two or three objectives, one for each device, batch, resolution, dtype and mode."""
    from octprobe.commands.pictures import front_notes, print_front  # pandas takes half a second to import
    from octprobe.commands.terminal import make_console, print_json, say, warn
    from octprobe.explore.environments import incomparable
    from octprobe.explore.front_record import front_records
    from octprobe.explore.quantity import parse_budget
    from octprobe.explore.store_front import store_front

    budgets = [parse_budget(text) for text in at_most or ()]
    budgets += [parse_budget(text, "min") for text in at_least or ()]
    objectives = [name for name in (x, y, z) if name]
    info, damaged = store_front(
        store, objectives, budgets, given or (), accuracy_from=accuracy_from, split=split
    )
    warn(damaged)
    is_cut = info.size > MANY_POINTS and not everything
    if as_json:
        drawn = info.drawn(leading=is_cut)
        rows = [point.record for _, points in drawn for point in points]
        say(front_notes(info, leading=is_cut, most=MANY_FRONTS))
        warn([*info.left_out, *filter(None, [incomparable(rows)])])
        print_json(front_records(info, drawn))
    else:
        hint = "narrow with --given, or see every one with --all"
        print_front(info, make_console(), most=MANY_FRONTS if is_cut else None, hint=hint, leading=is_cut)
