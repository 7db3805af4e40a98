"""The packages that write and run ONNX: absent is one thing, broken another."""

import importlib
import importlib.util
from typing import Any

from octprobe.errors import MachineError

WRITERS = ("onnx", "onnxscript")
RUNTIME = "onnxruntime"


def installed(package: str) -> bool:
    """Tell whether a package is there; it is not imported."""
    return importlib.util.find_spec(package) is not None


def imported(package: str) -> Any:
    """Import a package that is installed, and give it.

    Raises:
        MachineError: it cannot be imported, as where a library of the system's is missing.
    """
    try:
        return importlib.import_module(package)
    except Exception as error:  # whatever a broken package raises
        said = next(iter(str(error).splitlines()), "")
        raise MachineError(
            f"{package} is installed and cannot be imported ({type(error).__name__}: {said}); "
            f"put that right, as with pip install --force-reinstall {package}, or name a .pt2 file"
        ) from error
