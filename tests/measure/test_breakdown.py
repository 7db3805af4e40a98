"""Where the device's time goes: sessions read from traces made by hand, and real ones on the processor."""

import json
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import torch

from components import SHARED, need
from fake_trace import JsonEvent, host, kernel, launch, write_trace
from octave.nets import Small
from octprobe.cost.closed_form import LayerRecorder
from octprobe.measure import breakdown as module
from octprobe.measure.breakdown import CALL_NAME, break_down, measure_breakdown, median_call
from octprobe.measure.company import Glance
from octprobe.measure.device import CpuDevice
from octprobe.measure.execution import Runnable, in_force, make_runnable
from octprobe.measure.observe import Region, region_name
from octprobe.octave import octavize
from octprobe.plan.point import Conditions, DesignPoint, LayerSubject, NetworkSubject
from octprobe.store.records import Breakdown, Doubt
from octprobe.trace.timeline import build_timeline, read_timeline
from octprobe.workload import Workload, build_workload

TRACES = SHARED / "traces"
# A call: an operator's two kernels of 400 us, one of the compiler's of 100 us that no operator launched, one
# of 100 us that converts the layout.
CUDA_CALL = [
    host(region_name(Region("conv1", "h2h")), 0, 200, cat="user_annotation"),
    host("aten::conv2d", 10, 50),
    host("aten::_convolution", 15, 40),
    launch(1, 20),
    launch(2, 30),
    launch(3, 40),
    launch(4, 100),
    kernel("conv_a", 200, 400, 1),
    kernel("conv_b", 600, 400, 2),
    kernel("nchwToNhwcKernel", 1000, 100, 3),
    kernel("triton_fused", 1100, 100, 4),
]
QUIET = Glance(foreign_cpu_seconds=0.0, steal_seconds=0.0, throttle_reasons=())


class OneLook:
    """A lookout that sees one thing."""

    def __init__(self, glance: Glance) -> None:
        self.glance = glance

    def start(self) -> None:
        """See nothing yet."""

    def read(self) -> Glance:
        """Give what was to be seen."""
        return self.glance


def mark(ts: float, dur: float) -> JsonEvent:
    """Make the mark of a profiled call."""
    return host(CALL_NAME, ts, dur, cat="user_annotation")


def cuda_breakdown(
    events: Sequence[JsonEvent] = CUDA_CALL, latency_ms: float | None = None, reason: str | None = None
) -> tuple[Breakdown, tuple[Doubt, ...]]:
    """Read a call on CUDA."""
    timeline = build_timeline(events)
    return break_down(timeline, device_kind="cuda", latency_ms=latency_ms, parts_reason=reason)


def small_runnable(alpha: float, **changes: Any) -> tuple[Runnable, Conditions]:
    """Make the small network ready on the processor."""
    torch.manual_seed(0)
    conditions = replace(Conditions(resolution=16), **changes)
    vanilla = Small().eval()
    network = octavize(vanilla, {"block1": alpha, "block2": alpha}, torch.randn(1, 3, 16, 16))
    network.train(conditions.mode == "train")
    return make_runnable(Workload(network, torch.randn(2, 3, 16, 16)), conditions, CpuDevice()), conditions


def measured(
    runnable: Runnable, conditions: Conditions, **options: Any
) -> tuple[Breakdown, tuple[Doubt, ...]]:
    """Profile two calls on the processor, alone on it unless told otherwise."""
    options = {"calls": 2, "lookout": OneLook(QUIET)} | options
    with in_force(conditions):
        return measure_breakdown(runnable, conditions, CpuDevice(), 1.0, **options)


def assert_sums(breakdown: Breakdown) -> None:
    """Hold parts and operators to the whole."""
    assert breakdown.device_time_ms is not None
    for shares in (breakdown.parts, breakdown.operators):
        assert sum(each.time_ms for each in shares or ()) == pytest.approx(breakdown.device_time_ms)


def test_kernels_are_summed_and_counted() -> None:
    """Four kernels of 1 ms."""
    breakdown, doubts = cuda_breakdown()
    assert (breakdown.device_time_ms, breakdown.kernels, doubts) == (1.0, 4, ())
    assert breakdown.layout_conversion_share == pytest.approx(0.1)
    assert_sums(breakdown)


def test_kernels_have_their_layer_and_path() -> None:
    """The region of the launch, whatever operators are within."""
    breakdown, _ = cuda_breakdown()
    assert breakdown.parts is not None
    (part,) = breakdown.parts
    assert (part.layer, part.path, part.time_ms, part.kernels) == ("conv1", "h2h", 1.0, 4)


