"""A trace in figures: hand-made traces for each rule, real ones to the digit."""

from decimal import Decimal
from functools import cache
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

import components
from fake_trace import JsonEvent, host, kernel, launch
from octprobe.trace.summary import KernelGroup, OperatorUse, TraceSummary, summarise
from octprobe.trace.timeline import Timeline, build_timeline, read_timeline


def summary_of(*events: JsonEvent) -> TraceSummary:
    """Sum events up."""
    return summarise(build_timeline(events))


def used(summary: TraceSummary) -> dict[str, tuple[Decimal | None, int | None, int]]:
    """Give each operator's time, kernels and calls."""
    return {name: (use.time_us, use.kernels, use.calls) for name, use in summary.by_operator.items()}


def test_a_kernel_belongs_to_the_outermost_aten_operator() -> None:
    """Neither to what autograd opens around it nor to the operators within."""
    summary = summary_of(
        host("autograd::engine::evaluate_function: ConvolutionBackward0", 0, 100),
        host("aten::conv2d", 10, 50),
        host("aten::convolution", 20, 30),
        host("aten::cudnn_convolution", 25, 20),
        launch(1, 30),
        host("aten::relu_", 70, 20),
        launch(2, 75),
        launch(3, 80),
        kernel("gemm", 200, 40, 1),
        kernel("relu", 240, 10, 2),
        kernel("relu", 250, 10, 3),
    )
    assert used(summary) == {"aten::conv2d": (40, 1, 1), "aten::relu_": (20, 2, 1)}
    assert list(summary.by_operator) == ["aten::conv2d", "aten::relu_"]
    assert summary.unattributed == KernelGroup(kernels=0, time_us=Decimal(0), share=Decimal(0))


def test_the_launching_thread_decides() -> None:
    """Forward and backward run at the same time on threads of their own."""
    summary = summary_of(
        host("aten::conv2d", 0, 100, tid=1),
        host("aten::add_", 0, 100, tid=2),
        launch(1, 50, tid=1),
        launch(2, 50, tid=2),
        launch(3, 50, tid=3),
        kernel("a", 200, 1, 1),
        kernel("b", 201, 2, 2),
        kernel("c", 203, 4, 3),
    )
    assert used(summary) == {"aten::add_": (2, 1, 1), "aten::conv2d": (1, 1, 1)}
    assert (summary.unattributed.time_us, summary.unattributed.kernels) == (4, 1)


def test_the_launch_decides_not_the_kernel() -> None:
    """The device is behind: the kernel runs while the host is in another operator."""
    summary = summary_of(
        host("aten::conv2d", 0, 10), host("aten::relu", 10, 90), launch(1, 5), kernel("gemm", 50, 9, 1)
    )
    assert used(summary) == {"aten::conv2d": (9, 1, 1)}


def test_every_event_of_an_operators_name_is_a_call() -> None:
    """Those within other operators, and those without a kernel, too."""
    summary = summary_of(
        host("aten::zero_", 0, 10),
        launch(1, 5),
        host("aten::zeros", 20, 10),
        host("aten::zero_", 22, 5),
        launch(2, 23),
        kernel("fill", 50, 1, 1),
        kernel("fill", 51, 1, 2),
    )
    assert used(summary) == {"aten::zero_": (1, 1, 2), "aten::zeros": (1, 1, 1)}


def test_what_links_to_nothing_is_unattributed_and_reported() -> None:
    """A lost launch and a launch outside any operator, told apart."""
    summary = summary_of(
        host("aten::conv2d", 0, 10),
        launch(1, 5),
        launch(2, 15),
        kernel("a", 50, 10, 1),
        kernel("b", 60, 5, 2),
        kernel("c", 65, 3, 99),
        kernel("d", 68, 2),
    )
    assert summary.unattributed == KernelGroup(kernels=3, time_us=Decimal(10), share=Decimal("0.5"))
    assert summary.unlinked_kernels == 2
    assert used(summary) == {"aten::conv2d": (10, 1, 1)}


def test_streams_overlap_and_devices_do_not() -> None:
    """0 to 10 and 5 to 15 on two streams are 15 us of busy time; another device has its own."""
    two_streams = [kernel("a", 0, 10, stream=7), kernel("b", 5, 10, stream=8)]
    summary = summary_of(*two_streams, kernel("c", 20, 5, stream=7))
    assert (summary.kernel_sum_us, summary.busy_union_us, summary.kernel_window_us) == (25, 20, 25)
    assert (summary.devices, summary.streams) == (1, 2)
    summary = summary_of(*two_streams, kernel("c", 0, 12, stream=7, device=1))
    assert (summary.kernel_sum_us, summary.busy_union_us) == (32, 27)
    assert (summary.devices, summary.streams) == (2, 3)


