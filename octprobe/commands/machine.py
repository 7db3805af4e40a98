"""What a command must know of this machine without loading torch into the parent."""

import json
import platform
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from octprobe.cache import Cache
from octprobe.networks import is_registered

if TYPE_CHECKING:
    import torch

# The NVIDIA kernel driver's own file; without it no CUDA device can be there on Linux.
_NVIDIA_DRIVER = Path("/proc/driver/nvidia/version")
_ASK_TORCH = "import torch; print(torch.cuda.is_available())"
_ASK_FACTORY = """
import json, sys
from octprobe.networks import network_fault
fault = network_fault(sys.argv[1], allow_import=True)
sys.stdout.write("\\n" + json.dumps(fault))
"""
# Importing torch and a large code base on a cold disk takes this long at most.
_FACTORY_TIMEOUT_SECONDS = 120


def device_kind(device: str) -> str:
    """Give the kind of device that a sweep's `device` means here: cpu or cuda.

    torch is asked in a process of its own, and only where there can be a CUDA device, so that the parent
    stays light and never touches CUDA.
    """
    if device != "auto":
        return device.partition(":")[0]
    if platform.system() == "Linux" and not _NVIDIA_DRIVER.exists():
        return "cpu"
    answer = subprocess.run([sys.executable, "-c", _ASK_TORCH], capture_output=True, text=True, check=False)
    return "cuda" if answer.stdout.strip() == "True" else "cpu"


def network_fault_of(*, allow_import: bool, cache: Cache | None = None) -> Callable[[str], str | None]:
    """Give a check of network names that loads timm only for a name it has not seen before."""
    known = cache or Cache("networks")

    def fault(name: str) -> str | None:
        if allow_import and not is_registered(name):
            return _factory_fault(name)
        question = {"name": name, "timm": _version("timm"), "torchvision": _version("torchvision")}
        if known.get(question) == "known":
            return None
        from octprobe.networks import network_fault  # imports timm, which takes seconds

        found = network_fault(name, allow_import=False)
        if found is None:
            known.put(question, "known")
        return found

    return fault


def _factory_fault(name: str) -> str | None:
    """Look a person's own factory up in a process of its own, which their code may take down."""
    command = [sys.executable, "-c", _ASK_FACTORY, name]
    try:
        answer = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=_FACTORY_TIMEOUT_SECONDS
        )
    except subprocess.TimeoutExpired:
        return f"network {name!r}: importing it took more than {_FACTORY_TIMEOUT_SECONDS} s"
    if answer.returncode:
        last_line = answer.stderr.strip().rpartition("\n")[2]
        return f"network {name!r}: importing it ended Python with exit code {answer.returncode}: {last_line}"
    fault: str | None = json.loads(answer.stdout.rpartition("\n")[2])
    return fault


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def torch_place(device: str) -> "tuple[torch.device, str]":
    """Open the device that a recipe names; give it as torch has it, with the environment's id.

    Raises:
        MachineError: this machine has no such device.
    """
    import torch

    from octprobe.measure.device import open_device
    from octprobe.measure.environment import read_environment

    opened = open_device(device)
    return opened.torch_device, read_environment(opened, torch.get_num_threads()).env_id