def test_kernels_without_an_operator_are_listed_by_their_own_names() -> None:
    """The outermost operator has three of them; the compiler's has none."""
    operators = cuda_breakdown()[0].operators or ()
    assert [(o.name, o.kernels, o.calls) for o in operators] == [
        ("aten::conv2d", 3, 1),
        ("triton_fused", 1, 1),
    ]
    assert [o.time_ms for o in operators] == pytest.approx([0.9, 0.1])


@pytest.mark.parametrize(
    ("latency_ms", "expected"), [(None, None), (1.0, False), (1.111, False), (1.112, True), (2.0, True)]
)
def test_a_device_that_waits_is_host_bound(latency_ms: float | None, expected: bool | None) -> None:
    """1 ms busy below nine tenths of the latency; without a latency nobody can tell."""
    assert cuda_breakdown(latency_ms=latency_ms)[0].host_bound is expected


def test_streams_that_overlap_are_busy_once() -> None:
    """Two streams at once take 2 ms of kernels in 1 ms: of 1.5 ms the device waits for a third."""
    events = [kernel("k", 0, 1000, stream=7), kernel("k", 0, 1000, stream=8)]
    breakdown, _ = cuda_breakdown(events, latency_ms=1.5)
    assert (breakdown.device_time_ms, breakdown.host_bound) == (2.0, True)


def test_a_session_without_kernels_is_a_doubt_and_no_number() -> None:
    """Zero kernels on CUDA are the profiler's failure, never 0 ms."""
    breakdown, doubts = cuda_breakdown([host("aten::relu", 0, 9)], latency_ms=1.0)
    assert doubts == (Doubt.PROFILER_EMPTY,)
    assert set(vars(breakdown).values()) == {None, "the profiler recorded nothing"}


def test_a_processor_session_without_operators_is_a_doubt_too() -> None:
    """Regions alone are no work."""
    events = [host(region_name(Region("a", "add")), 0, 9, cat="user_annotation")]
    breakdown, doubts = break_down(build_timeline(events), device_kind="cpu", latency_ms=1.0)
    assert (breakdown.device_time_ms, doubts) == (None, (Doubt.PROFILER_EMPTY,))


def test_a_form_without_layers_says_so() -> None:
    """Compiled code and CUDA graphs keep their totals and operators."""
    breakdown, doubts = cuda_breakdown(reason="fused")
    assert (breakdown.parts, breakdown.parts_reason, doubts) == (None, "fused", ())
    assert (breakdown.device_time_ms, breakdown.kernels) == (1.0, 4)
    assert len(breakdown.operators or ()) == 2


def test_operators_on_the_processor_have_their_own_time() -> None:
    """What is within another operator is its own, and nothing is said of kernels and waiting."""
    events = [host("aten::conv2d", 0, 100), host("aten::empty", 10, 20), host("aten::empty", 40, 10)]
    timeline = build_timeline(events)
    breakdown, doubts = break_down(timeline, device_kind="cpu", latency_ms=1.0)
    assert [(o.name, o.time_ms, o.kernels, o.calls) for o in breakdown.operators or ()] == [
        ("aten::conv2d", 0.07, None, 1),
        ("aten::empty", 0.03, None, 2),
    ]
    assert (breakdown.kernels, breakdown.host_bound, breakdown.layout_conversion_share) == (None, None, None)
    assert (breakdown.device_time_ms, doubts) == (0.1, ())


def calls_of(*times_us: float) -> list[JsonEvent]:
    """Make a session of calls 100 us apart, each of one operator."""
    return [
        event
        for number, time_us in enumerate(times_us)
        for event in (mark(100 * number, 90), host("aten::relu", 100 * number + 5, time_us))
    ]


@pytest.mark.parametrize(
    ("times_us", "median_us"), [((7,), 7), ((9, 4), 4), ((50, 3, 4), 4), ((5, 80, 6, 2, 7), 6)]
)
def test_the_call_of_median_time_is_cut_out(times_us: tuple[float, ...], median_us: float) -> None:
    """Whole, as one that others disturbed would lift a mean; of an even number the lower middle one."""
    call = median_call(build_timeline(calls_of(*times_us)), "cpu")
    assert [(span.name, span.duration_ns) for span in call.spans] == [
        (CALL_NAME, 90_000),
        ("aten::relu", median_us * 1000),
    ]


def test_what_is_outside_the_calls_is_in_none() -> None:
    """The profiler's own beginning and end; a session without a mark has no call."""
    around = [host("aten::zeros", 0, 50), host("aten::zeros", 900, 50)]
    call = median_call(build_timeline([*around, mark(100, 90), host("aten::relu", 105, 7)]), "cpu")
    assert [span.name for span in call.spans] == [CALL_NAME, "aten::relu"]
    assert median_call(build_timeline(around), "cpu") == build_timeline([])


