"""A store without rows is one line and exit code 2 for every command that answers from rows."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from octprobe.commands.main import app
from octprobe.errors import StoreError
from octprobe.store.store import Store

COMMANDS = [
    ("front", "{store}"),
    ("recommend", "{store}", "--minimize", "latency"),
    ("break-even", "{store}"),
    ("compare", "{store}", "{store}"),
    ("report", "{store}", "--format", "md"),
    ("query", "{store}", "SELECT 1 FROM measurements"),
    ("export-rows", "{store}", "-o", "{store}/rows.csv"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
@pytest.mark.parametrize("is_damaged", [False, True])
def test_no_rows_is_said_and_a_damaged_part_is_named(
    command: tuple[str, ...], is_damaged: bool, tmp_path: Path
) -> None:  # parametrised
    """What could not be read is not called empty."""
    Store.create(tmp_path)
    if is_damaged:
        (tmp_path / "parts/a.parquet").write_bytes(b"PAR1")
    ended = CliRunner().invoke(app, [part.format(store=tmp_path) for part in command])
    assert isinstance(ended.exception, StoreError)
    assert ended.exception.exit_code == 2
    why = "that can be read: .*a.parquet is damaged" if is_damaged else "yet; `octprobe sweep FILE --store"
    with pytest.raises(StoreError, match=f"^{tmp_path} holds no rows {why}"):
        raise ended.exception
