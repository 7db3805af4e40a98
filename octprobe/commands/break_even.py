"""`octprobe break-even`: from which alpha on OctConv pays, and why not before."""

from pathlib import Path
from typing import Annotated

import typer


def break_even(
    store: Annotated[Path, typer.Argument(help="Folder that `octprobe sweep` wrote.", show_default=False)],
    *,
    as_json: Annotated[
        bool,
        typer.Option("--json", help="Print one JSON object: break-evens, and what holds across batches."),
    ] = False,
) -> None:
    """Show the smallest alpha that beats vanilla, and which share of the MACs saving became time."""
    from octprobe.commands.break_even_view import print_break_even  # pandas takes half a second to import
    from octprobe.commands.terminal import make_console, print_json, warn
    from octprobe.explore.break_even import break_even as found_in
    from octprobe.explore.break_even import without_order
    from octprobe.explore.saving.batches import across_batches
    from octprobe.explore.saving.record import break_even_records
    from octprobe.store.query import load_readable
    from octprobe.store.store import refuse_empty

    loaded = load_readable(store)
    refuse_empty(store, len(loaded.frame), loaded.damaged)
    warn(loaded.damaged)
    findings = found_in(loaded.frame)
    batches = across_batches(findings)
    if as_json:
        print_json(break_even_records(findings, batches))
    else:
        print_break_even(findings, batches, make_console())
    if unordered := without_order(loaded.frame):
        rows = "1 row" if unordered == 1 else f"{unordered} rows"
        warn([f"left out: {rows} with an alpha map, which has no order"])
