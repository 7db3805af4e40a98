"""`octprobe query`: a question in SQL over the rows of a store."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from octprobe.errors import UsageError


def query(
    store: Annotated[Path, typer.Argument(help="Folder that `octprobe sweep` wrote.", show_default=False)],
    sql: Annotated[
        str,
        typer.Argument(
            help="One SELECT in DuckDB's SQL over measurements, accuracies and samples.", show_default=False
        ),
    ],
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the rows as a JSON list; absent is null.")
    ] = False,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="Print the rows as CSV; lists are JSON text in their cell.")
    ] = False,
) -> None:
    """Answer an SQL query over a store; nothing is written and no other file can be reached.

    Views: measurements (the last attempt at each point), accuracies (published, and of this store's own
    trainings, a row a split: choose by validation, report test), samples (a row a raw latency sample).
    docs/columns.md lists their columns, as does the query `DESCRIBE measurements`.
    """
    if as_json and as_csv:
        raise UsageError("--json and --csv exclude each other; give one")
    from octprobe.commands.query_view import SHOWN_ROWS, print_answer
    from octprobe.commands.terminal import make_console, print_json, warn
    from octprobe.explore.known_accuracies import every_accuracy
    from octprobe.store.sql import answer
    from octprobe.store.tabular import plain_rows, write_csv

    limit = None if as_json or as_csv else SHOWN_ROWS + 1
    known = every_accuracy(store)
    found = answer(store, sql, known.accuracies, limit=limit)
    warn((*found.damaged, *known.damaged))
    if as_json:
        print_json(plain_rows(found.table))
    elif as_csv:
        write_csv(found.table, sys.stdout.buffer)
    else:
        print_answer(found.table, make_console())
