"""What can be measured on this machine, what cannot, and why."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from octprobe.measure.ability import has_compiler
from octprobe.measure.device import Device
from octprobe.measure.environment import read_environment
from octprobe.measure.execution import DTYPES

_GOVERNOR = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
_PROC_STAT = Path("/proc/stat")


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        subject: what was looked at.
        state: what was found, in a few words.
        usable: whether it can be measured or relied on; None where it is plain information.
        reason: why not, or what to do about it.
    """

    subject: str
    state: str
    usable: bool | None = None
    reason: str | None = None


def examine(device: Device) -> Iterator[Finding]:
    """Look at the device, the software, the ways of running, and the clocks."""
    yield from _describe(device)
    yield from _executions(device)
    yield from (_number_format(name, device) for name in DTYPES)
    yield from _clocks(device)


def _describe(device: Device) -> Iterator[Finding]:
    environment = read_environment(device, torch.get_num_threads())
    yield Finding("device", f"{environment.device_kind}: {environment.device_name}", usable=True)
    yield _cuda_finding(device)
    yield Finding("processor", f"{environment.cpu_model}, {environment.cpu_count} usable")
    yield Finding("torch", environment.torch)
    yield Finding("threads", f"{torch.get_num_threads()} intra-op by default")
    yield Finding("env_id", environment.env_id, reason="rows are comparable where this agrees")


def _cuda_finding(device: Device) -> Finding:
    if device.kind == "cuda":
        environment = read_environment(device, torch.get_num_threads())
        state = (
            f"CUDA {environment.cuda}, cuDNN {environment.cudnn}, driver {environment.driver or 'unknown'}"
        )
        advice = None if environment.driver else "install octprobe[nvml] to record the driver"
        return Finding("CUDA", state, usable=True, reason=advice)
    if torch.version.cuda is None:
        return Finding("CUDA", "absent", usable=False, reason="this build of torch has no CUDA")
    return Finding("CUDA", "absent", usable=False, reason="torch sees no CUDA device or no driver for it")


def _executions(device: Device) -> Iterator[Finding]:
    yield Finding("execution eager", "yes", usable=True)
    if device.kind == "cuda" or has_compiler():
        yield Finding("execution compiled", "yes", usable=True)
    else:
        advice = "Inductor needs a C++ compiler: install g++"
        yield Finding("execution compiled", "no", usable=False, reason=advice)
    if device.kind == "cuda":
        yield Finding("execution cudagraph", "yes", usable=True)
    else:
        yield Finding("execution cudagraph", "no", usable=False, reason="needs a CUDA device")


def _number_format(name: str, device: Device) -> Finding:
    """Try the format on a small convolution: what runs can be measured, fast or slow."""
    dtype = DTYPES[name]
    image = torch.ones(1, 8, 8, 8, device=device.torch_device, dtype=dtype)
    weight = torch.ones(8, 8, 3, 3, device=device.torch_device, dtype=dtype)
    try:
        torch.nn.functional.conv2d(image, weight)
    except (RuntimeError, NotImplementedError) as error:
        return Finding(f"dtype {name}", "no", usable=False, reason=str(error).partition("\n")[0])
    native = device.kind == "cuda" or name == "float32" or name in _native_cpu_formats()
    advice = None if native else "the processor has no instructions for it; expect it to be slow"
    return Finding(f"dtype {name}", "yes", usable=True, reason=advice)


def _native_cpu_formats(cpuinfo: Path = Path("/proc/cpuinfo")) -> set[str]:
    """Give the 16-bit formats that the processor computes with, from the kernel's flags."""
    text = cpuinfo.read_text(errors="replace") if cpuinfo.is_file() else ""
    flags = set(next((line for line in text.splitlines() if line.startswith("flags")), "").split())
    words = {"float16": {"avx512_fp16", "amx_fp16"}, "bfloat16": {"avx512_bf16", "amx_bf16"}}
    return {name for name, needed in words.items() if flags & needed}


def _clocks(device: Device) -> Iterator[Finding]:
    if _GOVERNOR.is_file():
        governor = _GOVERNOR.read_text().strip()
        advice = None if governor == "performance" else "clocks may move while measuring"
        yield Finding(
            "processor clock", f"governor {governor}", usable=governor == "performance", reason=advice
        )
    else:
        advice = "the machine does not show its clocks, as virtual machines do; trust ratios over times"
        yield Finding("processor clock", "unknown", usable=False, reason=advice)
    load = os.getloadavg()[0]
    busy = load > 0.5
    advice = "other programs are running; close them before measuring" if busy else None
    yield Finding("company", f"load {load:.2f} over the last minute", usable=not busy, reason=advice)
    if not _PROC_STAT.is_file():
        yield Finding("foreign CPU time", "unknown", usable=False, reason="there is no /proc/stat")
