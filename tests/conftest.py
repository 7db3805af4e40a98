"""What every test stands on."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True, scope="session")
def _private_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep what tests count out of the person's own cache; workers inherit the setting."""
    patch = pytest.MonkeyPatch()
    patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def repository() -> Path:
    """Give the root of the repository."""
    return Path(__file__).parents[1]
