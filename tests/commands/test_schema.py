"""`octprobe schema`."""

from pathlib import Path

import pytest

from octprobe.commands.schema import schema
from octprobe.errors import UsageError
from octprobe.plan.json_schema import schema_text


def test_prints_the_schema(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a file it goes to standard output, ready to be piped."""
    schema()
    assert capsys.readouterr().out == schema_text()


def test_prints_the_schema_of_recipes(capsys: pytest.CaptureFixture[str]) -> None:
    """On request."""
    schema(recipe=True)
    assert capsys.readouterr().out == schema_text(recipe=True)


def test_writes_the_schema(tmp_path: Path) -> None:
    """With a file it is written as it is committed."""
    output = tmp_path / "sweep.schema.json"
    schema(output)
    assert output.read_text(encoding="utf-8") == schema_text()


def test_unwritable_file(tmp_path: Path) -> None:
    """A folder that is not there is a usage error in one line."""
    with pytest.raises(UsageError, match="the schema cannot be written: No such file or directory"):
        schema(tmp_path / "nowhere" / "schema.json")
