"""The real instrument on the processor: small layers, every pass."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest
import torch
from torch import nn

from engine_helpers import Flag
from fakes_store import small_layer
from octprobe.engine.protocol import GroupTask
from octprobe.measure import instrument as module
from octprobe.measure.instrument import TorchInstrument
from octprobe.plan.point import Conditions, DesignPoint, NetworkSubject
from octprobe.plan.spec import Measure
from octprobe.store.records import Status
from octprobe.workload import Workload

SETTINGS = Measure(relative_ci=0.5, min_seconds=0, max_seconds=1)


def timed(
    *points: DesignPoint, after_round: Callable[[int], bool] = lambda _: True
) -> tuple[dict[str, object], frozenset[str]]:
    """Time points with the anchor of the first."""
    task = GroupTask(points[0].anchor(), points, SETTINGS)
    return TorchInstrument("cpu").time_group(task, lambda _: None, after_round)


def test_a_group_is_timed_with_its_anchor() -> None:
    """Two subjects, each with samples; the octave one with a ratio a pair."""
    measurements, settled = timed(small_layer("0.5"))
    octave, vanilla = (measurements[p.point_id] for p in (small_layer("0.5"), small_layer("0")))
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
    measurements, _ = timed(small_layer("0.5", padding=0))
    octave = measurements[small_layer("0.5", padding=0).point_id]
    assert octave.status is Status.SKIPPED
    assert "padding" in (octave.reason or "")
    assert measurements[small_layer("0", padding=0).point_id].status is Status.MEASURED


def test_a_convolution_larger_than_its_input_is_skipped() -> None:
    """Nothing can run, so there is no row to fail."""
    measurements, settled = timed(small_layer("0", kernel_size=11, padding=0))
    (measurement,) = measurements.values()
    assert measurement.status is Status.SKIPPED
    assert "no such convolution exists" in (measurement.reason or "")
    assert settled == frozenset()


def test_what_the_machine_cannot_do_is_skipped_with_the_reason() -> None:
    """CUDA graphs on a processor."""
    point = replace(small_layer("0.5"), conditions=Conditions(resolution=8, execution="cudagraph"))
    measurements, _ = timed(point)
    assert {m.status for m in measurements.values()} == {Status.SKIPPED}


def under(point: DesignPoint, **changes: object) -> DesignPoint:
    """Give a point under other conditions."""
    return replace(point, conditions=replace(point.conditions, **changes))


@pytest.mark.parametrize("alpha", ["0", "0.5"])
def test_a_training_point_is_timed_and_accounted(alpha: str) -> None:
    """Gradients are on while blocks are timed, and the account counts the backward too."""
    point = under(small_layer(alpha), mode="train")
    seen: list[bool] = []
    measurements, settled = timed(point, after_round=lambda _: seen.append(torch.is_grad_enabled()) or True)
    assert settled == set(measurements)
    assert {m.status for m in measurements.values()} == {Status.MEASURED}
    assert set(seen) == {True}
    account = TorchInstrument("cpu").account(point, 1.0)
    assert (account.status, account.reason, account.output_error) == (Status.MEASURED, None, 0.0)
    assert account.cost.macs_executed == 3 * account.cost.macs
    assert account.memory.peak_allocator_bytes > 4 * 8 * 8 * 9
    assert account.breakdown.device_time_ms is not None


def test_inference_is_timed_without_gradients() -> None:
    """As a served network runs."""
    seen: list[bool] = []
    timed(small_layer("0.5"), after_round=lambda _: seen.append(torch.is_inference_mode_enabled()) or True)
    assert set(seen) == {True}
    assert not torch.is_inference_mode_enabled()


def test_tf32_on_a_processor_is_skipped_with_the_reason() -> None:
    """There is no such number format here."""
    measurements, _ = timed(under(small_layer("0.5"), dtype="tf32"))
    assert {m.status for m in measurements.values()} == {Status.SKIPPED}
    assert {m.reason for m in measurements.values()} == {
        "dtype tf32 needs a CUDA device; this one is a processor"
    }


def test_tf32_on_an_old_gpu_is_skipped_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the device itself says decides."""
    monkeypatch.setattr(module, "unable", lambda *_: None)
    monkeypatch.setattr(module, "lacks_tf32", lambda *_: "dtype tf32 needs compute capability 8.0")
    measurements, _ = timed(under(small_layer("0.5"), dtype="tf32"))
    assert {m.reason for m in measurements.values()} == {"dtype tf32 needs compute capability 8.0"}


def test_threads_are_set_for_a_point_and_given_back() -> None:
    """A point that asks for one thread does not leave the next with one."""
    before = torch.get_num_threads()
    instrument = TorchInstrument("cpu")
    seen: list[int] = []
    point = replace(small_layer("0.5"), conditions=Conditions(resolution=8, threads=1))
    task = GroupTask(point.anchor(), (point,), SETTINGS)
    instrument.time_group(task, lambda _: seen.append(torch.get_num_threads()), lambda _: True)
    assert set(seen) == {1}
    instrument.account(small_layer("0"), None)
    assert torch.get_num_threads() == before


def test_a_stop_leaves_subjects_unsettled() -> None:
    """After the round in hand nothing is called settled that is not."""
    _, settled = timed(small_layer("0.5"), after_round=lambda _: not Flag(after_looks=0).is_set())
    assert settled == frozenset()


def having(model: nn.Module, monkeypatch: pytest.MonkeyPatch) -> None:
    """Build this network in place of any point's, in the point's mode."""

    def build(point: DesignPoint, **_: object) -> Workload:
        return Workload(model.train(point.conditions.mode == "train"), torch.randn(1, 3, 8, 8))

    monkeypatch.setattr(module, "build_workload", build)


class Scaling(nn.Conv2d):
    """Writes to its input before it convolves."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x.mul_(0.5))


def test_a_network_that_writes_to_its_input_is_measured_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its output is right: each run of the check had an input of its own."""
    having(Scaling(3, 4, 1), monkeypatch)
    account = TorchInstrument("cpu").account(small_layer("0"), 1.0)
    assert (account.status, account.output_error) == (Status.MEASURED, 0.0)
    assert account.reason == (
        "the forward changes its input in place: times after the first call are of another input"
    )


def test_training_what_wants_no_gradient_is_skipped_with_the_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing failed: there is no such measurement."""
    having(nn.Conv2d(3, 4, 1).requires_grad_(False), monkeypatch)
    measurements, settled = timed(under(small_layer("0"), mode="train"))
    (measurement,) = measurements.values()
    assert measurement.status is Status.SKIPPED
    assert (measurement.reason or "").startswith("train needs an output that depends on a parameter")
    assert settled == frozenset()


def test_a_want_of_memory_while_building_is_no_skipped_point(monkeypatch: pytest.MonkeyPatch) -> None:
    """A later run, alone on the machine, may have the room."""

    def copied(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(nn.Module, "__deepcopy__", copied, raising=False)
    subject = NetworkSubject(network="resnet18", alpha=Decimal("0.5"))
    point = DesignPoint(subject=subject, conditions=Conditions(resolution=32))
    measurements, _ = timed(point)
    assert measurements[point.point_id].status is Status.OUT_OF_MEMORY
