"""What a page that is run in this process leaves behind is taken away again."""

import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _own_main_module() -> Iterator[None]:
    """Streamlit puts the page in the place of `__main__`, which processes started later would run."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main
