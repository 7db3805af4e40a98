"""One point profiled on the processor: latency and breakdown of the same call."""

from decimal import Decimal

import pytest

from octprobe.cost.ledger import count_quickly
from octprobe.measure import profile as module
from octprobe.measure.device import CpuDevice
from octprobe.measure.profile import profile_point
from octprobe.plan.point import Conditions, DesignPoint, LayerSubject
from octprobe.plan.spec import Measure
from octprobe.store.records import Breakdown, Doubt

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
