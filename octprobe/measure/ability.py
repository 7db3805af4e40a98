"""What a machine cannot run, told from its parts alone; loads no torch, so that a plan can ask."""

import os
import shlex
import shutil
import sys

from octprobe.measure.processor import usable_numbers
from octprobe.plan.point import Conditions

# What compiles for Inductor, by kind of device: its own C++ on a processor, Triton's launcher in C on CUDA;
# the variable that names another compiler, and those that are looked for without it (torch 2.14,
# torch/_inductor/config.py; triton/runtime/build.py).
_COMPILERS = {
    "cpu": ("C++ compiler for Inductor", "CXX", ("clang++",) if sys.platform == "darwin" else ("g++",)),
    "cuda": ("C compiler for Triton", "CC", ("gcc", "clang")),
}


def unable(conditions: Conditions, device_kind: str) -> str | None:
    """Say why this machine cannot run a point under its conditions; None where it can."""
    if conditions.execution == "cudagraph" and device_kind != "cuda":
        return "execution cudagraph needs a CUDA device; this one is a processor"
    if conditions.dtype == "tf32" and device_kind != "cuda":
        return "dtype tf32 needs a CUDA device; this one is a processor"
    if conditions.execution == "compiled" and not has_compiler(device_kind):
        what, variable, names = _COMPILERS[device_kind]
        advice = f"install {' or '.join(names)}, or name another in {variable}"
        return f"execution compiled needs a {what}; {advice}"
    if conditions.threads is not None and conditions.threads > usable_processors():
        return f"threads is {conditions.threads}; {usable_processors()} processors may be used here"
    return None


def has_compiler(device_kind: str) -> bool:
    """Tell whether torch.compile finds the compiler that it needs for a kind of device."""
    _, variable, names = _COMPILERS[device_kind]
    named = shlex.split(os.environ.get(variable, ""))
    return any(shutil.which(name) for name in (named[:1] or names))


def usable_processors() -> int:
    """Count the processors that this process may use."""
    return len(usable_numbers())
