"""The path of a CUDA device through the measuring, on a fake of torch.cuda: exact times, no hardware."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median

import pytest
import torch
from torch import nn

from fake_cuda import FakeCuda
from fake_device import FakeCudaDevice, FakeNetwork, OnFakeCuda
from fakes_store import small_layer
from octprobe.engine.protocol import GroupTask
from octprobe.measure import execution
from octprobe.measure import instrument as module
from octprobe.measure.instrument import TorchInstrument
from octprobe.measure.latency import GroupTimer
from octprobe.plan.point import DesignPoint
from octprobe.plan.spec import Measure
from octprobe.store.records import Doubt, Latency, Measurement, Status
from octprobe.workload import build_workload

SETTINGS = Measure(relative_ci=0.01, min_seconds=0.1, max_seconds=5.0, rounds=3, seed=7)
OCTAVE = small_layer()
VANILLA = OCTAVE.anchor()
# Milliseconds of host and device for each kernel of a real module on the fake.
HOST_MS, DEVICE_MS = 1.0, 0.25


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep counts made under the fake's dispatch mode, which fvcore cannot see through, from other tests."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def latencies(cuda: FakeCuda, **kernels_us: Sequence[tuple[float, float]]) -> dict[str, Latency]:
    """Time calls of these kernels side by side on the fake device; `v` is the anchor."""
    timer = GroupTimer(FakeCudaDevice(cuda), SETTINGS, "v")
    for name, kernels in kernels_us.items():
        timer.add(name, FakeNetwork(cuda, kernels))
    return dict(timer.run(lambda _: True).latencies)


def timed(monkeypatch: pytest.MonkeyPatch, cuda: FakeCuda, *points: DesignPoint) -> dict[str, Measurement]:
    """Time points' real modules with the whole instrument, on the fake device."""
    monkeypatch.setattr(module, "open_device", lambda _: FakeCudaDevice(cuda))
    monkeypatch.setattr(execution, "capture", partial(execution.capture, cuda=cuda))
    task = GroupTask(points[0].anchor(), points, SETTINGS)
    with OnFakeCuda(cuda, host_us=HOST_MS * 1e3, device_us=DEVICE_MS * 1e3):
        measurements, _ = TorchInstrument("cuda").time_group(task, lambda _: None, lambda _: True)
    return dict(measurements)


def kernels_of(point: DesignPoint) -> int:
    """Count the operators of one forward, apart from the instrument."""
    cuda, workload = FakeCuda(), build_workload(point)
    with torch.inference_mode():
        workload.module(workload.example)
        with OnFakeCuda(cuda, host_us=0, device_us=0):
            workload.module(workload.example)
    return cuda.kernels


def test_more_kernels_that_do_less_are_slower_where_launches_bind() -> None:
    """Thrice the launches and 1.2 times the work: 3,002 us against 1,005, each sample and each pair."""
    timed = latencies(FakeCuda(), v=[(10, 5)] * 100, a=[(10, 2)] * 300)
    assert median(timed["v"].samples_ms) == pytest.approx(1.005, rel=1e-9)
    assert median(timed["a"].samples_ms) == pytest.approx(3.002, rel=1e-9)
    assert timed["a"].pair_ratios == pytest.approx([3.002 / 1.005] * 30, rel=1e-9)
    assert (timed["v"].calls_per_sample, timed["a"].calls_per_sample) == (10, 3)


def test_more_kernels_that_do_less_are_faster_where_the_device_binds() -> None:
    """One and a half times the launches and .9 of the work: 4,502 us against 5,002."""
    timed = latencies(FakeCuda(), v=[(2, 50)] * 100, a=[(2, 30)] * 150)
    assert timed["a"].pair_ratios == pytest.approx([4.502 / 5.002] * 30, rel=1e-9)


def test_a_group_has_exact_periods_beside_its_latencies() -> None:
    """Back to back the host or the device sets the pace: 1,000, 3,000 and 5,000 us."""
    timed = latencies(FakeCuda(), v=[(10, 5)] * 100, a=[(10, 2)] * 300, b=[(2, 50)] * 100)
    for name, period_ms in {"v": 1.0, "a": 3.0, "b": 5.0}.items():
        assert timed[name].period_samples_ms == pytest.approx([period_ms] * 9, rel=1e-9)


