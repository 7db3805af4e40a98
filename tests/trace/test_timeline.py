"""Events gathered: spans, kernels and their launches, the allocator's records."""

import gc
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from fake_trace import MAIN_THREAD, host, kernel, launch, memory, write_trace
from octprobe.errors import TraceError
from octprobe.trace.timeline import Kernel, MemoryRecord, Span, build_timeline, read_timeline


def test_a_kernel_is_joined_to_its_launch_in_either_order() -> None:
    """The launch may stand after the kernel in the file."""
    events = [kernel("gemm", 20, 5, 3), launch(3, 11), launch(4, 12)]
    called = Span("cudaLaunchKernel", "cuda_runtime", MAIN_THREAD, 11_000, 2_000)
    for order in (events, events[::-1]):
        (found,) = build_timeline(order).kernels
        assert found == Kernel("gemm", 20_000, 5_000, "0", "7", called)
        assert found.end_ns == 25_000


def test_both_schemas_give_the_same_timeline() -> None:
    """Older names of categories and arguments, threads as text, no device among the arguments."""
    newer = [host("aten::mm", 1, 9, External_id=8), launch(5, 3), kernel("gemm", 20, 4, 5, stream=7)]
    older = [
        host("aten::mm", 1, 9, cat="Operator", tid="1", External_id=8),
        host("cudaLaunchKernel", 3, 2, cat="Runtime", tid="1", correlation=5, external_id=8),
        kernel("gemm", 20, 4, 5) | {"cat": "Kernel", "args": {"correlation": 5, "external id": 8}},
    ]
    assert build_timeline(newer) == build_timeline(older)


def test_a_driver_call_launches_too() -> None:
    """Triton's kernels are launched through the driver library."""
    (found,) = build_timeline([launch(5, 3, cat="cuda_driver"), kernel("triton_0", 20, 4, 5)]).kernels
    assert found.launch is not None
    assert found.launch.category == "cuda_driver"


def test_an_external_id_joins_a_kernel_that_has_no_correlation() -> None:
    """The operator stands in for the launch; the id alone tells it."""
    unlinked = kernel("gemm", 20, 4)
    unlinked["args"]["external id"] = 8
    events = [host("aten::mm", 1, 9, cat="Operator", External_id=8), unlinked]
    timeline = build_timeline(events)
    assert timeline.kernels[0].launch == timeline.spans[0]


def test_a_correlation_that_leads_nowhere_is_not_helped_by_an_external_id() -> None:
    """Some versions write the correlation as external id, which is another operator's number."""
    lost = kernel("gemm", 20, 4, 8)
    lost["args"]["External id"] = 8
    (found,) = build_timeline([host("aten::mm", 1, 9, External_id=8), lost]).kernels
    assert found.launch is None


def test_what_has_no_id_is_joined_to_nothing() -> None:
    """Spans without ids are no launch of kernels without ids."""
    events = [host("aten::mm", 1, 9), host("cudaMalloc", 2, 1, cat="cuda_runtime"), kernel("gemm", 20, 4)]
    assert build_timeline(events).kernels[0].launch is None


@pytest.mark.parametrize("cat", ["xpu_runtime", "hip_driver", "Runtime"])
def test_launches_of_any_makers_library_count(cat: str) -> None:
    """A category tells the library's kind by its end."""
    assert build_timeline([launch(5, 3, cat=cat), kernel("gemm", 20, 4, 5)]).kernels[0].launch is not None


@pytest.mark.parametrize(
    "cat", ["gpu_memcpy", "Memcpy", "gpu_memset", "Memset", "gpu_user_annotation", "ac2g"]
)
def test_copies_fills_and_marks_on_the_device_are_no_kernels(cat: str) -> None:
    """They share the device's streams and the correlations."""
    timeline = build_timeline([kernel("Memcpy HtoD", 20, 4, 5) | {"cat": cat}, launch(5, 3)])
    assert timeline.kernels == ()
    assert len(timeline.spans) == 1


def test_what_is_not_needed_may_be_incomplete() -> None:
    """Metadata, arrows, counters and foreign events have other fields."""
    events = [
        {},
        {"ph": "M", "name": "process_name"},
        {"ph": "X", "cat": "Trace", "pid": "Spans"},
        {"ph": "X"},
    ]
    assert build_timeline(events) == build_timeline([])


