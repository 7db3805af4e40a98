"""The real instrument on the processor: small layers, every pass."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest
import torch

from engine_helpers import Flag
from octprobe.engine.protocol import GroupTask
from octprobe.measure import instrument as module
from octprobe.measure.instrument import TorchInstrument
from octprobe.plan.point import Conditions, DesignPoint, LayerSubject, NetworkSubject
from octprobe.plan.spec import Measure
from octprobe.store.records import Status

SETTINGS = Measure(relative_ci=0.5, min_seconds=0, max_seconds=1)


def layer(alpha: str, **changes: object) -> DesignPoint:
    """Give a small layer's point."""
    fields = {
        "in_channels": 8,
        "out_channels": 8,
        "kernel_size": 3,
        "stride": 1,
        "padding": 1,
        "dilation": 1,
        "groups": 1,
        "alpha_in": Decimal(alpha),
        "alpha_out": Decimal(alpha),
    }
    return DesignPoint(subject=LayerSubject(**(fields | changes)), conditions=Conditions(resolution=8))


def timed(
    *points: DesignPoint, after_round: Callable[[int], bool] = lambda _: True
) -> tuple[dict[str, object], frozenset[str]]:
    """Time points with the anchor of the first."""
    task = GroupTask(points[0].anchor(), points, SETTINGS)
    return TorchInstrument("cpu").time_group(task, lambda _: None, after_round)


def test_a_group_is_timed_with_its_anchor() -> None:
    """Two subjects, each with samples; the octave one with a ratio a pair."""
    measurements, settled = timed(layer("0.5"))
    octave, vanilla = (measurements[p.point_id] for p in (layer("0.5"), layer("0")))
    assert {octave.status, vanilla.status} == {Status.MEASURED}
    assert len(octave.latency.pair_ratios) == len(octave.latency.samples_ms) >= 30
    assert settled == set(measurements)


def test_a_network_is_timed_and_accounted() -> None:
    """ResNet-18 at 32 pixels: every pass, and the octave point's MACs below its anchor's."""
    subject = NetworkSubject(network="resnet18", alpha=Decimal("0.5"))
    point = DesignPoint(subject=subject, conditions=Conditions(resolution=32, memory_format="channels_last"))
    measurements, settled = timed(point)
    assert {m.status for m in measurements.values()} == {Status.MEASURED}, measurements
    assert settled == {point.point_id, point.anchor().point_id}
    octave, vanilla = (TorchInstrument("cpu").account(p, 1.0) for p in (point, point.anchor()))
    assert (octave.reason, vanilla.reason) == (None, None)
    assert octave.cost.macs < vanilla.cost.macs


def test_a_layer_without_octave_form_is_skipped_with_the_rule() -> None:
    """A valid padding changes the size, so its alpha cannot be measured; its anchor can."""
    measurements, _ = timed(layer("0.5", padding=0))
    octave = measurements[layer("0.5", padding=0).point_id]
    assert octave.status is Status.SKIPPED
    assert "padding" in (octave.reason or "")
    assert measurements[layer("0", padding=0).point_id].status is Status.MEASURED


def test_a_convolution_larger_than_its_input_is_skipped() -> None:
    """Nothing can run, so there is no row to fail."""
    measurements, settled = timed(layer("0", kernel_size=11, padding=0))
    (measurement,) = measurements.values()
    assert measurement.status is Status.SKIPPED
    assert "no such convolution exists" in (measurement.reason or "")
    assert settled == frozenset()


def test_what_the_machine_cannot_do_is_skipped_with_the_reason() -> None:
    """CUDA graphs on a processor."""
    point = replace(layer("0.5"), conditions=Conditions(resolution=8, execution="cudagraph"))
    measurements, _ = timed(point)
    assert {m.status for m in measurements.values()} == {Status.SKIPPED}


def test_an_account_has_cost_memory_and_device_time() -> None:
    """All three figures, no reason and no doubt."""
    account = TorchInstrument("cpu").account(layer("0.5"), 1.0)
    assert account.cost is not None
    assert account.cost.macs == 4 * 4 * 9 * (64 + 3 * 16)
    assert account.memory is not None
    assert account.memory.peak_allocator_bytes is not None
    assert account.breakdown is not None
    assert account.breakdown.device_time_ms is not None
    assert (account.reason, account.doubts) == (None, ())


@pytest.mark.parametrize("what", ["measure_memory", "measure_breakdown"])
def test_one_failing_pass_costs_its_own_figure_only(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """The row keeps what the other passes gave, and says what is missing."""

    def broken(*_: object) -> None:
        raise RuntimeError("the profiler is broken")

    monkeypatch.setattr(module, what, broken)
    account = TorchInstrument("cpu").account(layer("0.5"), 1.0)
    assert account.cost is not None
    assert (account.memory is None) == (what == "measure_memory")
    assert (account.breakdown is None) == (what == "measure_breakdown")
    assert "the profiler is broken" in (account.reason or "")


def test_threads_are_set_for_a_point_and_given_back() -> None:
    """A point that asks for one thread does not leave the next with one."""
    before = torch.get_num_threads()
    instrument = TorchInstrument("cpu")
    seen: list[int] = []
    point = replace(layer("0.5"), conditions=Conditions(resolution=8, threads=1))
    task = GroupTask(point.anchor(), (point,), SETTINGS)
    instrument.time_group(task, lambda _: seen.append(torch.get_num_threads()), lambda _: True)
    assert set(seen) == {1}
    instrument.account(layer("0"), None)
    assert torch.get_num_threads() == before


def test_a_stop_leaves_subjects_unsettled() -> None:
    """After the round in hand nothing is called settled that is not."""
    _, settled = timed(layer("0.5"), after_round=lambda _: not Flag(after_looks=0).is_set())
    assert settled == frozenset()
