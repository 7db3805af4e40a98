"""`octprobe show`: the rows of a store."""

from pathlib import Path
from typing import Annotated

import typer


def show(
    store: Annotated[Path, typer.Argument(help="Folder that `octprobe sweep` wrote.", show_default=False)],
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print every column of every row as a JSON list; absent is null.")
    ] = False,
) -> None:
    """Show every row of a store: figures with their intervals, verdicts, doubts and failures."""
    from octprobe.commands.tables import print_rows  # pandas takes half a second to import
    from octprobe.commands.terminal import make_console, print_json, warn
    from octprobe.store.query import load_readable, records

    loaded = load_readable(store)
    warn(loaded.damaged)
    if as_json:
        print_json(records(loaded.frame))
    else:
        print_rows(loaded.frame, make_console())