def test_a_kernel_is_in_the_call_that_launched_it() -> None:
    """Whenever it ran; one whose launch was lost, in the call during which it ran."""
    session = [
        mark(0, 100), launch(1, 10), kernel("late", 150, 5, 1), kernel("lost", 50, 2),
        mark(100, 100), launch(2, 110), kernel("next", 160, 30, 2),
    ]  # fmt: skip
    call = median_call(build_timeline(session), "cuda")
    assert [found.name for found in call.kernels] == ["late", "lost"]


@pytest.mark.parametrize(
    ("seen", "doubts"),
    [
        ({}, ()),
        ({"foreign_cpu_seconds": 1e3}, (Doubt.CONTAMINATED,)),
        ({"steal_seconds": 1e3}, (Doubt.CONTAMINATED,)),
        ({"throttle_reasons": ("thermal_throttle",)}, (Doubt.THROTTLED,)),
        ({"throttle_reasons": None}, ()),
    ],
)
def test_company_during_the_session_is_a_doubt(seen: dict[str, Any], doubts: tuple[Doubt, ...]) -> None:
    """What others took, and a clock held down; that no clock can be read is the latency's to tell."""
    runnable, conditions = small_runnable(0.5)
    assert measured(runnable, conditions, lookout=OneLook(replace(QUIET, **seen)))[1] == doubts


def test_real_kernels() -> None:
    """Three training steps of an A100 as one, whose figures were counted independently to 0.1 us."""
    need("shared")
    timeline = read_timeline(TRACES / "resnet50_ddp_train_a100.json.gz")
    breakdown, doubts = break_down(timeline, device_kind="cuda", latency_ms=None, parts_reason="unobserved")
    assert (breakdown.kernels, doubts) == (2700, ())
    total_ms = sum(operator.time_ms for operator in breakdown.operators or ())
    for time_ms in (breakdown.device_time_ms, total_ms):
        assert time_ms == pytest.approx(162.5323, abs=5e-5)
    assert breakdown.layout_conversion_share == pytest.approx(15_120.9 / 162_532.3, abs=1e-6)


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
def test_a_real_session_has_every_convolution_and_adds_up(alpha: float) -> None:
    """The paths that the closed form counts MACs for took time, and no others; parts are the whole."""
    runnable, conditions = small_runnable(alpha)
    with torch.no_grad(), LayerRecorder(runnable.module) as recorder:
        runnable.module(runnable.example)
    breakdown, doubts = measured(runnable, conditions)
    expected = {
        (layer.name, path) for layer in recorder.layers for path, macs in vars(layer.macs).items() if macs
    }
    parts = breakdown.parts or ()
    assert {(p.layer, p.path) for p in parts if p.path in vars(recorder.total)} == expected
    assert all(part.time_ms > 0 for part in parts)
    assert (breakdown.kernels, breakdown.host_bound, breakdown.parts_reason, doubts) == (None, None, None, ())
    assert_sums(breakdown)


def test_resnet18_has_parts_in_every_stage() -> None:
    """A real network: both octave exchanges, and glue beside the convolutions."""
    subject = NetworkSubject(network="resnet18", alpha=Decimal("0.5"))
    point = DesignPoint(subject=subject, conditions=Conditions(resolution=32))
    runnable = make_runnable(build_workload(point), point.conditions, CpuDevice())
    breakdown, _ = measured(runnable, point.conditions)
    parts = breakdown.parts or ()
    assert {part.layer for part in parts} >= {"conv1", "layer1.0.conv1", "layer3.1.bn2", "layer4.1", "fc"}
    assert {part.path for part in parts} == {
        "h2h", "h2l", "l2h", "l2l", "plain", "pool", "upsample", "norm", "add", "other",
    }  # fmt: skip
    assert_sums(breakdown)


def test_a_layer_alone_has_paths_too() -> None:
    """The subject of a layer sweep has no name; its paths have theirs."""
    subject = LayerSubject(
        in_channels=8, out_channels=8, kernel_size=3, stride=1, padding=1, dilation=1, groups=1,
        alpha_in=Decimal("0.5"), alpha_out=Decimal("0.5"),
    )  # fmt: skip
    point = DesignPoint(subject=subject, conditions=Conditions(resolution=8))
    runnable = make_runnable(build_workload(point), point.conditions, CpuDevice())
    breakdown, _ = measured(runnable, point.conditions)
    assert {(p.layer, p.path) for p in breakdown.parts or ()} >= {
        ("", path) for path in ("h2h", "h2l", "l2h", "l2l", "pool", "upsample", "add")
    }


