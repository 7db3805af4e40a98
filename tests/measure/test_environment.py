"""What the machine is."""

from dataclasses import replace

import pytest
import torch

from fakes import ENVIRONMENT
from octprobe.measure import environment as module
from octprobe.measure.device import CpuDevice
from octprobe.measure.environment import read_environment
from octprobe.measure.processor import cpu_model


class _CudaDevice(CpuDevice):
    """What is asked of a CUDA device."""

    kind = "cuda"

    def __init__(self) -> None:
        super().__init__()
        self.torch_device = torch.device("cuda", 0)


def test_a_processors_environment_has_no_cuda_fields() -> None:
    """A CUDA build of torch measuring a processor names no driver, CUDA or cuDNN."""
    environment = read_environment(CpuDevice(), 2)
    assert environment.torch == torch.__version__
    assert type(environment.torch) is str  # torch's own class would not be read back
    assert (environment.driver, environment.cuda, environment.cudnn, environment.deterministic) == (
        None,
        None,
        None,
        False,
    )
    assert environment.device_name == environment.cpu_model == cpu_model()
    assert environment.default_threads == 2
    assert environment.cpu_count >= 1


def test_a_gpus_environment_names_its_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    """The device is the GPU, the processor stays named beside it."""
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"GPU 3000 as {device}")
    monkeypatch.setattr(torch.backends.cudnn, "version", lambda: 92400)
    monkeypatch.setattr(module, "driver_version", lambda: "580.95.05")
    environment = read_environment(_CudaDevice(), 4)
    assert (environment.device_kind, environment.device_name) == ("cuda", "GPU 3000 as cuda:0")
    assert (environment.driver, environment.cudnn) == ("580.95.05", "92400")
    assert environment.cpu_model == cpu_model()


def test_a_gpu_without_cudnn_or_a_known_driver_says_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Absent is None, not the word."""
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "GPU")
    monkeypatch.setattr(torch.backends.cudnn, "version", lambda: None)
    monkeypatch.setattr(module, "driver_version", lambda: None)
    environment = read_environment(_CudaDevice(), 4)
    assert (environment.driver, environment.cudnn) == (None, None)


def test_env_id_changes_with_what_figures_depend_on() -> None:
    """Another torch is another environment; another release of the kernel is not."""
    assert ENVIRONMENT.env_id == replace(ENVIRONMENT).env_id
    assert ENVIRONMENT.env_id == replace(ENVIRONMENT, os="Linux 6.1.0-99").env_id
    for change in (
        {"torch": "2.9.1"},
        {"cpu_count": 4},
        {"default_threads": 1},
        {"governor": "powersave"},
        {"driver": "580.95.05"},
        {"deterministic": True},
    ):
        assert replace(ENVIRONMENT, **change).env_id != ENVIRONMENT.env_id
