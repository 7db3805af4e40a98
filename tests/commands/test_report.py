"""`octprobe report`: a page or a text, whole or not at all."""

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from fakes_store import resnet_rows
from octprobe.commands.report import report
from octprobe.errors import StoreError, UsageError
from octprobe.store.store import Store

APP = typer.Typer()
APP.command()(report)
TIMES = [("0", 80.0, None, 4000), ("0.5", 60.0, 0.75, 2000)]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Give a small store."""
    Store.create(tmp_path / "store").append(resnet_rows(TIMES))
    return tmp_path / "store"


def run(*arguments: object) -> str:
    """Run the command and give its output; errors come through."""
    result = CliRunner().invoke(APP, [str(each) for each in arguments], catch_exceptions=False)
    if result.exception:
        raise result.exception
    return result.stdout


def test_a_page_is_written(store: Path, tmp_path: Path) -> None:
    """Its size is said."""
    page = tmp_path / "report.html"
    output = run(store, "-o", page)
    assert page.read_text().startswith("<!DOCTYPE html>")
    assert output.startswith(f"{page}: {page.stat().st_size:,} bytes")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "store"]


def test_markdown_goes_to_the_terminal_or_a_file(store: Path, tmp_path: Path) -> None:
    """The same text."""
    printed = run(store, "--format", "md")
    assert printed.startswith("## octprobe: store\n\n**resnet50: alpha 0.5 is the fastest")
    run(store, "--format", "md", "-o", tmp_path / "report.md")
    assert (tmp_path / "report.md").read_text() == printed


def test_a_file_that_is_there_stays(store: Path, tmp_path: Path) -> None:
    """Unless --force says otherwise."""
    page = tmp_path / "report.html"
    page.write_text("mine")
    with pytest.raises(UsageError, match="--force"):
        run(store, "-o", page)
    assert page.read_text() == "mine"
    run(store, "-o", page, "--force")
    assert page.read_text().startswith("<!DOCTYPE html>")


def test_what_cannot_be_written_is_one_line(store: Path, tmp_path: Path) -> None:
    """No file, no folder, no store, no rows."""
    with pytest.raises(UsageError, match="needs a file"):
        run(store)
    with pytest.raises(UsageError, match="cannot be written"):
        run(store, "-o", tmp_path / "absent" / "report.html")
    with pytest.raises(StoreError, match="no such folder"):
        run(tmp_path / "nowhere", "-o", tmp_path / "report.html")
    Store.create(tmp_path / "empty")
    with pytest.raises(StoreError, match="holds no rows yet"):
        run(tmp_path / "empty", "-o", tmp_path / "report.html")


def test_a_damaged_part_is_named_on_standard_error(store: Path) -> None:
    """The rest is told, and the exit code is 0."""
    (store / "parts" / "zzz.parquet").write_bytes(b"PAR1")
    result = CliRunner().invoke(APP, [str(store), "--format", "md"], catch_exceptions=False)
    assert result.exit_code == 0
    assert "zzz.parquet is damaged" in result.stderr
    assert "zzz.parquet is damaged; its rows are left out" in result.stdout
