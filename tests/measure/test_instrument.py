"""The real instrument on the processor: small layers, every pass."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest
import torch
from torch import nn

from components import need
from engine_helpers import Flag
from octprobe.engine.protocol import GroupTask
from octprobe.measure import instrument as module
from octprobe.measure.execution import Runnable, make_runnable
from octprobe.measure.instrument import TorchInstrument
from octprobe.plan.point import Conditions, DesignPoint, LayerSubject, NetworkSubject
from octprobe.plan.spec import Measure
from octprobe.store.records import Status
from octprobe.workload import Workload

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


def under(point: DesignPoint, **changes: object) -> DesignPoint:
    """Give a point under other conditions."""
    return replace(point, conditions=replace(point.conditions, **changes))


@pytest.mark.parametrize("alpha", ["0", "0.5"])
def test_a_training_point_is_timed_and_accounted(alpha: str) -> None:
    """Gradients are on while blocks are timed, and the account counts the backward too."""
    point = under(layer(alpha), mode="train")
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
    timed(layer("0.5"), after_round=lambda _: seen.append(torch.is_inference_mode_enabled()) or True)
    assert set(seen) == {True}
    assert not torch.is_inference_mode_enabled()


def test_tf32_on_a_processor_is_skipped_with_the_reason() -> None:
    """There is no such number format here."""
    measurements, _ = timed(under(layer("0.5"), dtype="tf32"))
    assert {m.status for m in measurements.values()} == {Status.SKIPPED}
    assert {m.reason for m in measurements.values()} == {
        "dtype tf32 needs a CUDA device; this one is a processor"
    }


def test_tf32_on_an_old_gpu_is_skipped_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the device itself says decides."""
    monkeypatch.setattr(module, "unable", lambda *_: None)
    monkeypatch.setattr(module, "lacks_tf32", lambda *_: "dtype tf32 needs compute capability 8.0")
    measurements, _ = timed(under(layer("0.5"), dtype="tf32"))
    assert {m.reason for m in measurements.values()} == {"dtype tf32 needs compute capability 8.0"}


def test_an_account_tells_how_far_an_output_is_from_eager_float32() -> None:
    """In bfloat16 by some thousandths, and that is no fault."""
    account = TorchInstrument("cpu").account(under(layer("0.5"), dtype="bfloat16"), 1.0)
    assert (account.status, account.reason) == (Status.MEASURED, None)
    assert 1e-4 < account.output_error < 1e-2


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["infer", "train"])
def test_a_compiled_point_computes_what_eager_does(mode: str) -> None:
    """Inductor's code is within float32's rounding, and its compilation is part of the building."""
    need("compiler")
    account = TorchInstrument("cpu").account(under(layer("0.5"), execution="compiled", mode=mode), 1.0)
    assert (account.status, account.reason) == (Status.MEASURED, None)
    assert account.output_error < 1e-5
    assert account.seconds.build > account.seconds.check


def spoiled(change: Callable[[torch.Tensor], torch.Tensor]) -> Callable[..., Runnable]:
    """Give a `make_runnable` whose calls give something else than the module."""

    def make(*arguments: object) -> Runnable:
        runnable = make_runnable(*arguments)
        return replace(runnable, call=lambda: tuple(map(change, runnable.call())))

    return make


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        (lambda tensor: 2 * tensor, 1.0, "the output is 1 away from eager float32's"),
        (lambda tensor: tensor / 0, None, "the output has NaN or infinity where eager float32 has none"),
        (lambda tensor: tensor[:, :1], None, "the output's shapes are"),
    ],
    ids=["gross", "infinite", "shape"],
)
def test_a_wrong_output_fails_the_point_and_keeps_its_figures(
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[torch.Tensor], torch.Tensor],
    error: float | None,
    said: str,
) -> None:
    """The time of a wrong answer is worth nothing; what was read stays for whoever looks into it."""
    monkeypatch.setattr(module, "make_runnable", spoiled(change))
    account = TorchInstrument("cpu").account(layer("0.5"), 1.0)
    assert account.status is Status.FAILED
    assert (account.reason or "").startswith(said)
    assert account.output_error == (error if error is None else pytest.approx(error))
    assert None not in (account.cost, account.memory, account.breakdown)


@pytest.mark.parametrize("what", ["find_reference", "check_output"])
def test_a_check_that_cannot_be_made_fails_no_point(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """Such as a reference that does not fit where half precision does."""

    def broken(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(module, what, broken)
    account = TorchInstrument("cpu").account(layer("0.5"), 1.0)
    assert (account.status, account.output_error) == (Status.MEASURED, None)
    assert account.reason == "no output check: OutOfMemoryError: CUDA out of memory"
    assert None not in (account.cost, account.memory, account.breakdown)


def test_a_call_that_raises_is_told_once_for_each_figure_it_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is counted without it stays."""

    def broken(_: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("no such kernel")

    monkeypatch.setattr(module, "make_runnable", spoiled(broken))
    account = TorchInstrument("cpu").account(layer("0.5"), 1.0)
    assert account.cost is not None
    assert (account.memory, account.breakdown, account.output_error) == (None, None, None)
    assert account.reason == "; ".join(
        f"no {what}: RuntimeError: no such kernel" for what in ("first call", "memory", "device time")
    )


def test_an_account_says_how_long_each_pass_took() -> None:
    """Every pass but those of the timing worker."""
    seconds = TorchInstrument("cpu").account(layer("0.5"), 1.0).seconds
    passes = (seconds.build, seconds.cost, seconds.memory, seconds.breakdown, seconds.check)
    assert all(spent is not None and spent > 0 for spent in passes)
    assert (seconds.warm_up, seconds.latency) == (None, None)


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
    account = TorchInstrument("cpu").account(layer("0"), 1.0)
    assert (account.status, account.output_error) == (Status.MEASURED, 0.0)
    assert account.reason == (
        "the forward changes its input in place: times after the first call are of another input"
    )


def test_training_what_wants_no_gradient_is_skipped_with_the_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing failed: there is no such measurement."""
    having(nn.Conv2d(3, 4, 1).requires_grad_(False), monkeypatch)
    measurements, settled = timed(under(layer("0"), mode="train"))
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
