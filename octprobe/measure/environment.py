"""What the machine is, as far as a figure depends on it."""

import platform
from pathlib import Path

import torch

from octprobe.measure.ability import usable_processors
from octprobe.measure.device import Device
from octprobe.store.records import Environment

_GOVERNOR = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")


def read_environment(device: Device, default_threads: int) -> Environment:
    """Describe the machine and software that figures taken on the device hold for.

    Args:
        device: where calls run.
        default_threads: intra-op threads of points that ask for none.
    """
    on_cuda = device.kind == "cuda"
    cudnn = torch.backends.cudnn.version() if on_cuda else None  # type: ignore[no-untyped-call]  # as torch has it
    return Environment(
        device_kind=device.kind,
        device_name=torch.cuda.get_device_name(device.torch_device) if on_cuda else cpu_model(),
        driver=cuda_driver() if on_cuda else None,
        torch=str(torch.__version__),
        cuda=str(torch.version.cuda) if on_cuda else None,
        cudnn=str(cudnn) if cudnn else None,
        deterministic=torch.are_deterministic_algorithms_enabled(),
        cpu_model=cpu_model(),
        cpu_count=usable_processors(),
        default_threads=default_threads,
        governor=governor(),
        os=f"{platform.system()} {platform.release()}",
    )


def cpu_model(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """Give the processor's model as the kernel names it, or as Python does where there is no such file."""
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()


def governor(path: Path = _GOVERNOR) -> str | None:
    """Give the first processor's frequency governor; None where the machine does not show it."""
    try:
        return path.read_text().strip() or None
    except OSError:
        return None


def cuda_driver() -> str | None:
    """Give the NVIDIA driver's version through NVML; None where nvidia-ml-py is not installed."""
    try:
        import pynvml  # an extra: octprobe[nvml]
    except ImportError:
        return None
    try:
        pynvml.nvmlInit()
        version = pynvml.nvmlSystemGetDriverVersion()
    except pynvml.NVMLError:
        return None
    return version if isinstance(version, str) else version.decode()
