"""What can be measured on this machine, what cannot, and why."""

import time
from collections.abc import Callable, Iterator
from typing import get_args

import torch

from octprobe.measure.ability import unable
from octprobe.measure.device import Device
from octprobe.measure.environment import read_environment
from octprobe.measure.execution import DTYPES, lacks_tf32
from octprobe.measure.finding import Finding
from octprobe.measure.lookout import ProcessorLookout, gpu_of
from octprobe.measure.processor import Processors, cpu_flags
from octprobe.measure.vitals import clock_findings, company_findings, gpu_findings
from octprobe.plan.axes import Dtype, Execution, Mode
from octprobe.plan.point import Conditions
from octprobe.store.records import Environment

# Twenty of the kernel's ticks, so that one of them is no more than the share that counts as company.
_WINDOW_SECONDS = 0.2
# A processor computes with a format if it has one of these: x86's, then Arm's (cpuinfo's flags and features).
_NATIVE_FLAGS = {
    "float16": {"avx512_fp16", "amx_fp16", "asimdhp"},
    "bfloat16": {"avx512_bf16", "amx_bf16", "bf16"},
}


def examine(
    device: Device, processors: Processors | None = None, wait: Callable[[float], None] = time.sleep
) -> Iterator[Finding]:
    """Look at the device, the software, the ways of running, the clocks and the company.

    Args:
        device: where calls would run.
        processors: what is read of the processors.
        wait: passes so many seconds, where the other looks took too few for a look at the company.
    """
    processors = processors or Processors()
    lookout = ProcessorLookout(processors)
    start = time.monotonic()
    yield from _describe(device)
    yield from _ways(device)
    yield from (_number_format(name, device) for name in get_args(Dtype))
    yield from clock_findings(processors)
    if device.kind == "cuda":
        yield from gpu_findings(gpu_of(device))
    wait(max(0.0, start + _WINDOW_SECONDS - time.monotonic()))
    yield from company_findings(lookout.read(), time.monotonic() - start, processors.count)


def _describe(device: Device) -> Iterator[Finding]:
    environment = read_environment(device, torch.get_num_threads())
    yield Finding("device", f"{environment.device_kind}: {environment.device_name}", usable=True)
    yield _cuda_finding(environment)
    yield Finding("processor", f"{environment.cpu_model}, {environment.cpu_count} usable")
    yield Finding("torch", environment.torch)
    yield Finding("threads", f"{environment.default_threads} intra-op by default")
    yield Finding("env_id", environment.env_id, reason="rows are comparable where this agrees")


def _cuda_finding(environment: Environment) -> Finding:
    if environment.device_kind == "cuda":
        driver = environment.driver or "unknown"
        state = f"CUDA {environment.cuda}, cuDNN {environment.cudnn}, driver {driver}"
        return Finding("CUDA", state, usable=True)
    if torch.version.cuda is None:
        return Finding.judged("CUDA", "absent", "this build of torch has no CUDA")
    return Finding.judged("CUDA", "absent", "torch sees no CUDA device or no driver for it")


def _ways(device: Device) -> Iterator[Finding]:
    for name in get_args(Execution):
        yield _able(f"execution {name}", unable(Conditions(execution=name), device.kind))
    for name in get_args(Mode):
        yield _able(f"mode {name}", unable(Conditions(mode=name), device.kind))


def _able(subject: str, refusal: str | None) -> Finding:
    return Finding.judged(subject, "no" if refusal else "yes", refusal)


def _number_format(name: str, device: Device) -> Finding:
    """Tell whether a format runs; a processor that must imitate it can be measured all the same."""
    asked = Conditions(dtype=name)
    refusal = unable(asked, device.kind) or lacks_tf32(asked, device) or _refusal(DTYPES[name], device)
    is_imitated = device.kind == "cpu" and name in _NATIVE_FLAGS and not _NATIVE_FLAGS[name] & cpu_flags()
    if refusal is None and is_imitated:
        advice = "the processor has no instructions for it; expect it to be slow"
        return Finding(f"dtype {name}", "yes", usable=True, reason=advice)
    return _able(f"dtype {name}", refusal)


def _refusal(dtype: torch.dtype, device: Device) -> str | None:
    """Try the format on a small convolution: what runs can be measured, fast or slow."""
    image = torch.ones(1, 8, 8, 8, device=device.torch_device, dtype=dtype)
    weight = torch.ones(8, 8, 3, 3, device=device.torch_device, dtype=dtype)
    try:
        torch.nn.functional.conv2d(image, weight)
    except (RuntimeError, NotImplementedError) as error:
        return str(error).partition("\n")[0]
    return None
