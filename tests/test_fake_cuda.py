"""The fake of `torch.cuda` held to torch: its names, what it refuses, and its time line."""

import inspect
from collections.abc import Callable
from typing import Any

import pytest
import torch

from fake_cuda import BLOCK_BYTES, SEGMENT_BYTES, FakeAllocator, FakeCuda, FakeEvent, FakeGraph, FakeStream
from fake_device import FakeNetwork, OnFakeCuda

# Levers of a test, and what a test reads; torch has no such names.
LEVERS = {"launch", "take", "give", "wait_until", "clock", "waits", "kernels", "events_made", "chosen"}
MISUSES: dict[str, tuple[Callable[[Any], object], str]] = {
    "no timing": (
        lambda cuda: cuda.Event().elapsed_time(cuda.Event(enable_timing=True)),
        "Both events must be created with argument 'enable_timing=True'.",
    ),
    "never recorded": (
        lambda cuda: cuda.Event(enable_timing=True).elapsed_time(cuda.Event(enable_timing=True)),
        "Both events must be recorded before calculating elapsed time.",
    ),
}


def names(kind: type) -> list[str]:
    """Give the public methods of a fake."""
    return [name for name, _ in inspect.getmembers(kind, inspect.isfunction) if not name.startswith("_")]


@pytest.mark.parametrize("name", [name for name in names(FakeCuda) if name not in LEVERS])
def test_what_the_fake_takes_torch_takes_too(name: str) -> None:
    """Each function is torch.cuda's by name, and has no parameter that torch's has not."""
    ours = inspect.signature(getattr(FakeCuda, name)).parameters
    theirs = getattr(torch.cuda, name)
    if isinstance(theirs, type):
        theirs = theirs.__init__ if theirs is torch.cuda.graph else theirs.__new__
    assert set(ours) - {"self"} <= set(inspect.signature(theirs).parameters)


@pytest.mark.parametrize(
    ("fake", "real", "levers"),
    [
        (FakeStream, torch.cuda.Stream, {"run"}),
        (FakeEvent, torch.cuda.Event, set()),
        (FakeGraph, torch.cuda.CUDAGraph, set()),
    ],
)
def test_methods_of_the_fake_are_torchs_too(fake: type, real: type, levers: set[str]) -> None:
    """Streams, events and graphs have no method that torch's have not."""
    assert [name for name in names(fake) if name not in levers and not hasattr(real, name)] == []


@pytest.mark.parametrize("cuda", [FakeCuda(), torch.cuda], ids=["fake", "torch"])
@pytest.mark.parametrize("misuse", MISUSES)
def test_events_refuse_what_torchs_refuse(cuda: Any, misuse: str) -> None:
    """The same mistake meets the same words; torch's own events need no device for these."""
    act, words = MISUSES[misuse]
    if torch.version.cuda is None and cuda is torch.cuda:
        pytest.skip("this build of torch has no CUDA")
    with pytest.raises(ValueError, match=words.replace(".", r"\.")):
        act(cuda)


def test_an_event_is_read_after_the_host_has_waited_for_it() -> None:
    """Until then it is refused, as CUDA refuses it with "not ready"."""
    cuda = FakeCuda()
    start, end = cuda.Event(enable_timing=True), cuda.Event(enable_timing=True)
    start.record()
    cuda.launch(10, 5)
    end.record()
    assert (start.query(), end.query()) == (True, False)
    with pytest.raises(RuntimeError, match="must be completed"):
        start.elapsed_time(end)
    end.synchronize()
    assert end.query()
    assert start.elapsed_time(end) == 0.015


def test_kernels_of_a_stream_follow_each_other_and_streams_overlap() -> None:
    """Two kernels of 50 us on one stream take 100 us; on two streams they run at once."""
    cuda = FakeCuda()
    began = cuda.clock.ns
    cuda.launch(0, 50)
    side = cuda.Stream()
    with cuda.stream(side):
        cuda.launch(0, 50)
    cuda.launch(0, 50)
    assert (cuda.current_stream().ready_ns - began, side.ready_ns - began) == (100_000, 50_000)
    assert not side.query()
    side.synchronize()
    assert side.query()
    assert cuda.clock.ns == began + 50_000


