"""Peak memory of a call."""

import pytest
import torch

from octprobe.measure.device import CpuDevice, CudaDevice
from octprobe.measure.memory import measure_memory
from octprobe.plan.point import Conditions
from octprobe.store.records import Memory


def test_the_processors_peak_is_exact_for_known_allocations() -> None:
    """Two live tensors of 4 MB and a third after one was let go peak at 8 MB."""

    def call() -> torch.Tensor:
        one = torch.ones(1_000_000)
        two = torch.ones(1_000_000)
        del one
        return torch.ones(1_000_000) + two[0]

    peak = measure_memory(call, CpuDevice(), Conditions()).peak_allocator_bytes
    assert peak is not None
    # `two`, `ones` and the sum are alive together.
    assert peak == pytest.approx(12_000_000, rel=1e-3)


def test_work_in_place_holds_nothing() -> None:
    """A session without an allocation has no record, and so no figure."""
    tensor = torch.ones(1000)
    assert measure_memory(tensor.relu_, CpuDevice(), Conditions()).peak_allocator_bytes is None


def test_cuda_reads_its_own_counters(monkeypatch: pytest.MonkeyPatch) -> None:
    """The peak is reset after a first call, then read around one more."""
    device = CudaDevice(0, cuda=None)
    log: list[str] = []
    monkeypatch.setattr(device, "start_memory_peak", lambda: log.append("start"))
    monkeypatch.setattr(device, "memory_peak_bytes", lambda: (5, 7))
    memory = measure_memory(lambda: log.append("call"), device, Conditions())
    assert log == ["call", "start", "call"]
    assert (memory.peak_allocator_bytes, memory.peak_reserved_bytes) == (5, 7)


def test_a_captured_graph_has_no_peak_of_its_own() -> None:
    """A replay allocates nothing: null, never 0."""
    graph = Conditions(execution="cudagraph")
    nothing = Memory(peak_allocator_bytes=None, peak_reserved_bytes=None)
    assert measure_memory(lambda: pytest.fail("called"), CudaDevice(0, cuda=None), graph) == nothing
