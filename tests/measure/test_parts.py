"""Whose each stretch of the device's time is, on traces made by hand."""

import pytest

from fake_trace import JsonEvent, host, kernel, launch
from octprobe.measure.observe import Region, region_name
from octprobe.measure.parts import kernels_busy, parts_of, processor_busy
from octprobe.store.records import PartTime
from octprobe.trace.timeline import build_timeline


def region(layer: str, path: str, ts: float, dur: float, *, tid: int = 1) -> JsonEvent:
    """Make a region that `observed` opened."""
    return host(region_name(Region(layer, path)), ts, dur, cat="user_annotation", tid=tid)


def on_processor(*events: JsonEvent) -> dict[tuple[str, str], float]:
    """Give microseconds by layer and path, on a processor."""
    timeline = build_timeline(events)
    parts = parts_of(timeline, processor_busy(timeline), count_kernels=False)
    assert all(part.kernels is None for part in parts)
    return {(part.layer, part.path): part.time_ms * 1e3 for part in parts}


def on_cuda(*events: JsonEvent) -> list[PartTime]:
    """Give the parts of a trace with kernels."""
    timeline = build_timeline(events)
    return parts_of(timeline, kernels_busy(timeline), count_kernels=True)


def test_an_operators_own_time_goes_to_the_innermost_region() -> None:
    """30 us of convolution of which 20 within another operator, all in one step; the rest is the layer's."""
    parts = on_processor(
        region("conv1", "other", 0, 100),
        region("conv1", "h2h", 10, 50),
        host("aten::conv2d", 15, 30),
        host("aten::mkldnn_convolution", 20, 20),
        host("aten::slice", 70, 5),
    )
    assert parts == pytest.approx({("conv1", "h2h"): 30, ("conv1", "other"): 5})


def test_regions_cost_nothing_themselves() -> None:
    """Between operators nothing is busy, however long a region is open."""
    assert on_processor(region("a", "add", 0, 1000)) == {}


def test_what_no_region_covers_is_no_layers() -> None:
    """Operators outside, and annotations of the program's own within, which are no regions."""
    parts = on_processor(
        host("aten::sum", 0, 3),
        region("a", "other", 10, 30),
        host("ProfilerStep#1", 15, 20, cat="user_annotation"),
        host("aten::relu", 20, 4),
    )
    assert parts == pytest.approx({("", "other"): 3, ("a", "other"): 4})


def test_regions_of_one_name_add_up() -> None:
    """A layer that is called twice."""
    events = []
    for start in (0, 100):
        events += [region("act", "other", start, 50), host("aten::relu", start + 10, 8)]
    assert on_processor(*events) == pytest.approx({("act", "other"): 16})


def test_a_kernel_belongs_to_the_region_of_its_launch() -> None:
    """Kernels run later than they are launched, and overlap other layers' regions."""
    parts = on_cuda(
        region("conv1", "h2h", 0, 20),
        launch(1, 5),
        launch(2, 10),
        region("bn1", "norm", 30, 20),
        launch(3, 35),
        kernel("conv", 40, 100, 1),
        kernel("bias", 140, 10, 2),
        kernel("norm", 150, 30, 3),
    )
    assert parts == [
        PartTime(layer="conv1", path="h2h", time_ms=0.110, kernels=2),
        PartTime(layer="bn1", path="norm", time_ms=0.030, kernels=1),
    ]


def test_a_kernel_without_a_launch_is_no_layers() -> None:
    """Nothing tells where it belongs; it is counted all the same, last."""
    parts = on_cuda(
        kernel("lost", 0, 7), region("fc", "plain", 0, 20), launch(1, 5), kernel("gemm", 30, 5, 1)
    )
    assert parts == [
        PartTime(layer="fc", path="plain", time_ms=0.005, kernels=1),
        PartTime(layer="", path="other", time_ms=0.007, kernels=1),
    ]


def test_the_backward_is_found_on_whatever_thread_it_runs() -> None:
    """CUDA's backward has a thread of its own; before and after it that thread's work is no backward."""
    parts = on_cuda(
        region("", "backward", 100, 100),
        launch(1, 50, tid=2),
        launch(2, 150, tid=2),
        launch(3, 160),
        launch(4, 250, tid=2),
        *(kernel("k", 300 + 10 * number, number, number) for number in (1, 2, 3, 4)),
    )
    times = {(part.layer, part.path): (part.time_ms, part.kernels) for part in parts}
    assert times == {("", "other"): (0.005, 2), ("", "backward"): (0.005, 2)}


def test_a_forward_within_the_backward_keeps_its_layers() -> None:
    """A checkpoint computes a layer again; its own region is the innermost."""
    parts = on_cuda(
        region("", "backward", 0, 100),
        region("layer1", "plain", 10, 20),
        launch(1, 15),
        launch(2, 50),
        kernel("again", 200, 5, 1),
        kernel("back", 210, 6, 2),
    )
    assert [(part.path, part.time_ms) for part in parts] == [("plain", 0.005), ("backward", 0.006)]


def test_parts_come_in_the_order_in_which_they_first_ran() -> None:
    """Whatever the order of the file."""
    events = [
        event
        for number, name in ((3, "c"), (1, "a"), (2, "b"))
        for event in (
            region(name, "plain", number * 100, 50),
            launch(number, number * 100 + 10),
            kernel("k", 1000 - number * 10, 1, number),
        )
    ]
    assert [part.layer for part in on_cuda(*events)] == ["a", "b", "c"]
