"""`octprobe accuracy published`: every figure with its source, by family."""

import json

from typer.testing import CliRunner

from octprobe.commands.accuracy import accuracy
from octprobe.facts.published import published_accuracies


def printed(*options: str) -> str:
    """Run the command and give its standard output."""
    result = CliRunner().invoke(accuracy, ["published", *options], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_the_table_has_a_block_a_family() -> None:
    """Headings carry units; a delta has its sign, digits are the source's."""
    lines = printed().splitlines()
    assert lines[0].split() == [
        *["network", "variant", "alpha", "data", "set", "top-1", "to", "alpha", "0"],
        *["top-5", "MACs", "source"],
    ]
    assert lines[1].split() == ["%", "%", "points", "%", "G/item"]
    assert [line for line in lines[2:-1] if not line.startswith("  ")] == ["authors", "d-li14", "xu3kev"]
    (row,) = [line for line in lines if line.startswith("  resnet101_v1 ") and " 0.5 " in line]
    assert row.split() == [
        *["resnet101_v1", "v1b", "0.5", "imagenet1k", "78.794", "-0.104", "94.33", "3.991"],
        *["d-li14/octconv.pytorch", "README", "(2020-07)"],
    ]
    assert lines[-1].endswith("Compare within one family only: recipes differ.")


def test_absent_is_a_dash() -> None:
    """No baseline, no delta."""
    (row,) = [line for line in printed().splitlines() if line.startswith("  mobilenetv1_100 ")]
    assert row.split()[1:7] == ["-", "0.5", "imagenet1k", "72.5", "-", "90.6"]


def test_json_is_a_list_of_rows() -> None:
    """One object a row, every column, null where absent."""
    rows = json.loads(printed("--json"))
    assert len(rows) == len(published_accuracies())
    assert rows[1]["delta_top1_percent"] == 2.6
    assert rows[1]["source_family"] == "authors"
    assert [row["delta_top1_percent"] for row in rows if row["network"] == "seresnet152"] == [None]
