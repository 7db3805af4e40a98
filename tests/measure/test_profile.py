"""One point profiled on the processor: latency and breakdown of the same call."""

from decimal import Decimal

import pytest
import torch
from torch import Tensor, nn

from octprobe.cost.ledger import count_quickly
from octprobe.errors import MachineError, UsageError
from octprobe.measure import profile as module
from octprobe.measure.device import CpuDevice
from octprobe.measure.profile import profile_point
from octprobe.plan.point import Conditions, DesignPoint, LayerSubject
from octprobe.plan.spec import Measure
from octprobe.store.records import Breakdown, Doubt, PathMacs
from octprobe.workload import Workload

QUICK = Measure(relative_ci=0.5, min_seconds=0, max_seconds=0.05)
POINT = DesignPoint(
    subject=LayerSubject(
        in_channels=8, out_channels=8, kernel_size=3, stride=1, padding=1, dilation=1, groups=1,
        alpha_in=Decimal("0.5"), alpha_out=Decimal("0.5"),
    ),
    conditions=Conditions(batch=2, resolution=8),
)  # fmt: skip


def test_a_profile_has_latency_breakdown_and_macs() -> None:
    """MACs are the ledger's for the same point, an item; times are of the machine that is named."""
    found = profile_point(POINT, CpuDevice(), QUICK, calls=3)
    assert found.path_macs == count_quickly(POINT, allow_import=False).path_macs
    assert len(found.latency.samples_ms) > 0
    assert {part.path for part in found.breakdown.parts or ()} >= {"h2h", "h2l", "l2h", "l2l"}
    assert found.profiled_calls == 3
    assert found.environment.device_kind == "cpu"


def test_the_first_call_is_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """MACs are counted after the last figure, as a call before the first would warm the network up."""
    events: list[str] = []
    layer = nn.Conv2d(3, 4, 3).eval()
    layer.register_forward_hook(lambda *_: events.append("call"))
    count = module._path_macs
    monkeypatch.setattr(module, "build_workload", lambda *_, **__: Workload(layer, torch.ones(1, 3, 8, 8)))
    monkeypatch.setattr(module, "_path_macs", lambda *a: (events.append("count"), count(*a))[1])
    found = profile_point(POINT, CpuDevice(), QUICK, calls=1)
    assert events.index("count") == len(events) - 2
    assert found.path_macs == PathMacs(plain=4 * 3 * 9 * 36)


@pytest.mark.filterwarnings("ignore:.*torch.jit:FutureWarning")
def test_torchscript_has_no_macs_by_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its layers are not seen: None, never 0; latency and operators are there."""
    scripted = torch.jit.script(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()).eval())
    monkeypatch.setattr(module, "build_workload", lambda *_, **__: Workload(scripted, torch.ones(1, 3, 8, 8)))
    found = profile_point(POINT, CpuDevice(), QUICK, calls=1)
    assert found.path_macs is None
    assert found.latency.samples_ms
    assert found.breakdown.operators


@pytest.mark.parametrize(
    ("raised", "expected", "words"),
    [
        (ValueError("too small\nfor me"), UsageError, "first call fails: ValueError: too small; mend"),
        (MachineError("no GPU"), MachineError, "no GPU"),
        (RuntimeError("CUDA out of memory"), RuntimeError, "CUDA out of memory"),
    ],
)
def test_what_a_network_raises_is_told_apart(
    raised: Exception, expected: type[Exception], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own faults are one line that keeps the cause; want of memory and octprobe's errors pass through."""

    class Failing(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            raise raised

    monkeypatch.setattr(
        module, "build_workload", lambda *_, **__: Workload(Failing(), torch.ones(1, 3, 8, 8))
    )
    with pytest.raises(expected, match=words) as failed:
        profile_point(POINT, CpuDevice(), QUICK, calls=1)
    assert raised in (failed.value, failed.value.__cause__)


def test_no_doubt_is_told_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Company may be seen while the latency is timed and in the session."""
    nothing = Breakdown(device_time_ms=None, kernels=None, host_bound=None)
    twice = (Doubt.CONTAMINATED, Doubt.CONTAMINATED)
    monkeypatch.setattr(module, "measure_breakdown", lambda *_, **__: (nothing, twice))
    assert profile_point(POINT, CpuDevice(), QUICK, calls=1).doubts.count(Doubt.CONTAMINATED) == 1


def test_the_profiler_comes_after_the_latency(monkeypatch: pytest.MonkeyPatch) -> None:
    """A profiled process is slower; and the median of the samples is what waiting is told by."""
    seen: list[object] = []

    def fake(*arguments: object, **options: object) -> tuple[Breakdown, tuple[Doubt, ...]]:
        seen.append((arguments[3], options))
        return Breakdown(device_time_ms=None, kernels=None, host_bound=None), (Doubt.PROFILER_EMPTY,)

    monkeypatch.setattr(module, "measure_breakdown", fake)
    found = profile_point(POINT, CpuDevice(), QUICK, calls=7)
    assert Doubt.PROFILER_EMPTY in found.doubts
    assert seen == [(module.median(found.latency.samples_ms), {"calls": 7, "trace_path": None})]
