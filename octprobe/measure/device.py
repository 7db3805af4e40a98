"""Where calls are timed and memory is read: one protocol, the processor and CUDA behind it."""

import gc
import re
import time
from collections.abc import Callable
from functools import cached_property
from typing import Any, Protocol

import torch

from octprobe.errors import MachineError, UsageError
from octprobe.plan.grammar import DEVICE_PATTERN

Call = Callable[[], object]


class Clock(Protocol):
    """Tells the time; a fake one makes timing tests exact."""

    def now_ns(self) -> int:
        """Give nanoseconds since any fixed moment; never goes back."""


class MonotonicClock:
    """The processor's own clock."""

    def now_ns(self) -> int:
        """Give `time.perf_counter_ns`."""
        return time.perf_counter_ns()


class Device(Protocol):
    """What the measuring needs of a device."""

    @property
    def kind(self) -> str:
        """Give `cpu` or `cuda`."""

    @property
    def torch_device(self) -> torch.device:
        """Give the device as torch names it."""

    def time_calls_ms(self, call: Call, calls: int) -> float:
        """Make so many synchronized calls, each on an idle device, and give the mean time of one."""

    def time_back_to_back_ms(self, call: Call, calls: int) -> float:
        """Make so many calls without waiting in between and give the mean time from one to the next."""

    def release(self) -> None:
        """Give back memory that nothing refers to any more."""

    def start_memory_peak(self) -> None:
        """Forget the peak so far."""

    def memory_peak_bytes(self) -> tuple[int | None, int | None]:
        """Give the allocated peak above the start, and the most that the allocator's pool held in all.

        None where no such count is kept.
        """


class CpuDevice:
    """The processor: a call is over when it returns, so the clock is read around a block.

    Args:
        clock: tells the time.
    """

    kind = "cpu"

    def __init__(self, clock: Clock | None = None) -> None:
        self.torch_device = torch.device("cpu")
        self._clock = clock or MonotonicClock()

    def time_calls_ms(self, call: Call, calls: int) -> float:
        """See `Device`."""
        start = self._clock.now_ns()
        for _ in range(calls):
            call()
        return (self._clock.now_ns() - start) / calls / 1e6

    def time_back_to_back_ms(self, call: Call, calls: int) -> float:
        """See `Device`; on a processor no call waits for another, so the two times are one."""
        return self.time_calls_ms(call, calls)

    def release(self) -> None:
        """See `Device`."""
        gc.collect()

    def start_memory_peak(self) -> None:
        """See `Device`; torch keeps no peak for the processor, the profiler's records serve instead."""

    def memory_peak_bytes(self) -> tuple[int | None, int | None]:
        """See `Device`."""
        return None, None


class CudaDevice:
    """A CUDA device, timed with a pair of events on the current stream.

    An idle device takes an event the moment it is recorded. So the time of a synchronized call runs from
    before its first line of Python to the end of its last kernel: launches are in it, as a single request
    feels them; the host's waking up is not. Nothing is flushed between calls: caches are warm.

    Args:
        index: CUDA's number of the device.
        cuda: torch.cuda or what stands in for it in a test.
    """

    kind = "cuda"

    def __init__(self, index: int = 0, cuda: Any = torch.cuda) -> None:
        self.torch_device = torch.device("cuda", index)
        self._index = index
        self._cuda = cuda
        self._start_bytes = 0

    def time_calls_ms(self, call: Call, calls: int) -> float:
        """See `Device`; the host waits once a call."""
        start, end = self._events
        self._cuda.synchronize(self._index)
        total_ms = 0.0
        for _ in range(calls):
            start.record()
            call()
            end.record()
            end.synchronize()
            total_ms += float(start.elapsed_time(end))
        return total_ms / calls

    def time_back_to_back_ms(self, call: Call, calls: int) -> float:
        """See `Device`; the host waits once, and one untimed call first gives it its usual lead."""
        start, end = self._events
        self._cuda.synchronize(self._index)
        call()
        start.record()
        for _ in range(calls):
            call()
        end.record()
        end.synchronize()
        return float(start.elapsed_time(end)) / calls

    @cached_property
    def _events(self) -> tuple[Any, Any]:
        """Make the pair and record it, for torch puts the making off to the first record."""
        pair = self._cuda.Event(enable_timing=True), self._cuda.Event(enable_timing=True)
        for event in pair:
            event.record()
        return pair

    def release(self) -> None:
        """See `Device`."""
        gc.collect()
        self._cuda.empty_cache()

    def start_memory_peak(self) -> None:
        """See `Device`; the pool gives back what earlier calls left in it, which is no part of the peak."""
        self._cuda.synchronize(self._index)
        self._cuda.empty_cache()
        self._cuda.reset_peak_memory_stats(self._index)
        self._start_bytes = int(self._cuda.memory_allocated(self._index))

    def memory_peak_bytes(self) -> tuple[int | None, int | None]:
        """See `Device`."""
        self._cuda.synchronize(self._index)
        allocated = int(self._cuda.max_memory_allocated(self._index))
        return allocated - self._start_bytes, int(self._cuda.max_memory_reserved(self._index))


def open_device(name: str, cuda: Any = torch.cuda) -> Device:
    """Open a device by the name a sweep gives it: `auto`, `cpu`, `cuda` or `cuda:1`.

    Args:
        name: `auto` is the first CUDA device where there is one, and `cuda` the first.
        cuda: torch.cuda or what stands in for it in a test.

    Raises:
        MachineError: this machine has no such device.
        UsageError: octprobe knows no device of that name.
    """
    if not re.fullmatch(DEVICE_PATTERN, name):
        raise UsageError(f"device is {name}; it must be auto, cpu, cuda or cuda:N")
    if name == "cpu" or (name == "auto" and not cuda.is_available()):
        return CpuDevice()
    index, count = int(name.partition(":")[2] or 0), cuda.device_count()
    if index >= count:
        raise MachineError(f"device {name} is not there; {_way_out(count)}")
    cuda.set_device(index)
    return CudaDevice(index, cuda)


def _way_out(count: int) -> str:
    """Say which devices a person can name instead."""
    if count == 0:
        return "torch sees no CUDA device; use cpu"
    if count == 1:
        return "torch sees cuda:0; use that or cpu"
    return f"torch sees cuda:0 to cuda:{count - 1}; use one of them or cpu"
