"""What a machine cannot run, told from its parts alone; loads no torch, so that a plan can ask."""

import os
import shutil

from octprobe.plan.point import Conditions

_COMPILERS = ("c++", "g++", "clang++")


def unable(conditions: Conditions, device_kind: str) -> str | None:
    """Say why this machine cannot run a point under its conditions; None where it can."""
    if conditions.execution == "cudagraph" and device_kind != "cuda":
        return "execution cudagraph needs a CUDA device; this one is a processor"
    if conditions.dtype == "tf32" and device_kind != "cuda":
        return "dtype tf32 needs a CUDA device; this one is a processor"
    if conditions.execution == "compiled" and device_kind == "cpu" and not has_compiler():
        return "execution compiled needs a C++ compiler for Inductor; none of c++, g++, clang++ is installed"
    if conditions.threads is not None and conditions.threads > usable_processors():
        return f"threads is {conditions.threads}; {usable_processors()} processors may be used here"
    return None


def has_compiler() -> bool:
    """Tell whether Inductor finds a C++ compiler."""
    named = os.environ.get("CXX")
    return any(shutil.which(name) for name in ((named,) if named else _COMPILERS))


def usable_processors() -> int:
    """Count the processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
