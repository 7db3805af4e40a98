"""Questions in SQL over a store: one SELECT over `measurements`, `accuracies` and `samples`, read only."""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from octprobe.errors import UsageError
from octprobe.store.accuracy import Accuracy
from octprobe.store.latest import read_last_attempts
from octprobe.store.sample import Sample
from octprobe.store.sandbox import UNREAD, columns_read, open_views
from octprobe.store.schema import SCHEMA, accuracies_table
from octprobe.store.store import DamagedPart, Store, refuse_empty

_COLUMNS = tuple(
    dict.fromkeys([*SCHEMA.names, *(f.name for f in fields(Accuracy)), *(f.name for f in fields(Sample))])
)
_UNKNOWN_COLUMN = re.compile(r'(?:column|named) "([^"]+)"')
_RULE = "give one SELECT over measurements, accuracies and samples, which reads and does no more"


@dataclass(frozen=True)
class Answer:
    """What a query gave, and the parts of the store that could not be read for it."""

    table: pa.Table
    damaged: tuple[DamagedPart, ...]


def answer(
    path: str | Path, text: str, accuracies: Sequence[Accuracy] = (), *, limit: int | None = None
) -> Answer:
    """Answer a query; columns that it does not need are not read.

    Args:
        path: the store.
        text: one SELECT in DuckDB's SQL.
        accuracies: the rows of the view `accuracies`.
        limit: the most rows wanted.

    Raises:
        UsageError: the query has a fault, is no SELECT, or reaches for something beside the views.
        StoreError: there is no store, it holds no rows, or a part was written by a newer octprobe.
    """
    store = Store.open(path)
    _refuse_other_than_one_select(text)
    known = accuracies_table(accuracies)
    try:
        columns = columns_read(open_views(SCHEMA.empty_table(), known, is_planning=True), text)
        return _answer(store, text, known, columns, limit)
    except duckdb.Error as error:
        if UNREAD not in str(error):
            raise _usage_error(error) from error
    try:
        return _answer(store, text, known, SCHEMA.names, limit)
    except duckdb.Error as error:
        raise _usage_error(error) from error


def _answer(
    store: Store, text: str, accuracies: pa.Table, columns: Sequence[str], limit: int | None
) -> Answer:
    contents = read_last_attempts(store, ["point_id", *(name for name in columns if name != "point_id")])
    refuse_empty(store.path, contents.table.num_rows, contents.damaged)
    relation = open_views(contents.table, accuracies).sql(text)
    return Answer(_arrow(relation if limit is None else relation.limit(limit)), contents.damaged)


def _arrow(relation: Any) -> pa.Table:
    """Fetch a result; columns of one name get a number, for an object can hold a name once."""
    table = relation.to_arrow_table()
    names: list[str] = []
    for name in table.column_names:
        count = sum(1 for earlier in table.column_names[: len(names)] if earlier == name)
        names.append(f"{name}_{count}" if count else name)
    return table.rename_columns(names)


def _refuse_other_than_one_select(text: str) -> None:
    try:
        statements = duckdb.extract_statements(text)
    except duckdb.Error as error:
        raise _usage_error(error) from error
    if len(statements) != 1:
        raise UsageError(f"the query has {len(statements)} statements; {_RULE}")
    if statements[0].type != duckdb.StatementType.SELECT:
        raise UsageError(f"the query is of kind {statements[0].type.name}; {_RULE}")


def _usage_error(error: duckdb.Error) -> UsageError:
    """Give DuckDB's first line, with the nearest name of a column or the rule that bars a file."""
    line = str(error).strip().partition("\n")[0]
    if isinstance(error, duckdb.PermissionException):
        return UsageError(f"query: {line}; {_RULE}")
    return UsageError(f"query: {line}{_nearest(line)}")


def _nearest(line: str) -> str:
    unknown = _UNKNOWN_COLUMN.search(line)
    if not unknown or ("not found" not in line and "does not have" not in line):
        return ""
    name = unknown[1].lower()
    near = difflib.get_close_matches(name, _COLUMNS, n=1) or [known for known in _COLUMNS if name in known]
    return f" Did you mean {near[0]}?" if near else " docs/columns.md lists all columns."