def test_a_stream_that_waits_for_another_begins_after_it() -> None:
    """The host goes on at once; the waiting stream's next kernel starts when the other is done."""
    cuda = FakeCuda()
    began = cuda.clock.ns
    side = cuda.Stream()
    cuda.launch(0, 70)
    side.wait_stream(cuda.current_stream())
    assert cuda.clock.ns == began
    with cuda.stream(side):
        cuda.launch(0, 30)
    assert side.ready_ns == began + 100_000


def test_the_host_may_not_wait_during_a_capture() -> None:
    """As on hardware, it is an error, and the graph is not to be replayed."""
    cuda = FakeCuda()
    graph = cuda.CUDAGraph()
    with pytest.raises(RuntimeError, match="not permitted when stream is capturing"), cuda.graph(graph):
        cuda.synchronize()
    with pytest.raises(RuntimeError, match="without a preceding successful capture"):
        graph.replay()


def test_a_capture_runs_nothing_and_a_replay_all() -> None:
    """What was launched inside runs when the graph is replayed, one launch for all of it."""
    cuda = FakeCuda(graph_launch_us=8)
    graph = cuda.CUDAGraph()
    with cuda.graph(graph):
        FakeNetwork(cuda, [(10, 5)] * 3)()
    stream, host_ns = cuda.current_stream(), cuda.clock.ns
    assert stream.query()
    graph.replay()
    assert (cuda.clock.ns - host_ns, stream.ready_ns - host_ns) == (8_000, 23_000)


def test_a_processor_is_no_cuda_device_and_no_other_than_there_are() -> None:
    """Both are refused as torch refuses them."""
    cuda = FakeCuda(devices=2)
    with pytest.raises(ValueError, match="Expected a cuda device, but got: cpu"):
        cuda.synchronize(torch.device("cpu"))
    with pytest.raises(RuntimeError, match="invalid device ordinal"):
        cuda.set_device(2)
    cuda.set_device(1)
    assert cuda.chosen == 1


def test_the_pool_keeps_what_is_freed_until_it_is_trimmed() -> None:
    """Blocks are rounded to 512 bytes and segments to 2 MiB; peaks remember the most."""
    allocator = FakeAllocator(total_bytes=8 * SEGMENT_BYTES)
    small, large = allocator.take(1), allocator.take(SEGMENT_BYTES)
    assert (small, allocator.allocated) == (BLOCK_BYTES, BLOCK_BYTES + SEGMENT_BYTES)
    allocator.give(large)
    assert (allocator.allocated, allocator.reserved) == (BLOCK_BYTES, 2 * SEGMENT_BYTES)
    allocator.trim()
    assert allocator.reserved == SEGMENT_BYTES
    assert (allocator.peak_allocated, allocator.peak_reserved) == (small + large, 2 * SEGMENT_BYTES)
    allocator.forget_peaks()
    assert (allocator.peak_allocated, allocator.peak_reserved) == (BLOCK_BYTES, SEGMENT_BYTES)


def test_a_device_that_is_full_raises_torchs_own_error() -> None:
    """So that the code under test meets the type it will meet on hardware."""
    cuda = FakeCuda(total_bytes=1024)
    cuda.take(600)
    with pytest.raises(torch.OutOfMemoryError, match="CUDA out of memory"):
        cuda.take(1)


def test_real_operators_launch_kernels_and_hold_memory_until_their_results_go() -> None:
    """Two operators that compute, one that only views: two kernels, and one block while one result lives."""
    cuda = FakeCuda()
    image = torch.ones(256)
    with OnFakeCuda(cuda, host_us=1, device_us=2):
        doubled = image + image
        kept = doubled.view(16, 16) * 3
    assert cuda.kernels == 2
    assert cuda.memory_allocated() == 2 * doubled.nbytes
    del doubled
    assert cuda.memory_allocated() == kept.nbytes
    kept.add_(1)
    assert kept[0, 0] == 7
