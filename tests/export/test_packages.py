"""Packages that are absent, sound and broken."""

import sys
from pathlib import Path

import pytest

from octprobe.errors import MachineError
from octprobe.export.packages import imported, installed


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the file of a package that can be found; nothing is left of it."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(sys.modules, "some_runtime", None)  # so that the test's end takes it away
    monkeypatch.delitem(sys.modules, "some_runtime")
    return tmp_path / "some_runtime.py"


def test_what_is_there_is_told_without_an_import(package: Path) -> None:
    """Its code does not run."""
    assert not installed("some_runtime")
    package.write_text("raise SystemExit")
    assert installed("some_runtime")


def test_a_sound_package_is_given(package: Path) -> None:
    """As an import statement would."""
    package.write_text("__version__ = '3'")
    assert imported("some_runtime").__version__ == "3"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("raise ImportError('libfoo.so: cannot open\\nmore')", "ImportError: libfoo.so: cannot open"),
        (
            "raise ImportError('cannot allocate memory in static TLS block')",
            "ImportError: cannot allocate memory",
        ),
        ("raise OSError(8, 'Exec format error')", "OSError: [Errno 8] Exec format error"),
        ("raise AttributeError('_ARRAY_API')", "AttributeError: _ARRAY_API"),
        ("raise ValueError", "ValueError: "),
        ("1 +", "SyntaxError: invalid syntax"),
    ],
)
def test_a_broken_package_is_one_line_with_the_way_out(code: str, said: str, package: Path) -> None:
    """Whatever it raises; a lack of room for its library is no lack of the network's memory."""
    package.write_text(code)
    with pytest.raises(MachineError) as caught:
        imported("some_runtime")
    message = str(caught.value)
    assert message.startswith(f"some_runtime is installed and cannot be imported ({said}")
    assert message.endswith(
        "; put that right, as with pip install --force-reinstall some_runtime, or name a .pt2 file"
    )
    assert "\n" not in message
