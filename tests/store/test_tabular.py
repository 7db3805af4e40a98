"""Tables as CSV and plain values: exact, absent as nothing, inert in a spreadsheet."""

import csv
import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest

from octprobe.errors import UsageError
from octprobe.store.tabular import plain_rows, write_csv


def written(table: pa.Table) -> list[list[str]]:
    """Write a table as CSV and read its cells."""
    file = io.BytesIO()
    write_csv(table, file)
    return list(csv.reader(io.StringIO(file.getvalue().decode(), newline="")))


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_no_cell_acts_as_a_formula(start: str) -> None:
    """An apostrophe first makes it text; in a heading too."""
    text = f"{start}cmd|'/c calc'!A0"
    assert written(pa.table({text: [text, "a=b"]})) == [[f"'{text}"], [f"'{text}"], ["a=b"]]


def test_numbers_are_not_text() -> None:
    """A negative figure stays one; a text of digits is kept as it is."""
    table = pa.table({"n": [-1.5, None], "i": [-3, 10**12], "b": [True, None]})
    assert written(table) == [["n", "i", "b"], ["-1.5", "-3", "true"], ["", "1000000000000", ""]]


def test_what_is_not_finite_is_absent() -> None:
    """NaN is never written."""
    table = pa.table({"a": [1.5, float("nan"), float("-inf")], "n": [1, 2, 3]})
    assert written(table) == [["a", "n"], ["1.5", "1"], ["", "2"], ["", "3"]]
    assert plain_rows(table) == [{"a": 1.5, "n": 1}, {"a": None, "n": 2}, {"a": None, "n": 3}]


def test_lists_and_records_are_json_in_their_cell() -> None:
    """They can be read back; an absent list is nothing, an empty one is []."""
    table = pa.table({"l": [[1.5, None], [], None], "r": [[{"path": "h2l", "n": 1}], None, []]})
    heading, first, second, third = written(table)
    assert heading == ["l", "r"]
    assert (json.loads(first[0]), json.loads(first[1])) == ([1.5, None], [{"path": "h2l", "n": 1}])
    assert (second, third) == (["[]", ""], ["", "[]"])


def test_quotes_and_lines_survive() -> None:
    """A worker's log has both."""
    text = 'he said "no",\nthen died'
    assert written(pa.table({"t": [text]})) == [["t"], [text]]


def test_an_empty_table_has_its_heading() -> None:
    """Columns are told even without rows."""
    assert written(pa.table({"a": pa.array([], pa.int64()), "l": pa.array([], pa.list_(pa.string()))})) == [
        ["a", "l"]
    ]


def test_plain_rows_hold_json_values() -> None:
    """Whatever an SQL expression gives."""
    table = pa.table(
        {
            "whole": [Decimal(3)],
            "part": [Decimal("1.25")],
            "time": [datetime(2026, 1, 2, tzinfo=UTC)],
            "day": [date(2026, 1, 2)],
            "bytes": [b"\x01\xff"],
            "record": [{"a": [1, None]}],
        }
    )
    (row,) = plain_rows(table)
    assert row == {
        "whole": 3,
        "part": 1.25,
        "time": "2026-01-02T00:00:00+00:00",
        "day": "2026-01-02",
        "bytes": "01ff",
        "record": {"a": [1, None]},
    }
    json.dumps(row, allow_nan=False)
    assert written(table)[1][:2] == ["3", "1.25"]


def test_a_value_that_python_cannot_hold_is_one_line() -> None:
    """An infinite time of DuckDB's."""
    table = pa.table({"t": pa.array([2**63 - 1], pa.timestamp("us"))})
    with pytest.raises(
        UsageError, match=r"a value of type timestamp\[us\] cannot be shown .*; cast it to text"
    ):
        plain_rows(table)
