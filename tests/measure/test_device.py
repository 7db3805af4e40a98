"""The device protocol: the processor with a fake clock, CUDA behind a fake of torch.cuda."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from components import need
from fakes import FakeClock, TimedCall
from octprobe.errors import MachineError, UsageError
from octprobe.measure.device import CpuDevice, CudaDevice, MonotonicClock, open_device


class FakeCuda:
    """Events on a clock of their own, and memory counters."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.log: list[str] = []
        self.made = 0
        self.allocated, self.reserved = 1000, 4000
        self.peak_allocated, self.peak_reserved = 9999, 9999

    def Event(self, *, enable_timing: bool) -> Any:  # noqa: N802  torch's name
        assert enable_timing
        self.made += 1
        event = SimpleNamespace(at=0.0)

        def record() -> None:
            event.at = self.clock.ns / 1e6
            self.log.append("record")

        event.record = record
        event.synchronize = lambda: self.log.append("drain")
        event.elapsed_time = lambda end: end.at - event.at
        return event

    def synchronize(self, device: torch.device) -> None:
        self.log.append("synchronize")

    def reset_peak_memory_stats(self, device: torch.device) -> None:
        self.peak_allocated, self.peak_reserved = self.allocated, self.reserved

    def memory_allocated(self, device: torch.device) -> int:
        return self.allocated

    def memory_reserved(self, device: torch.device) -> int:
        return self.reserved

    def max_memory_allocated(self, device: torch.device) -> int:
        return self.peak_allocated

    def max_memory_reserved(self, device: torch.device) -> int:
        return self.peak_reserved

    def empty_cache(self) -> None:
        self.log.append("empty_cache")


def test_the_processor_gives_the_mean_of_a_block() -> None:
    """Calls of 2, 4 and 6 ms are 4 ms a call."""
    clock = FakeClock()
    assert CpuDevice(clock).time_calls_ms(TimedCall(clock, [2.0, 4.0, 6.0]), 3) == pytest.approx(4.0)


def test_cuda_drains_the_device_after_each_call() -> None:
    """A latency is a synchronized call: each has its own pair of events, and the next waits for its end."""
    cuda = FakeCuda()
    device = CudaDevice(0, cuda)
    assert device.time_calls_ms(TimedCall(cuda.clock, [3.0, 5.0]), 2) == pytest.approx(4.0)
    assert cuda.log == ["synchronize", "record", "record", "drain", "record", "record", "drain"]


def test_cuda_events_are_made_beforehand_and_used_again() -> None:
    """The second block of the same length makes no event."""
    cuda = FakeCuda()
    device = CudaDevice(0, cuda)
    for _ in range(3):
        device.time_calls_ms(lambda: cuda.clock.advance_ms(1), 4)
    assert cuda.made == 8


def test_cuda_memory_is_the_peak_above_the_start() -> None:
    """A forward that reaches 6,000 bytes from 1,000 peaks at 5,000; reserved counts from nothing."""
    cuda = FakeCuda()
    device = CudaDevice(0, cuda)
    device.start_memory_peak()
    cuda.peak_allocated, cuda.peak_reserved = 6000, 8000
    assert device.memory_peak_bytes() == (5000, 8000)


def test_release_empties_cudas_cache() -> None:
    """A group's models must not take memory from the next."""
    cuda = FakeCuda()
    CudaDevice(0, cuda).release()
    assert cuda.log == ["empty_cache"]


def test_the_processor_keeps_no_memory_peak() -> None:
    """Absent is None, never 0."""
    device = CpuDevice()
    device.start_memory_peak()
    assert device.memory_peak_bytes() == (None, None)


def test_the_monotonic_clock_never_goes_back() -> None:
    """Two readings in a row are in order."""
    clock = MonotonicClock()
    assert clock.now_ns() <= clock.now_ns()


def test_cpu_is_opened_by_name() -> None:
    """`cpu` is the processor everywhere."""
    assert open_device("cpu").kind == "cpu"


@pytest.mark.parametrize("name", ["gpu", "cuda:x", "cuda:²", "tpu:0", ""])
def test_an_unknown_device_is_a_usage_error(name: str) -> None:
    """The message says which names there are."""
    with pytest.raises(UsageError, match="auto, cpu, cuda or cuda:N"):
        open_device(name)


def test_a_device_that_is_not_there_is_the_machines_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """`cuda:3` where torch sees one device names what there is."""
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(MachineError, match="cuda:3 is not there: torch sees 1 CUDA devices"):
        open_device("cuda:3")


def test_auto_without_cuda_is_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    """A CUDA build of torch on a machine without a GPU measures the processor."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert open_device("auto").kind == "cpu"


@pytest.mark.gpu
def test_cuda_times_a_real_call() -> None:
    """On hardware a matrix product takes some time and its result some memory."""
    need("cuda")
    device = open_device("cuda")
    matrix = torch.ones(512, 512, device=device.torch_device)
    assert device.time_calls_ms(lambda: matrix @ matrix, 3) > 0
    device.start_memory_peak()
    product = matrix @ matrix
    peak, _ = device.memory_peak_bytes()
    assert peak is not None
    assert peak >= product.nbytes
