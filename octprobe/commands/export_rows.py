"""`octprobe export-rows`: the rows of a store as one file for other programs."""

from pathlib import Path
from typing import Annotated

import typer


def export_rows(
    store: Annotated[Path, typer.Argument(help="Folder that `octprobe sweep` wrote.", show_default=False)],
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="File to write: x.csv or x.parquet.", show_default=False)
    ],
    columns: Annotated[
        str | None,
        typer.Option(help="Only these columns, by commas; docs/columns.md lists all.", show_default=False),
    ] = None,
    attempts: Annotated[
        bool, typer.Option("--attempts", help="Write every attempt, not only the last at each point.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a file of that name.")] = False,
) -> None:
    """Write the rows of a store to a CSV or parquet file; the file appears whole or not at all.

    In CSV lists are JSON text, and text that a spreadsheet would run as a formula starts with an apostrophe.
    """
    from octprobe.commands.terminal import printable, warn
    from octprobe.store.export_rows import export_rows as write_rows

    wanted = [name.strip() for name in columns.split(",") if name.strip()] if columns else []
    written = write_rows(store, output, wanted, every_attempt=attempts, overwrite=force)
    warn(written.damaged)
    table = written.table
    rows, plural = table.num_rows, "" if table.num_rows == 1 else "s"
    typer.echo(f"{printable(output)}: {rows} row{plural}, {table.num_columns} columns")