def test_the_instrument_times_real_modules_by_their_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    """A vanilla layer is one kernel, an octave one several: launch upon launch, and the last kernel's run."""
    measurements = timed(monkeypatch, FakeCuda(), OCTAVE)
    assert {m.status for m in measurements.values()} == {Status.MEASURED}, measurements
    assert kernels_of(VANILLA) == 1
    expected_ms = {p: kernels_of(p) * HOST_MS + DEVICE_MS for p in (OCTAVE, VANILLA)}
    for point, latency_ms in expected_ms.items():
        latency = measurements[point.point_id].latency
        assert latency is not None
        assert latency.samples_ms == pytest.approx([latency_ms] * len(latency.samples_ms), rel=1e-9)
    ratios = measurements[OCTAVE.point_id].latency.pair_ratios
    assert ratios == pytest.approx([expected_ms[OCTAVE] / expected_ms[VANILLA]] * len(ratios), rel=1e-9)
    assert len(ratios) >= 30


def test_a_graph_is_one_launch_for_all_its_kernels() -> None:
    """100 kernels of 5 us behind a launch of 8 us: 508 us alone, 500 back to back; eager took 1,005."""
    cuda = FakeCuda(graph_launch_us=8)
    device = FakeCudaDevice(cuda)
    replay = execution.capture(FakeNetwork(cuda, [(10, 5)] * 100), lambda: None, cuda=cuda)
    assert device.time_calls_ms(replay, 3) == pytest.approx(0.508)
    assert device.time_back_to_back_ms(replay, 3) == pytest.approx(0.5)


def test_a_captured_layer_runs_its_kernels_without_their_launches(monkeypatch: pytest.MonkeyPatch) -> None:
    """The instrument captures what eager would run, and times replays: one launch, kernel upon kernel."""
    cuda = FakeCuda(graph_launch_us=8)
    point = replace(OCTAVE, conditions=replace(OCTAVE.conditions, execution="cudagraph"))
    measurement = timed(monkeypatch, cuda, point)[point.point_id]
    assert measurement.latency is not None, measurement
    expected_ms = 0.008 + kernels_of(OCTAVE) * DEVICE_MS
    samples_ms = measurement.latency.samples_ms
    assert samples_ms == pytest.approx([expected_ms] * len(samples_ms), rel=1e-9)


def test_a_subject_that_does_not_fit_is_out_of_memory_and_the_others_are_timed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On a device one block too small for the octave layer, its anchor has its samples all the same."""
    roomy = FakeCuda()
    timed(monkeypatch, roomy, OCTAVE)
    tight = FakeCuda(total_bytes=roomy.max_memory_allocated() - 1)
    measurements = timed(monkeypatch, tight, OCTAVE)
    assert measurements[OCTAVE.point_id].status is Status.OUT_OF_MEMORY
    assert measurements[VANILLA.point_id].status is Status.MEASURED
    assert measurements[VANILLA.point_id].latency is not None


def test_a_timed_group_leaves_nothing_on_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """When a group is over its models are gone and the pool is empty: the next finds all memory free."""
    cuda = FakeCuda()
    timed(monkeypatch, cuda, OCTAVE)
    assert (cuda.memory_allocated(), cuda.memory_reserved()) == (0, 0)


@pytest.mark.filterwarnings("ignore:CUDA is not available:UserWarning")
def test_an_account_leaves_nothing_on_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does a point that was profiled: the next one's peak in the pool is its own."""
    cuda = FakeCuda()
    monkeypatch.setattr(module, "open_device", lambda _: FakeCudaDevice(cuda))
    with OnFakeCuda(cuda, host_us=1, device_us=1):
        TorchInstrument("cuda").account(OCTAVE, 1.0)
    assert cuda.kernels > 0
    assert (cuda.memory_allocated(), cuda.memory_reserved()) == (0, 0)


@pytest.mark.filterwarnings("ignore:CUDA is not available:UserWarning")
def test_a_profile_without_kernels_is_a_doubt_and_no_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    """The profiler sees no kernel of the fake: no device time, and the row says that it was empty."""
    monkeypatch.setattr(module, "open_device", lambda _: FakeCudaDevice(FakeCuda()))
    account = TorchInstrument("cuda").account(OCTAVE, 1.0)
    assert Doubt.PROFILER_EMPTY in account.doubts
    assert account.breakdown is not None
    assert (account.breakdown.device_time_ms, account.breakdown.kernels) == (None, None)


def test_memory_of_real_modules_peaks_at_what_lives_together() -> None:
    """Three layers in a row hold two maps at a time; the weights and the input are no part of it."""
    cuda = FakeCuda()
    device = FakeCudaDevice(cuda)
    layers = nn.Sequential(*[nn.Conv2d(8, 8, 3, padding=1) for _ in range(3)])
    with torch.inference_mode(), OnFakeCuda(cuda, host_us=0, device_us=0):
        image = torch.zeros(1, 8, 32, 32)
        device.start_memory_peak()
        layers(image)
    allocated, _ = device.memory_peak_bytes()
    assert allocated == 2 * image.nbytes
