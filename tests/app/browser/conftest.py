"""The browser and the dashboard that the pages' tests share."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.served import served
from chromium import started
from demo_store import write_demo


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Start the system's browser once."""
    with started() as found:
        yield found


@pytest.fixture
def browser(chromium: Any) -> Iterator[Any]:
    """Give the browser, and close what a test has opened: an open page reads its store every 2 s."""
    yield chromium
    for context in list(chromium.contexts):
        context.close()


@pytest.fixture(scope="session")
def dashboard(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the demonstration of the tests once; give its address."""
    folder = tmp_path_factory.mktemp("dashboard")
    write_demo(folder / "store")
    with served("store", folder=folder) as running:
        yield running.url


@pytest.fixture
def growing(chromium: Any, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Serve a store that a test adds to; give its address and folder."""
    write_demo(tmp_path / "store")
    with served("store", folder=tmp_path) as running:
        yield running.url, tmp_path / "store"
