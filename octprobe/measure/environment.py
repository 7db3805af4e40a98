"""What the machine is, as far as a figure depends on it."""

import platform

import torch

from octprobe.measure.ability import usable_processors
from octprobe.measure.device import Device
from octprobe.measure.nvml import driver_version
from octprobe.measure.processor import Processors, cpu_model
from octprobe.store.records import Environment


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
        driver=driver_version() if on_cuda else None,
        torch=str(torch.__version__),
        cuda=str(torch.version.cuda) if on_cuda else None,
        cudnn=str(cudnn) if cudnn else None,
        deterministic=torch.are_deterministic_algorithms_enabled(),
        cpu_model=cpu_model(),
        cpu_count=usable_processors(),
        default_threads=default_threads,
        governor=Processors().governor(),
        os=f"{platform.system()} {platform.release()}",
    )
