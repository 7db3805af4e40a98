"""Pages of the app run in this process, and everything that they show."""

import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest
from streamlit.testing.v1 import AppTest

SCRIPT = Path(__file__).parents[1] / "app" / "streamlit_app.py"
PAGES = ("overview", "front", "choose", "layers", "why", "compare", "rows")
_TEXTS = ("title", "subheader", "text", "caption", "info", "warning", "markdown", "code")


def opened(monkeypatch: pytest.MonkeyPatch, *arguments: str, page: str = "overview", **query: str) -> AppTest:
    """Run a page with these arguments after `--` and this address; no exception may reach it."""
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), *arguments])
    app = AppTest.from_file(str(SCRIPT), default_timeout=60)
    if page != "overview":
        app.switch_page(f"app_pages/{page}.py")
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception, [one.message for one in app.exception]
    return app


def shown(app: AppTest) -> str:
    """Give all texts of a page, one after another."""
    found = [str(one.value) for kind in _TEXTS for one in getattr(app, kind)]
    cells = [frame.value.astype(str).to_csv() for frame in app.dataframe]
    return "\n".join([*found, *cells])


def app_module(name: str) -> ModuleType:
    """Import a module that lies beside the app's script, as Streamlit does: it has no package."""
    folder = str(SCRIPT.parent)
    sys.path.insert(0, folder)
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(folder)
