"""Arrow tables as CSV and as plain values: lists become JSON, and no cell of a CSV can act as a formula."""

import json
import math
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from octprobe.errors import UsageError

# Spreadsheets run text that starts so, some of them past a tab or a line's end: OWASP, "CSV Injection".
_FORMULA = r"^([=+\-@\t\r\n])"
# An apostrophe before it makes it text; spreadsheets show the cell without.
_INERT = r"'\1"
_AS_THEY_ARE = (pa.types.is_integer, pa.types.is_boolean, pa.types.is_timestamp, pa.types.is_date)


def write_csv(table: pa.Table, file: BinaryIO) -> None:
    """Write a table as CSV: a heading, absent as nothing, lists and records as JSON text, times in UTC.

    Raises:
        UsageError: a value lies beyond what Python can hold, such as an infinite time.
    """
    columns = [_csv_column(column) for column in table.columns]
    names = [_inert_text(name) for name in table.column_names]
    pa_csv.write_csv(pa.Table.from_arrays(columns, names=names), file)


def plain_rows(table: pa.Table) -> list[dict[str, Any]]:
    """Give the rows as values JSON can hold: absent and not finite are None, times are ISO 8601 text.

    Raises:
        UsageError: a value lies beyond what Python can hold, such as an infinite time.
    """
    columns = [[plain_value(value) for value in _values(column)] for column in table.columns]
    return [dict(zip(table.column_names, values, strict=True)) for values in zip(*columns, strict=True)]


def plain_value(value: Any) -> Any:
    """Give one value as JSON can hold it: whole decimals as integers, bytes as hexadecimal digits."""
    for kinds, plain in _PLAIN:
        if isinstance(value, kinds):
            return plain(value)
    return None if value is None else str(value)


def _plain_decimal(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)


# The first that fits holds.
_PLAIN: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    ((str, bool, int), lambda value: value),
    (float, lambda value: value if math.isfinite(value) else None),
    (Decimal, _plain_decimal),
    (datetime, datetime.isoformat),
    (bytes, bytes.hex),
    (dict, lambda value: {str(name): plain_value(item) for name, item in value.items()}),
    # A map comes as a list of pairs.
    ((list, tuple), lambda value: [plain_value(item) for item in value]),
)


def _values(column: pa.ChunkedArray) -> list[Any]:
    try:
        found: list[Any] = column.to_pylist()
    except (OverflowError, ValueError, pa.ArrowException) as error:
        reason = str(error).partition("\n")[0]
        raise UsageError(
            f"a value of type {column.type} cannot be shown ({reason}); cast it to text"
        ) from error
    return found


def _csv_column(column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = column.type
    if pa.types.is_floating(kind):
        return pc.if_else(pc.is_finite(column), column, pa.scalar(None, kind))
    if any(test(kind) for test in _AS_THEY_ARE):
        return column
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return pc.replace_substring_regex(column, pattern=_FORMULA, replacement=_INERT)
    return _texts(column)


def _texts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Give any other column as text: JSON for what has parts."""
    return pa.chunked_array([[_text(plain_value(value)) for value in _values(column)]], pa.string())


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, int | float):
        return None if value is None else json.dumps(value)
    return _inert_text(value) if isinstance(value, str) else json.dumps(value, allow_nan=False)


def _inert_text(text: str) -> str:
    return f"'{text}" if text.startswith(tuple("=+-@\t\r\n")) else text
