"""Tables as CSV within the page."""

import base64

from octprobe.figures.shapes import Table
from octprobe.report.csv import csv_text, csv_uri

TABLE = Table(("name", "ms/call"), (("=1+1", 0.1), ('say "x", y', None)))


def test_figures_are_whole_and_formulas_are_text() -> None:
    """Absent is an empty cell; quotes and commas are quoted."""
    assert csv_text(TABLE) == '"name","ms/call"\n"\'=1+1",0.1\n"say ""x"", y",\n'


def test_negative_figures_are_no_formulas() -> None:
    """Only text is guarded."""
    assert csv_text(Table(("a",), ((-5.5,), (2.0,)))) == '"a"\n-5.5\n2\n'


def test_a_column_of_figures_and_words_is_text() -> None:
    """And one without any value is empty."""
    assert csv_text(Table(("a", "b"), ((1, None), ("x", None)))) == '"a","b"\n"1",\n"x",\n'


def test_the_address_holds_the_whole_file() -> None:
    """Marked as UTF-8 for spreadsheets."""
    head, _, content = csv_uri(TABLE).partition(",")
    assert head == "data:text/csv;charset=utf-8;base64"
    assert base64.b64decode(content).decode("utf-8-sig") == csv_text(TABLE)


def test_an_empty_table_keeps_its_head() -> None:
    """No rows is no error."""
    assert csv_text(Table(("a", "b"), ())) == '"a","b"\n'
