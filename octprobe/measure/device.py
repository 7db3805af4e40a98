"""Where calls are timed and memory is read: one protocol, the processor and CUDA behind it."""

import gc
import time
from collections.abc import Callable
from typing import Any, Protocol

import torch

from octprobe.errors import MachineError, UsageError

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
        """Make so many synchronized calls and give the mean time of one, in milliseconds."""

    def release(self) -> None:
        """Give back memory that nothing refers to any more."""

    def start_memory_peak(self) -> None:
        """Forget the peak so far."""

    def memory_peak_bytes(self) -> tuple[int | None, int | None]:
        """Give the allocated peak above the start and the reserved peak; None where no such count is kept."""


class CpuDevice:
    """The processor: calls are synchronous, so the clock is read around a block."""

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

    def release(self) -> None:
        """See `Device`."""
        gc.collect()

    def start_memory_peak(self) -> None:
        """See `Device`; torch keeps no peak for the processor, the profiler's records serve instead."""

    def memory_peak_bytes(self) -> tuple[int | None, int | None]:
        """See `Device`."""
        return None, None


class CudaDevice:
    """A CUDA device: event pairs made beforehand, the device drained after each call.

    Args:
        index: CUDA's number of the device.
        cuda: torch.cuda or what stands in for it in a test.
    """

    kind = "cuda"

    def __init__(self, index: int = 0, cuda: Any = torch.cuda) -> None:
        self.torch_device = torch.device("cuda", index)
        self._cuda = cuda
        self._events: list[tuple[Any, Any]] = []
        self._start_bytes = (0, 0)

    def time_calls_ms(self, call: Call, calls: int) -> float:
        """See `Device`."""
        while len(self._events) < calls:
            self._events.append((self._cuda.Event(enable_timing=True), self._cuda.Event(enable_timing=True)))
        pairs = self._events[:calls]
        self._cuda.synchronize(self.torch_device)
        for start, end in pairs:
            start.record()
            call()
            end.record()
            end.synchronize()
        return sum(float(start.elapsed_time(end)) for start, end in pairs) / calls

    def release(self) -> None:
        """See `Device`."""
        gc.collect()
        self._cuda.empty_cache()

    def start_memory_peak(self) -> None:
        """See `Device`."""
        self._cuda.synchronize(self.torch_device)
        self._cuda.reset_peak_memory_stats(self.torch_device)
        self._start_bytes = (
            int(self._cuda.memory_allocated(self.torch_device)),
            int(self._cuda.memory_reserved(self.torch_device)),
        )

    def memory_peak_bytes(self) -> tuple[int | None, int | None]:
        """See `Device`."""
        self._cuda.synchronize(self.torch_device)
        allocated = int(self._cuda.max_memory_allocated(self.torch_device))
        return allocated - self._start_bytes[0], int(self._cuda.max_memory_reserved(self.torch_device))


def open_device(name: str) -> Device:
    """Open a device by the name a sweep gives it: `auto`, `cpu`, `cuda` or `cuda:1`.

    Raises:
        MachineError: this machine has no such device.
        UsageError: octprobe knows no device of that name.
    """
    if name == "cpu" or (name == "auto" and not torch.cuda.is_available()):
        return CpuDevice()
    kind, _, index_text = name.partition(":")
    if kind not in ("auto", "cuda") or not (
        (index_text or "0").isascii() and (index_text or "0").isdecimal()
    ):
        raise UsageError(f"device is {name}; it must be auto, cpu, cuda or cuda:N")
    index, count = int(index_text or 0), torch.cuda.device_count()
    if index >= count:
        raise MachineError(f"device {name} is not there: torch sees {count} CUDA devices; use `device: cpu`")
    torch.cuda.set_device(index)
    return CudaDevice(index)
