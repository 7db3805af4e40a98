"""The app lists a store's rows; whatever a store holds stays inert text."""

import sys
import tomllib
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from fakes_store import ended, measured, network_point, row
from octprobe.store.records import Status
from octprobe.store.store import Store

SCRIPT = Path(__file__).parents[2] / "app" / "streamlit_app.py"


def opened(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> AppTest:
    """Run the app with these arguments after `--`."""
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), *arguments])
    app = AppTest.from_file(str(SCRIPT), default_timeout=30).run()
    assert not app.exception
    return app


def test_without_a_store_it_says_how_to_name_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither argument nor variable."""
    monkeypatch.delenv("OCTPROBE_STORE", raising=False)
    app = opened(monkeypatch)
    assert "No store is named" in app.info[0].value
    assert len(app.dataframe) == 0


def test_a_missing_store_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The error's text, no traceback."""
    app = opened(monkeypatch, str(tmp_path / "nowhere"))
    assert "no such folder" in app.text[0].value


def test_an_empty_store_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No rows is no error."""
    Store.create(tmp_path)
    app = opened(monkeypatch, str(tmp_path))
    assert "no rows yet" in app.info[0].value
    assert len(app.dataframe) == 0


def test_a_row_is_counted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The first page says what was swept."""
    Store.create(tmp_path).append([row(network_point("0.5"), measured(80.0, 0.9))])
    app = opened(monkeypatch, str(tmp_path))
    assert app.dataframe[0].value["alphas"].tolist() == ["0.5"]
    assert app.metric[0].value == "1"


def test_the_environment_can_name_the_store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """OCTPROBE_STORE stands in for the argument."""
    Store.create(tmp_path)
    monkeypatch.setenv("OCTPROBE_STORE", str(tmp_path))
    assert "no rows yet" in opened(monkeypatch).info[0].value


def test_hostile_text_is_shown_as_data_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Markup in a store reaches no markdown or HTML element."""
    hostile = "<script>alert(1)</script> ![x](http://example.invalid/x.png)"
    Store.create(tmp_path).append([ended(network_point("0", network=hostile), Status.FAILED, hostile)])
    app = opened(monkeypatch, str(tmp_path))
    assert hostile in [text for one in app.dataframe for text in one.value.get("reason", [])]
    assert all("script" not in element.value for element in app.markdown)


def test_the_app_keeps_to_this_machine_and_reports_nothing() -> None:
    """Served on the loopback address, usage statistics off."""
    config = tomllib.loads((SCRIPT.parent / ".streamlit" / "config.toml").read_text())
    assert config["server"]["address"] == "127.0.0.1"
    assert config["browser"]["gatherUsageStats"] is False