@given(
    st.lists(
        st.builds(
            lambda ts, dur, device: kernel("k", ts, dur, device=device),
            st.integers(0, 20),
            st.integers(0, 8),
            st.integers(0, 1),
        ),
        min_size=1,
        max_size=15,
    )
)
def test_the_busy_time_is_that_counted_moment_by_moment(kernels: list[JsonEvent]) -> None:
    """A microsecond of a device is busy if any kernel runs in it."""
    busy = {(k["args"]["device"], us) for k in kernels for us in range(k["ts"], k["ts"] + k["dur"])}
    assert summary_of(*kernels).busy_union_us == len(busy)


def test_communication_and_layout_conversion_are_told_by_name() -> None:
    """Whatever operator they belong to, if any."""
    summary = summary_of(
        host("aten::conv2d", 0, 10),
        launch(1, 1),
        launch(2, 2),
        launch(3, 3),
        launch(4, 20),
        kernel("void cudnn::ops::nchwToNhwcKernel<float>", 50, 4, 1),
        kernel("implicit_convolve_sgemm", 54, 8, 2),
        kernel("void nhwcToNchwKernel<float>", 62, 3, 3),
        kernel("ncclKernel_AllReduce_RING_LL_Sum_float", 65, 5, 4),
    )
    assert summary.layout_conversion == KernelGroup(kernels=2, time_us=Decimal(7), share=Decimal("0.35"))
    assert summary.communication == KernelGroup(kernels=1, time_us=Decimal(5), share=Decimal("0.25"))
    assert used(summary) == {"aten::conv2d": (15, 3, 1)}


def test_times_are_exact_to_the_nanosecond() -> None:
    """Ten tenths are one, which floats do not give."""
    kernels = [kernel("k", 1711964646123456 + place, 0.1, place) for place in range(10)]
    launches = [launch(place, 5 * place) for place in range(10)]
    summary = summary_of(host("aten::mul", 0, 100), *launches, *kernels)
    assert summary.kernel_sum_us == summary.busy_union_us == Decimal(1)
    assert used(summary) == {"aten::mul": (Decimal(1), 10, 1)}
    assert sum([0.1] * 10) != 1


def test_kernels_of_no_length_have_no_share() -> None:
    """A coarse clock gives short kernels 0 us: counted, and no part of nothing."""
    summary = summary_of(kernel("short", 5, 0))
    assert (summary.kernels, summary.kernel_sum_us, summary.busy_union_us) == (1, 0, 0)
    assert summary.unattributed == KernelGroup(kernels=1, time_us=Decimal(0), share=None)


def test_a_trace_without_kernels_has_no_device_times_and_the_hosts_own() -> None:
    """Absent is None, never 0; every operator's time on the host is there, the longest first."""
    summary = summary_of(
        host("my annotation", 0, 100, cat="user_annotation"),
        host("aten::conv2d", 10, 20),
        host("mkldnn::_convolution", 12, 15),
        host("aten::relu", 40, 4),
        host("aten::relu", 50, 4),
    )
    nothing = KernelGroup(kernels=0, time_us=None, share=None)
    assert (summary.kernels, summary.devices, summary.streams, summary.unlinked_kernels) == (0, 0, 0, 0)
    assert (summary.kernel_sum_us, summary.busy_union_us, summary.kernel_window_us) == (None, None, None)
    assert summary.communication == summary.layout_conversion == summary.unattributed == nothing
    assert summary.window_us == 100
    assert summary.operators == 4
    own = {
        name: OperatorUse(time_us=None, kernels=None, calls=calls, host_self_us=Decimal(own_us))
        for name, calls, own_us in (
            ("mkldnn::_convolution", 1, 15),
            ("aten::relu", 2, 8),
            ("aten::conv2d", 1, 5),
        )
    }
    assert list(summary.by_operator.items()) == list(own.items())


def test_an_empty_trace_has_no_window() -> None:
    """Nothing began, nothing ended."""
    summary = summary_of()
    assert (summary.kernels, summary.operators, summary.window_us, summary.by_operator) == (0, 0, None, {})


def test_what_lost_its_time_is_outside_the_windows() -> None:
    """Old traces put such kernels at 0, 51 years before the others; they are counted all the same."""
    ts = 1615207264505000
    summary = summary_of(kernel("lost", 0, 0), kernel("k", ts + 10, 50), host("aten::mm", ts, 9))
    assert (summary.kernels, summary.kernel_sum_us, summary.busy_union_us) == (2, 50, 50)
    assert (summary.kernel_window_us, summary.window_us) == (50, 60)
    assert summary_of(kernel("lost", 0, 0)).kernel_window_us is None


