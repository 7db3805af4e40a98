"""`octprobe export-rows`: what was written is said, what could not be read too."""

import os
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from fakes_store import ended, measured, network_point, output_over, resnet_rows, row
from octprobe.commands.export_rows import export_rows
from octprobe.errors import UsageError
from octprobe.store.records import Status
from octprobe.store.store import Store

APP = typer.Typer()
APP.command()(export_rows)

TIMES = [("0", 80.0, None, 4_000_000_000), ("0.5", 60.0, 0.75, 2_000_000_000)]


def test_columns_in_the_order_asked_for(tmp_path: Path) -> None:
    """And a line that says what was written."""
    target = tmp_path / "x.csv"
    output = output_over(
        APP, tmp_path / "s", resnet_rows(TIMES), "-o", str(target), "--columns", "verdict, alpha"
    )
    assert output == f"{target}: 2 rows, 2 columns\n"
    assert target.read_text() == '"verdict","alpha"\n,0\n"FASTER",0.5\n'


def test_every_attempt_where_asked_for(tmp_path: Path) -> None:
    """The last at each point otherwise; an old file only goes with --force."""
    target = str(tmp_path / "x.parquet")
    rows = [
        ended(network_point("0.5"), Status.FAILED),
        row(network_point("0.5"), measured(1.0), attempt=2, minutes=1),
    ]
    assert "1 row, " in output_over(APP, tmp_path / "a", rows, "-o", target)
    assert "2 rows" in output_over(APP, tmp_path / "b", rows, "-o", target, "--attempts", "--force")
    with pytest.raises(UsageError, match="exists already"):
        output_over(APP, tmp_path / "c", rows, "-o", target)


def test_a_truncated_part_is_named_on_standard_error(tmp_path: Path) -> None:
    """The rest is written."""
    store = Store.create(tmp_path / "s")
    store.append(resnet_rows(TIMES))
    store.append([row(network_point("0.25"), measured(70.0), minutes=1)])
    part = store.parts()[0]
    os.truncate(part, 100)
    result = CliRunner().invoke(APP, [str(store.path), "-o", str(tmp_path / "x.csv")])
    assert result.exit_code == 0
    assert ": 1 row, " in result.stdout.replace("\n", "")
    assert f"{part.name} is damaged" in result.stderr.replace("\n", "")