def test_training_has_its_backward() -> None:
    """Forward by layer as ever; the backward is one part of no layer."""
    runnable, conditions = small_runnable(0.5, mode="train")
    breakdown, _ = measured(runnable, conditions)
    parts = breakdown.parts or ()
    assert [part.layer for part in parts if part.path == "backward"] == [""]
    assert {"h2h", "l2l", "norm", "plain"} <= {part.path for part in parts}
    assert_sums(breakdown)


@pytest.mark.parametrize("execution", ["compiled", "cudagraph"])
def test_only_eager_calls_are_observed(execution: str) -> None:
    """What a compiler or a graph runs is profiled as it is."""
    runnable, conditions = small_runnable(0.5)
    breakdown, _ = measured(runnable, replace(conditions, execution=execution))
    assert breakdown.parts is None
    assert execution in (breakdown.parts_reason or "")
    assert (breakdown.device_time_ms or 0) > 0


def test_a_network_whose_layers_cannot_be_followed_says_so() -> None:
    """TorchScript takes no hooks; its time is broken down by operator."""
    runnable, conditions = small_runnable(0.5)
    with warnings.catch_warnings(action="ignore"):
        scripted = torch.jit.trace(runnable.module, runnable.example)
    changed = replace(runnable, module=scripted, call=lambda: scripted(runnable.example))
    breakdown, _ = measured(changed, conditions)
    assert "TorchScript" in (breakdown.parts_reason or "")
    assert "aten::batch_norm" in {operator.name for operator in breakdown.operators or ()}


def test_the_call_before_the_session_is_observed_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """What changes under hooks, as code that a network compiles, does so before anything is recorded."""
    log: list[str] = []

    @contextmanager
    def logged(_: object) -> Iterator[None]:
        log.append("observed")
        yield

    monkeypatch.setattr(module, "observed", logged)
    runnable, conditions = small_runnable(0.5)
    measured(replace(runnable, call=lambda: log.append("call")), conditions)
    assert log == ["observed", "call", "call", "call"]


def test_a_trace_is_kept_whole_where_it_was_asked_for(tmp_path: Path) -> None:
    """A Chrome trace with the regions in it, in place of an older file, and nothing beside it."""
    path = tmp_path / "mine.json"
    path.write_text("old")
    runnable, conditions = small_runnable(0.5)
    measured(runnable, conditions, trace_path=path)
    events = json.loads(path.read_text())["traceEvents"]
    names = [event["name"] for event in events if event.get("cat") == "user_annotation"]
    assert names.count(region_name(Region("block1.conv1", "h2h"))) == 2
    assert list(tmp_path.iterdir()) == [path]


def test_a_trace_is_written_through_a_link(tmp_path: Path) -> None:
    """The link stays, and what it leads to is replaced."""
    target, link = tmp_path / "target.json", tmp_path / "link.json"
    target.write_text("old")
    link.symlink_to(target)
    runnable, conditions = small_runnable(0.5)
    measured(runnable, conditions, trace_path=link)
    assert link.is_symlink()
    assert json.loads(target.read_text())["traceEvents"]


def test_a_call_that_fails_leaves_an_older_trace_as_it_was(tmp_path: Path) -> None:
    """The error passes through, and no half of a file is left."""
    path = tmp_path / "mine.json"
    path.write_text("old")
    runnable, conditions = small_runnable(0.5)
    answers = iter([None])

    def fail() -> object:
        for answer in answers:
            return answer
        raise RuntimeError("out of luck")

    with pytest.raises(RuntimeError, match="out of luck"):
        measured(replace(runnable, call=fail), conditions, trace_path=path)
    assert ([*tmp_path.iterdir()], path.read_text()) == ([path], "old")


def test_cuda_has_one_session_with_its_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second session of a process would lose records."""
    sessions: list[set[str]] = []

    class Session:
        def __init__(self, activities: Sequence[torch.profiler.ProfilerActivity]) -> None:
            sessions.append({activity.name for activity in activities})

        def __enter__(self) -> "Session":
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def export_chrome_trace(self, path: str) -> None:
            write_trace(Path(path), [mark(0, 1500), *CUDA_CALL])

    class Device(CpuDevice):
        kind = "cuda"

    monkeypatch.setattr(module, "profile", Session)
    runnable, conditions = small_runnable(0.5)
    breakdown, doubts = measure_breakdown(
        runnable, conditions, Device(), 2.0, calls=2, lookout=OneLook(QUIET)
    )
    assert sessions == [{"CPU", "CUDA"}]
    assert (breakdown.device_time_ms, breakdown.host_bound, doubts) == (1.0, True, ())