def test_a_clock_of_today_keeps_its_nanoseconds(tmp_path: Path) -> None:
    """A float near 1.7e15 steps by a quarter of a microsecond; two kernels 1 ns apart stay apart."""
    path = write_trace(tmp_path / "x.json", [kernel("a", 1, 2), kernel("b", 1, 2)])
    text = path.read_text().replace('"ts": 1,', '"ts": 1711964646123456.001,', 1)
    path.write_text(text.replace('"ts": 1,', '"ts": 1711964646123456.002,', 1))
    first, second = read_timeline(path).kernels
    assert float("1711964646123456.001") == float("1711964646123456.002")
    assert second.start_ns - first.start_ns == 1
    assert first.start_ns == 1711964646123456001


def test_memory_records_of_both_schemas() -> None:
    """Releases are negative; the newer schema adds a category and totals."""
    newer = memory(Decimal("2.5"), -64, device_type=1) | {"cat": "cpu_instant_event"}  # type: ignore[arg-type]  # JSON's fraction
    newer["args"]["Addr"] = 77
    assert build_timeline([memory(1, 64), newer], with_memory=True).memory == (
        MemoryRecord(at_ns=1_000, size_bytes=64, device_type=0, thread=MAIN_THREAD, address=None),
        MemoryRecord(at_ns=2_500, size_bytes=-64, device_type=1, thread=MAIN_THREAD, address=77),
    )


def test_memory_is_looked_at_only_where_it_is_asked_for() -> None:
    """A broken record costs nobody who does not want it."""
    broken = memory(1, 64) | {"args": {}}
    assert build_timeline([broken, host("aten::mm", 1, 9)]).memory == ()
    with pytest.raises(TraceError, match=r"args\.Bytes is missing"):
        build_timeline([broken], with_memory=True)


@pytest.mark.parametrize("dur", [-1, None])
def test_what_has_no_end_is_left_out_and_counted(dur: int | None) -> None:
    """One event that was open when the recording stopped costs no other; marks on the device are not read."""
    whole = [host("aten::mm", 1, 9), launch(5, 3), kernel("gemm", 20, 4, 5)]
    damaged = [event | {"dur": dur} for event in (*whole, kernel("mark", 1, 2) | {"cat": "ac2g"})]
    timeline = build_timeline([*damaged, *whole])
    assert timeline == replace(build_timeline(whole), damaged_events=3)


@pytest.mark.parametrize("compress", [False, True])
def test_a_file_is_read_compressed_or_not(tmp_path: Path, compress: bool) -> None:
    """The same timeline comes of both."""
    events = [host("aten::mm", 1, 9), launch(5, 3), kernel("gemm", 20, 4, 5), memory(1, 64)]
    path = write_trace(tmp_path / "trace", events, compress=compress)
    assert read_timeline(path) == build_timeline(events)
    assert read_timeline(path, with_memory=True) == build_timeline(events, with_memory=True)


@pytest.mark.parametrize("enabled", [True, False])
def test_reading_leaves_the_garbage_collector_as_it_was(tmp_path: Path, enabled: bool) -> None:
    """It is paused, also where a trace turns out to be broken, and never switched on for others."""
    whole = write_trace(tmp_path / "whole.json", [launch(5, 3)])
    broken = write_trace(tmp_path / "broken.json", [launch(5, 3) | {"ts": None}])
    before = gc.isenabled()
    try:
        (gc.enable if enabled else gc.disable)()
        read_timeline(whole)
        assert gc.isenabled() == enabled
        with pytest.raises(TraceError):
            read_timeline(broken)
        assert gc.isenabled() == enabled
    finally:
        (gc.enable if before else gc.disable)()


def test_a_broken_event_is_named_with_its_file(tmp_path: Path) -> None:
    """The line says which of the events it is."""
    path = write_trace(tmp_path / "x.json", [launch(5, 3), kernel("gemm", 20, 4, 5) | {"ts": None}])
    with pytest.raises(TraceError, match=r'x\.json: events\[1\] "gemm": ts is null'):
        read_timeline(path)