class Known(NamedTuple):
    """True figures of an operator: device time in us, kernels, calls; None where nobody counted."""

    time_us: str
    kernels: int | None = None
    calls: int | None = None


# Counted by an independent reader of the same files: kernels, their sum and their union in us.
REAL_TOTALS: dict[str, tuple[int, str, str | None]] = {
    "alexnet_a100": (79, "10692", "10630"),
    "resnet50_ddp_train_a100": (2700, "162532.3", "155215.3"),
    "resnet50_train_v100_old_schema": (8868, "594263", None),
    "resnet18_train_2080ti": (9628, "4103141", None),
}
REAL_OPERATORS = {
    "alexnet_a100": {
        "aten::conv2d": Known("6329", 40, 10),
        "aten::linear": Known("2660"),
        "aten::relu_": Known("683"),
        "aten::max_pool2d": Known("644"),
    },
    "resnet50_ddp_train_a100": {
        "aten::convolution_backward": Known("39138.4", 891),
        "aten::conv2d": Known("17013.7", 342, 53 * 3),
        "aten::batch_norm": Known("10904.5"),
        "aten::cudnn_batch_norm_backward": Known("20477.6"),
    },
    "resnet50_train_v100_old_schema": {
        "aten::cudnn_convolution_backward": Known("274319"),
        "aten::conv2d": Known("127955", 588, 53 * 6),
        "aten::batch_norm": Known("34265"),
    },
    "resnet18_train_2080ti": {
        "aten::convolution_backward": Known("1970527"),
        "aten::conv2d": Known("794424", 1980),
        "aten::batch_norm": Known("253042"),
    },
}


@cache
def real_timeline(name: str) -> Timeline:
    """Read one of the recorded traces."""
    components.need("shared")
    return read_timeline(components.SHARED / "traces" / f"{name}.json.gz")


def real_summary(name: str) -> TraceSummary:
    """Sum one of the recorded traces up."""
    return summarise(real_timeline(name))


def tenths(time_us: Decimal | None) -> Decimal:
    """Round to a tenth of a microsecond, as the true figures are."""
    assert time_us is not None
    return time_us.quantize(Decimal("0.1"))


@pytest.mark.parametrize("name", REAL_TOTALS)
def test_the_totals_of_real_traces_to_the_digit(name: str) -> None:
    """Kernels, their sum and the busy union."""
    kernels, kernel_sum_us, busy_union_us = REAL_TOTALS[name]
    summary = real_summary(name)
    assert summary.kernels == kernels
    assert tenths(summary.kernel_sum_us) == Decimal(kernel_sum_us)
    assert busy_union_us is None or tenths(summary.busy_union_us) == Decimal(busy_union_us)


@pytest.mark.parametrize("name", REAL_OPERATORS)
def test_the_operators_of_real_traces_to_the_digit(name: str) -> None:
    """Every operator whose figures are known."""
    summary = real_summary(name)
    for operator, known in REAL_OPERATORS[name].items():
        use = summary.by_operator[operator]
        assert tenths(use.time_us) == Decimal(known.time_us)
        assert known.kernels in (None, use.kernels)
        assert known.calls in (None, use.calls)


@pytest.mark.parametrize("name", REAL_TOTALS)
def test_every_kernel_of_a_real_trace_is_accounted_for(name: str) -> None:
    """Operators and the unattributed add up to all; every kernel links to a launch."""
    summary = real_summary(name)
    uses = summary.by_operator.values()
    unattributed = summary.unattributed
    assert sum(use.time_us or 0 for use in uses) + (unattributed.time_us or 0) == summary.kernel_sum_us
    assert sum(use.kernels or 0 for use in uses) + unattributed.kernels == summary.kernels
    assert summary.unlinked_kernels == 0


def test_real_communication_and_layout_conversion() -> None:
    """NCCL's kernels are launched outside any operator of PyTorch."""
    summary = real_summary("resnet50_ddp_train_a100")
    assert (tenths(summary.communication.time_us), summary.communication.kernels) == (Decimal("46876.5"), 21)
    layout = summary.layout_conversion
    assert (tenths(layout.time_us), layout.kernels) == (Decimal("15120.9"), 633)
    assert summary.unattributed == summary.communication
    assert summary.streams == real_summary("alexnet_a100").streams == 2


def test_the_old_schemas_kernels_of_no_length_are_counted() -> None:
    """Whole microseconds leave 643 of 8,868 with 0."""
    kernels = real_timeline("resnet50_train_v100_old_schema").kernels
    assert sum(not kernel.duration_ns for kernel in kernels) == 643
