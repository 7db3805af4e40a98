"""What the machine is."""

from dataclasses import replace
from pathlib import Path

import torch

from fakes import ENVIRONMENT
from octprobe.measure.device import CpuDevice
from octprobe.measure.environment import cpu_model, read_environment


def test_a_processors_environment_has_no_cuda_fields() -> None:
    """A CUDA build of torch measuring a processor names no driver, CUDA or cuDNN."""
    environment = read_environment(CpuDevice(), 2)
    assert environment.torch == torch.__version__
    assert (environment.driver, environment.cuda, environment.cudnn, environment.deterministic) == (
        None,
        None,
        None,
        False,
    )
    assert environment.device_name == environment.cpu_model
    assert environment.cpu_count >= 1


def test_the_processors_model_is_the_kernels_word(tmp_path: Path) -> None:
    """The first `model name` counts; without the file Python's word does."""
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor\t: 0\nmodel name\t: AMD EPYC 7003\nmodel name\t: other\n")
    assert cpu_model(cpuinfo) == "AMD EPYC 7003"
    assert cpu_model(tmp_path / "absent")


def test_env_id_changes_with_what_figures_depend_on() -> None:
    """Another torch is another environment; the same values are the same one."""
    assert ENVIRONMENT.env_id == replace(ENVIRONMENT).env_id
    assert type(environment_torch := read_environment(CpuDevice(), 2).torch) is str, environment_torch
    assert ENVIRONMENT.env_id == replace(ENVIRONMENT, os="Linux 6.1.0-99").env_id
    for change in ({"torch": "2.9.1"}, {"cpu_count": 4}, {"default_threads": 1}, {"governor": "powersave"}):
        assert replace(ENVIRONMENT, **change).env_id != ENVIRONMENT.env_id
