"""The text for a pull request."""

from pathlib import Path

import pytest

from fakes_store import ended, measured, network_point, resnet_rows, row
from figures.rows_drawn import HOSTILE, TIMES
from octprobe.report.markdown import MOST_ROWS, markdown_report, text
from octprobe.store.records import Doubt, Status
from octprobe.store.row import Row
from octprobe.store.store import Store

SNAPSHOT = Path(__file__).with_name("snapshot.md")


def markdown_of(path: Path, rows: list[Row]) -> str:
    """Write rows to a store and report on it."""
    Store.create(path).append(rows)
    return markdown_report(path)


def test_the_whole_text(tmp_path: Path) -> None:
    """Headline, verdicts, break-even, environment, folded details."""
    rows = [
        *resnet_rows(TIMES),
        row(network_point("0.75"), measured(90.0, 1.2, macs=1_500_000_000, doubts=(Doubt.BIMODAL,))),
        ended(network_point("1"), Status.SKIPPED, "alpha 1 | no high channels"),
    ]
    assert markdown_of(tmp_path / "store", rows) == SNAPSHOT.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("told", "safe"),
    [
        ("a|b", "a&#124;b"),
        ("*x* _y_ `z` ~~s~~", "\\*x\\* \\_y\\_ \\`z\\` \\~\\~s\\~\\~"),
        ("[x](y) ![i](j)", "\\[x\\](y) \\!\\[i\\](j)"),
        ("<b>&", "&lt;b&gt;&amp;"),
        ("@someone #12", "@<!-- -->someone #<!-- -->12"),
        (
            "https://example.invalid www.example.invalid",
            "https&#58;//example.invalid www&#46;example.invalid",
        ),
        ("line\nbreak\u202e", "line\\\\nbreak\\\\u202e"),
    ],
)
def test_text_is_neither_markdown_nor_html(told: str, safe: str) -> None:
    """No mention, no reference, no address to follow, no cell of a table ended."""
    assert text(told) == safe


def test_a_hostile_store_stays_within_its_cells(tmp_path: Path) -> None:
    """Every line of a table has as many cells as its head, and no tag but our own is there."""
    hostile = f"{HOSTILE} | x\n# heading"
    rows = [*resnet_rows(TIMES, hostile), ended(network_point("1", hostile), Status.FAILED, hostile)]
    found = markdown_of(tmp_path / "store", rows)
    assert {line.count("|") for line in found.splitlines() if "bold" in line and line.startswith("|")} == {
        11,
        9,
    }
    assert "<b>" not in found
    assert "<script" not in found
    assert "\n# heading" not in found


def test_long_tables_are_cut_and_say_where_the_rest_is(tmp_path: Path) -> None:
    """A comment is read in one go."""
    rows = [line for batch in range(1, MOST_ROWS + 4) for line in resnet_rows(TIMES[:2], batch=batch)]
    found = markdown_of(tmp_path / "store", rows)
    assert found.count("and 3 more, as `octprobe report STORE -o report.html` lists them") == 2
