"""Examining a machine: every way of running is looked at, and what cannot be done has its reason."""

from pathlib import Path
from types import SimpleNamespace
from typing import get_args

import pytest
import torch

from components import need
from fake_machine import FakeMachine
from octprobe.measure.device import CpuDevice, open_device
from octprobe.measure.examine import examine
from octprobe.measure.finding import Finding
from octprobe.measure.processor import Processors
from octprobe.plan.axes import Dtype, Execution, Mode


@pytest.fixture
def findings(tmp_path: Path) -> dict[str, Finding]:
    """Examine a processor without /proc and /sys; nothing waits."""
    processors = Processors(FakeMachine(tmp_path).root, [0, 1])
    return {finding.subject: finding for finding in examine(CpuDevice(), processors, lambda seconds: None)}


def test_every_way_of_running_is_looked_at(findings: dict[str, Finding]) -> None:
    """All that a sweep file can ask for."""
    asked = {f"dtype {name}" for name in get_args(Dtype)}
    asked |= {f"execution {name}" for name in get_args(Execution)}
    asked |= {f"mode {name}" for name in get_args(Mode)}
    assert asked <= set(findings)
    assert findings["mode train"].usable


def test_what_cannot_be_done_has_its_reason(findings: dict[str, Finding]) -> None:
    """A person who reads "no" wants to know why."""
    assert all(finding.reason for finding in findings.values() if finding.usable is False)
    assert findings["execution cudagraph"].usable is False


def test_a_processor_has_no_tf32(findings: dict[str, Finding]) -> None:
    """It is a format of NVIDIA's tensor cores, although float32 tensors carry it."""
    reason = "dtype tf32 needs a CUDA device; this one is a processor"
    assert findings["dtype tf32"] == Finding("dtype tf32", "no", usable=False, reason=reason)
    assert findings["dtype float32"] == Finding("dtype float32", "yes", usable=True)


def test_a_format_that_the_processor_imitates_is_slow_and_usable(
    findings: dict[str, Finding], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without instructions for it bfloat16 runs; with them nothing is said."""
    processors = Processors(tmp_path, [0])
    for flags, advice in (
        (frozenset(), "the processor has no instructions for it; expect it to be slow"),
        (frozenset({"avx512_bf16", "amx_fp16"}), None),
        (frozenset({"bf16", "asimdhp"}), None),
    ):
        monkeypatch.setattr("octprobe.measure.examine.cpu_flags", lambda flags=flags: flags)
        found = {finding.subject: finding for finding in examine(CpuDevice(), processors, lambda _: None)}
        for name in ("bfloat16", "float16"):
            assert found[f"dtype {name}"] == Finding(f"dtype {name}", "yes", usable=True, reason=advice)


def test_a_format_that_does_not_run_says_what_torch_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The first line of torch's own words."""

    def refuse(image: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("could not create a primitive\nException raised from ...")

    monkeypatch.setattr(torch.nn.functional, "conv2d", refuse)
    found = {f.subject: f for f in examine(CpuDevice(), Processors(tmp_path, [0]), lambda _: None)}
    assert found["dtype float32"] == Finding(
        "dtype float32", "no", usable=False, reason="could not create a primitive"
    )


@pytest.mark.parametrize(("seconds", "waited"), [(0.0, 0.2), (0.15, 0.05), (5.0, 0.0)])
def test_the_company_is_looked_at_for_a_fifth_of_a_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float, waited: float
) -> None:
    """The other looks' time counts; what they lack is waited for, and no more."""
    moments = iter([100.0, 100.0 + seconds])
    waits: list[float] = []

    def monotonic() -> float:
        return next(moments, 100.0 + seconds + waited)

    monkeypatch.setattr("octprobe.measure.examine.time", SimpleNamespace(monotonic=monotonic))
    list(examine(CpuDevice(), Processors(tmp_path, [0]), waits.append))
    assert waits == [pytest.approx(waited)]


@pytest.mark.gpu
def test_a_real_gpu_is_examined() -> None:
    """Its clock is told, or how to have it told."""
    need("cuda")
    found = {finding.subject: finding for finding in examine(open_device("cuda"), wait=lambda _: None)}
    assert found["execution cudagraph"].usable
    assert {"GPU clock", "GPU company"} <= set(found) or "NVML" in found
