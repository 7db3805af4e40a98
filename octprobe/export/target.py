"""Where an exported network goes: refused before any work is done, or written whole."""

import importlib.util
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from octprobe.errors import MachineError, UsageError

PT2, ONNX = ".pt2", ".onnx"
_ONNX_WRITERS = ("onnx", "onnxscript")


def check_target(target: Path, *, force: bool) -> None:
    """Refuse a file that could not be written.

    Args:
        target: where the network is to go.
        force: whether a file that is there may be replaced.

    Raises:
        UsageError: the suffix is not known, or something is in the way.
        MachineError: the packages that write ONNX are not installed.
    """
    if target.suffix not in {PT2, ONNX}:
        raise UsageError(f"{target}: its suffix must be {ONNX} or {PT2}, not {target.suffix!r}; name it so")
    fault = _place_fault(target, force=force)
    if fault:
        raise UsageError(f"{target}: {fault}")
    absent = [name for name in _ONNX_WRITERS if not installed(name)]
    if target.suffix == ONNX and absent:
        raise MachineError(
            f"{target}: ONNX is written with {' and '.join(absent)}; "
            f"pip install 'octprobe[onnx]', or name a {PT2} file"
        )


def installed(package: str) -> bool:
    """Tell whether a package can be imported; it is not."""
    return importlib.util.find_spec(package) is not None


@contextmanager
def appearing(target: Path) -> Iterator[Path]:
    """Give a path of the same name to write to; the file takes the target's place if nothing is raised.

    It lies in a folder of its own beside the target, so that whatever else a writer leaves goes with it.

    Raises:
        UsageError: the file cannot be written.
    """
    try:
        place = target.resolve()
        with tempfile.TemporaryDirectory(prefix=".octprobe-", dir=place.parent) as folder:
            file = Path(folder) / place.name
            yield file
            file.replace(place)
    except OSError as error:
        reason = error.strerror or error
        raise UsageError(f"{target}: cannot be written ({reason}); name another file") from error


def _place_fault(target: Path, *, force: bool) -> str | None:
    try:
        if not target.parent.is_dir():
            return f"there is no folder {target.parent}; make it first"
        if not target.exists():
            return None
        if not target.is_file():
            return "is a folder, a device or a pipe; name a regular file"
    except (OSError, ValueError) as error:  # too long a name; a null character
        return f"cannot be used ({getattr(error, 'strerror', None) or error}); name another file"
    return None if force else "exists; name another file, or pass --force to replace it"
