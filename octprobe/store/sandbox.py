"""A DuckDB connection from which SQL reaches the views of a store and nothing else: no file, no network."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import duckdb
import pyarrow as pa

from octprobe.store.sample import SAMPLES_VIEW
from octprobe.store.schema import SCHEMA

# Stands for a column that was not read; a query that does need it is run again with every column.
UNREAD = "octprobe: this column was not read"
# Under this name the rows are registered; people query the views over them.
_ROWS = "_rows"
# Half of a common laptop's memory: a query that needs more is refused before the machine swaps.
_MEMORY_LIMIT = "4GB"
# DuckDB's manual, "Securing DuckDB". Some overlap, so that one that a version forgets leaves no gap.
_LOCKS: Mapping[str, str] = {
    "enable_external_access": "false",
    "autoload_known_extensions": "false",
    "autoinstall_known_extensions": "false",
    "allow_community_extensions": "false",
    "allow_unsigned_extensions": "false",
    # Else a table's name could stand for a variable of this process.
    "python_enable_replacements": "false",
    "python_scan_all_frames": "false",
    "memory_limit": _MEMORY_LIMIT,
    # Nothing is written, not even what does not fit in memory.
    "temp_directory": "",
}


def open_views(rows: pa.Table, accuracies: pa.Table, *, is_planning: bool = False) -> Any:
    """Open a connection with the views over rows and accuracies; its settings can be changed no more.

    Args:
        rows: last attempts, with all columns of the schema or some.
        accuracies: as `octprobe.store.schema.accuracies_table` gives them.
        is_planning: whether queries are only explained, so that a plan shows what it reads.
    """
    connection = duckdb.connect(":memory:", config=dict(_LOCKS))
    # Times are stored in UTC and shown so, whatever the machine's zone.
    connection.execute("SET TimeZone = 'UTC'")
    connection.register("_accuracies", accuracies)
    connection.execute("CREATE TABLE accuracies AS SELECT * FROM _accuracies")
    connection.unregister("_accuracies")
    connection.register("_no_rows", SCHEMA.empty_table())
    types = connection.execute("SELECT column_name, column_type FROM (DESCRIBE _no_rows)").fetchall()
    connection.unregister("_no_rows")
    connection.register(_ROWS, rows)
    columns = ", ".join(_expression(name, kind, rows) for name, kind in types)
    connection.execute(f"CREATE VIEW measurements AS SELECT {columns} FROM {_ROWS}")  # noqa: S608 - our names
    connection.execute(f"CREATE VIEW samples AS {SAMPLES_VIEW}")
    if is_planning:
        _disable_optimizers(connection)
    connection.execute("SET lock_configuration = true")
    return connection


def columns_read(connection: Any, text: str) -> list[str]:
    """Give the columns of the rows that a query reads, by its plan; no row is read for it.

    Raises:
        duckdb.Error: the query has a fault.
    """
    plan = connection.execute(f"EXPLAIN (FORMAT JSON) {text}").fetchall()[0][1]
    found = {name for node in _nodes(json.loads(plan)) for name in _projections(node)}
    return [name for name in SCHEMA.names if name in found]


def _expression(name: str, kind: str, rows: pa.Table) -> str:
    if name in rows.column_names:
        return f'"{name}"'
    return f"CAST(error('{UNREAD}') AS {kind}) AS \"{name}\""


def _disable_optimizers(connection: Any) -> None:
    """Keep only the optimizer that drops unread columns: over no rows, others would drop more."""
    names = [name for (name,) in connection.execute("SELECT name FROM duckdb_optimizers()").fetchall()]
    others = ",".join(name for name in names if name != "unused_columns")
    connection.execute(f"SET disabled_optimizers = '{others}'")


def _nodes(plans: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for plan in plans:
        yield plan
        yield from _nodes(plan["children"])


def _projections(node: Mapping[str, Any]) -> list[str]:
    """Give the columns that a scan of the rows reads; a record's field is named after its column."""
    if "ARROW_SCAN" not in node["name"]:
        return []
    found = node["extra_info"].get("Projections", [])
    return [name.partition(".")[0] for name in ([found] if isinstance(found, str) else found)]
