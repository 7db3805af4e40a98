"""`octprobe query`: a table, JSON or CSV, and what went wrong on standard error."""

import csv
import io
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from fakes_store import measured, network_point, output_over, resnet_rows, row
from octprobe.commands.query import query
from octprobe.commands.query_view import SHOWN_ROWS
from octprobe.errors import UsageError
from octprobe.store.store import Store

APP = typer.Typer()
APP.command()(query)

TIMES = [("0", 80.0, None, 4_000_000_000), ("0.5", 60.0, 0.75, 2_000_000_000)]
TABLE = """\
alpha        macs        ms  verdict  recorded_at

    0  4000000000  80.00000  -        2026-01-02T12:00:00+00:00
  0.5  2000000000  60.00000  FASTER   2026-01-02T12:00:00+00:00
"""


def test_the_table(tmp_path: Path) -> None:
    """Figures to the right, text to the left, absent a dash."""
    text = (
        "SELECT alpha, macs, latency_ms_median AS ms, verdict, recorded_at FROM measurements ORDER BY alpha"
    )
    assert output_over(APP, tmp_path, resnet_rows(TIMES), text) == TABLE


def test_long_answers_are_cut_and_say_so(tmp_path: Path) -> None:
    """The first rows; all of them for another program."""
    output = output_over(APP, tmp_path / "a", resnet_rows(TIMES), "SELECT latency_ms FROM samples")
    lines = output.splitlines()
    assert len(lines) == 2 + SHOWN_ROWS + 1
    assert lines[-1] == f"The first {SHOWN_ROWS} rows; --csv or --json gives all."
    everything = output_over(APP, tmp_path / "b", resnet_rows(TIMES), "FROM samples", "--json")
    assert len(json.loads(everything)) == 82


def test_wide_cells_are_cut(tmp_path: Path) -> None:
    """A list of samples leaves room for other columns."""
    output = output_over(APP, tmp_path, resnet_rows(TIMES), "SELECT latency_ms_samples FROM measurements")
    assert all(len(line) <= 48 for line in output.splitlines())
    assert "…" in output


def test_no_row_is_said(tmp_path: Path) -> None:
    """A heading alone would look like a fault."""
    output = output_over(APP, tmp_path, resnet_rows(TIMES), "SELECT alpha FROM measurements WHERE alpha > 1")
    assert output.splitlines()[-1] == "No row answers the query."


def test_json_has_nulls_lists_and_no_nan(tmp_path: Path) -> None:
    """Sums are integers, times are text."""
    text = (
        "SELECT alpha, verdict, sum(macs) AS m, [1.5] AS l, 'nan'::DOUBLE AS x FROM measurements GROUP BY ALL"
    )
    found = json.loads(output_over(APP, tmp_path, resnet_rows(TIMES), f"{text} ORDER BY alpha", "--json"))
    assert found == [
        {"alpha": 0.0, "verdict": None, "m": 4_000_000_000, "l": [1.5], "x": None},
        {"alpha": 0.5, "verdict": "FASTER", "m": 2_000_000_000, "l": [1.5], "x": None},
    ]


def test_csv_is_inert_in_a_spreadsheet(tmp_path: Path) -> None:
    """A reason from a store is text, not a formula."""
    odd = replace(row(network_point("0.5"), measured(60.0)), reason='=HYPERLINK("x")')
    output = output_over(APP, tmp_path, [odd], "SELECT reason, macs FROM measurements", "--csv")
    assert list(csv.reader(io.StringIO(output))) == [
        ["reason", "macs"],
        ['\'=HYPERLINK("x")', "4089184256"],
    ]


def test_the_terminal_gets_no_control_characters(tmp_path: Path) -> None:
    """Neither from a cell nor from a name."""
    odd = replace(row(network_point("0.5"), measured(60.0)), reason="\x1b[2J")
    output = output_over(APP, tmp_path, [odd], 'SELECT reason AS "\x1b]0;x" FROM measurements')
    assert "\x1b" not in output
    assert "\\x1b[2J" in output


def run(path: Path, *arguments: str) -> Result:
    """Run the command; errors are the door's to show."""
    return CliRunner().invoke(APP, [str(path), *arguments])


def test_faults_are_left_to_the_door(tmp_path: Path) -> None:
    """Usage errors, which are exit code 2."""
    Store.create(tmp_path).append(resnet_rows(TIMES))
    for arguments in (["SELECT x"], ["COPY measurements TO 'x'"], ["SELECT 1", "--json", "--csv"]):
        assert isinstance(run(tmp_path, *arguments).exception, UsageError)


def test_a_truncated_part_is_named_on_standard_error(tmp_path: Path) -> None:
    """Standard output stays JSON alone."""
    store = Store.create(tmp_path)
    store.append(resnet_rows(TIMES))
    store.append([row(network_point("0.25"), measured(70.0), minutes=1)])
    part = store.parts()[0]
    os.truncate(part, 100)
    result = run(tmp_path, "SELECT alpha FROM measurements", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == [{"alpha": 0.25}]
    assert f"{part.name} is damaged" in result.stderr.replace("\n", "")


@pytest.mark.parametrize("option", ["--json", "--csv"])
def test_published_accuracies_can_be_asked(tmp_path: Path, option: str) -> None:
    """They come with octprobe, not with the store."""
    text = "SELECT top1_percent FROM accuracies WHERE network = 'resnet26' AND alpha = 0.25"
    assert "76.1" in output_over(APP, tmp_path, resnet_rows(TIMES), text, option)
