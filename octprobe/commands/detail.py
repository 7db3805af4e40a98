"""A row at length: all of its figures, the paths' work beside their time, and what to do about doubts."""

from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from octprobe.commands.terminal import (
    Column,
    Section,
    cell,
    number,
    print_blocks,
    print_indented,
    scale,
)
from octprobe.explore.detail import PathShare, facts_of, path_shares
from octprobe.explore.doubts import explained
from octprobe.explore.groups import Record
from octprobe.explore.labels import row_label
from octprobe.store.records import Status

# So many of the longest operators fit a screen; `show --json` has them all.
OPERATORS_SHOWN = 8
_NAME_WIDTH = 14


def print_details(records: Iterable[Record], console: Console) -> None:
    """Print rows at length, a blank line after each."""
    for record in records:
        console.print(cell(row_label(record), "bold cyan"), soft_wrap=True)
        for name, text in facts_of(record):
            is_failure = name == "status" and record["status"] != Status.MEASURED
            _print_fact(console, name, cell(text, "red" if is_failure else ""))
        _print_paths(console, path_shares(record))
        _print_operators(console, record.get("breakdown_operators") or ())
        for doubt in record.get("doubts") or ():
            print_indented(console, cell(f"? {explained(doubt)}", "yellow"), 2)
        for line in (record.get("log_tail") or "").splitlines():
            print_indented(console, cell(f"| {line}", "dim"), 2)
        console.print()


def _print_fact(console: Console, name: str, text: Text) -> None:
    """Print a name and what is known under it; what is piped on stays one line."""
    title = cell(f"{name:<{_NAME_WIDTH}}", "bold")
    if not console.is_terminal:
        print_indented(console, Text.assemble(title, text), 2)
        return
    grid = Table.grid()
    grid.add_row(title, text)
    console.print(Padding(grid, (0, 0, 0, 2)))


def _print_paths(console: Console, paths: Sequence[PathShare]) -> None:
    size, prefix = scale(path.macs for path in paths)
    columns = [
        Column("  path", left=True),
        Column("MACs", f"{prefix}/item"),
        Column("share"),
        Column("device time", "ms/call"),
        Column("share"),
    ]
    rows = [
        [
            cell(f"  {path.path}"),
            number(path.macs, size),
            _share(path.macs_share),
            number(path.time_ms),
            _share(path.time_share),
        ]
        for path in paths
    ]
    _print_table(console, columns, rows)


def _print_operators(console: Console, operators: Sequence[dict[str, Any]]) -> None:
    columns = [
        Column("  device time", "ms/call"),
        Column("calls"),
        Column("kernels"),
        Column("operator", left=True),
    ]
    rows = [
        [
            number(operator["time_ms"]),
            _count(operator["calls"]),
            _count(operator["kernels"]),
            cell(operator["name"]),
        ]
        for operator in operators[:OPERATORS_SHOWN]
    ]
    _print_table(console, columns, rows)
    if len(operators) > len(rows):
        print_indented(console, cell(f"and {len(operators) - len(rows)} more, as `--json` lists them"), 2)


def _print_table(console: Console, columns: Sequence[Column], rows: Sequence[Sequence[Text]]) -> None:
    if rows:
        print_blocks(console, columns, [Section("", rows)])


def _count(count: float | None) -> Text:
    return cell(None if count is None else f"{count:g}")


def _share(part: float | None) -> Text:
    return cell(None if part is None else f"{100 * part:.0f} %")
