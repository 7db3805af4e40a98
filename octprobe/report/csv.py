"""Tables as CSV that a page carries within itself."""

import base64
import io

import pyarrow as pa

from octprobe.figures.shapes import Cell, Table
from octprobe.store.tabular import write_csv


def csv_text(table: Table) -> str:
    """Give a table as CSV: figures in full, absent cells empty, formulas made text."""
    columns = list(zip(*table.rows, strict=True)) or [()] * len(table.head)
    arrays = [pa.array(_of_one_type(column)) for column in columns]
    content = io.BytesIO()
    write_csv(pa.Table.from_arrays([_named(array) for array in arrays], names=list(table.head)), content)
    return content.getvalue().decode()


def csv_uri(table: Table) -> str:
    """Give the CSV as an address that holds it all, so that a link to it downloads without any request."""
    # The mark at the beginning tells spreadsheets that the text is UTF-8.
    content = csv_text(table).encode("utf-8-sig")
    return f"data:text/csv;charset=utf-8;base64,{base64.b64encode(content).decode()}"


def _of_one_type(column: tuple[Cell, ...]) -> list[Cell]:
    """Make text of a column that holds text beside figures."""
    if any(isinstance(value, str) for value in column):
        return [None if value is None else str(value) for value in column]
    return list(column)


def _named(array: pa.Array) -> pa.Array:
    """Give a column of absent cells the type of text."""
    return array.cast(pa.string()) if pa.types.is_null(array.type) else array
