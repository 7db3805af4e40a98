"""Where an exported network goes: refused before any work is done, or written whole."""

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from octprobe.errors import MachineError, UsageError
from octprobe.export.packages import RUNTIME, WRITERS, imported, installed

PT2, ONNX = ".pt2", ".onnx"


def check_target(target: Path, *, force: bool) -> None:
    """Refuse a file that could not be written.

    Args:
        target: where the network is to go.
        force: whether a file that is there may be replaced.

    Raises:
        UsageError: the suffix is not known, something is in the way, or its folder takes no files.
        MachineError: the packages that write ONNX are not installed, or what is installed is broken.
    """
    if target.suffix not in {PT2, ONNX}:
        raise UsageError(f"{target}: its suffix must be {ONNX} or {PT2}, not {target.suffix!r}; name it so")
    fault = _place_fault(target, force=force)
    if fault:
        raise UsageError(f"{target}: {fault}")
    with _room_beside(target):
        pass
    if target.suffix == ONNX:
        _check_packages(target)


@contextmanager
def appearing(target: Path) -> Iterator[Path]:
    """Give a path of the same name to write to; the file takes the target's place if nothing is raised.

    Raises:
        UsageError: the file cannot be written.
    """
    with _room_beside(target) as folder:
        place = _place(target)
        file = folder / place.name
        yield file
        file.replace(place)


@contextmanager
def _room_beside(target: Path) -> Iterator[Path]:
    """Give a folder of its own beside the file, so that whatever else a writer leaves goes with it."""
    try:
        with tempfile.TemporaryDirectory(prefix=".octprobe-", dir=_place(target).parent) as folder:
            yield Path(folder)
    except OSError as error:
        reason = error.strerror or error
        raise UsageError(f"{target}: cannot be written ({reason}); name another file") from error


def _place(target: Path) -> Path:
    """Give where links lead to."""
    return Path(os.path.realpath(target))


def _place_fault(target: Path, *, force: bool) -> str | None:
    try:
        mode = target.stat().st_mode
    except FileNotFoundError:
        folder = _place(target).parent
        return None if folder.is_dir() else f"there is no folder {folder}; make it first"
    except (OSError, ValueError) as error:  # too long a name, links in a circle; a null character
        return f"cannot be used ({getattr(error, 'strerror', None) or error}); name another file"
    if not stat.S_ISREG(mode):
        return "is a folder, a device or a pipe; name a regular file"
    return None if force else "exists; name another file, or pass --force to replace it"


def _check_packages(target: Path) -> None:
    absent = [name for name in WRITERS if not installed(name)]
    if absent:
        raise MachineError(
            f"{target}: ONNX is written with {' and '.join(absent)}; "
            f"pip install 'octprobe[onnx]', or name a {PT2} file"
        )
    for name in (*WRITERS, RUNTIME):
        if installed(name):
            imported(name)
