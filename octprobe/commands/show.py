"""`octprobe show`: the rows of a store."""

from pathlib import Path
from typing import Annotated

import typer


def show(
    store: Annotated[Path, typer.Argument(help="Folder that `octprobe sweep` wrote.", show_default=False)],
    *,
    point: Annotated[
        str | None,
        typer.Option(
            help="Show everything of the rows whose point_id begins so or whose label has these words, "
            "such as 'resnet50 alpha 0.5, batch 8'.",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print every column of every row as a JSON list; absent is null.")
    ] = False,
) -> None:
    """Show every row of a store: figures with their intervals, verdicts, doubts and failures."""
    from octprobe.commands.detail import print_details  # pandas takes half a second to import
    from octprobe.commands.tables import print_rows
    from octprobe.commands.terminal import make_console, print_json, warn
    from octprobe.explore.find import find_rows
    from octprobe.explore.groups import plain_records
    from octprobe.store.query import load_readable, records

    loaded = load_readable(store)
    warn(loaded.damaged)
    rows = records(loaded.frame) if as_json else plain_records(loaded.frame)
    found = rows if point is None else find_rows(rows, point)
    if as_json:
        print_json(found)
    elif point is None:
        print_rows(found, make_console())
    else:
        print_details(found, make_console())
