"""A query's answer as a terminal table, cut to what a person reads."""

import json
from typing import Any

import pyarrow as pa
from rich.console import Console
from rich.text import Text

from octprobe.commands.terminal import Column, Section, cell, print_blocks, printable
from octprobe.store.tabular import plain_rows
from octprobe.units import show_number

# Two screens; what is more is for another program to read.
SHOWN_ROWS = 50
# Room for an id or a source; a list of samples would push every other column off the screen.
_WIDEST_CELL = 48
# More than a table of ours shows: a query is asked by someone who computes with its figures.
_DIGITS = 7


def print_answer(table: pa.Table, console: Console) -> None:
    """Print the first rows of a table and say where there are more."""
    columns = [Column(printable(field.name), left=not _is_number(field.type)) for field in table.schema]
    rows = [[_shown(value) for value in row.values()] for row in plain_rows(table.slice(0, SHOWN_ROWS))]
    print_blocks(console, columns, [Section("", rows)])
    if table.num_rows > SHOWN_ROWS:
        console.print(Text(f"The first {SHOWN_ROWS} rows; --csv or --json gives all."))
    elif not rows:
        console.print(Text("No row answers the query."))


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _shown(value: Any) -> Text:
    if isinstance(value, float):
        return cell(show_number(value, _DIGITS))
    text = cell(json.dumps(value) if isinstance(value, list | dict | bool) else value)
    text.truncate(_WIDEST_CELL, overflow="ellipsis")
    return text
