"""A stand-in for `torch.cuda` with a clock of its own: streams, events, graphs and memory counters.

Time is counted in whole nanoseconds, so that what the code under test makes of it can be compared with closed
forms. The host's clock moves when the host launches or waits; a stream is the moment at which the device will
have done all that was queued on it.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from fakes import FakeClock

# How CUDA's caching allocator rounds: blocks to 512 bytes, what it takes from the device to 2 MiB.
BLOCK_BYTES = 512
SEGMENT_BYTES = 2 * 1024**2
_MANY_BYTES = 16 * 1024**3


def ns(microseconds: float) -> int:
    """Give microseconds as whole nanoseconds."""
    return round(microseconds * 1e3)


class FakeStream:
    """A queue of kernels, known by the moment it will have run dry."""

    def __init__(self, cuda: "FakeCuda") -> None:
        self._cuda = cuda
        self.ready_ns = 0

    def run(self, duration_ns: int) -> None:
        """Queue one kernel; it starts when the host has launched it and the queue before it is done."""
        self.ready_ns = max(self._cuda.clock.ns, self.ready_ns) + duration_ns

    def record_event(self, event: "FakeEvent | None" = None) -> "FakeEvent":
        """See `torch.cuda.Stream`."""
        event = event or FakeEvent(self._cuda)
        event.record(self)
        return event

    def wait_event(self, event: "FakeEvent") -> None:
        """See `torch.cuda.Stream`; the host goes on."""
        self.ready_ns = max(self.ready_ns, event.at_ns or 0)

    def wait_stream(self, stream: "FakeStream") -> None:
        """See `torch.cuda.Stream`; the host goes on."""
        self.wait_event(stream.record_event())

    def query(self) -> bool:
        """See `torch.cuda.Stream`."""
        return self._cuda.clock.ns >= self.ready_ns

    def synchronize(self) -> None:
        """See `torch.cuda.Stream`."""
        self._cuda.wait_until(self.ready_ns, "stream")


class FakeEvent:
    """A moment on a stream's time line; refuses what torch refuses, in torch's words."""

    def __init__(self, cuda: "FakeCuda", *, enable_timing: bool = False) -> None:
        self._cuda = cuda
        self._enable_timing = enable_timing
        self.at_ns: int | None = None

    def record(self, stream: FakeStream | None = None) -> None:
        """See `torch.cuda.Event`: the stream passes it when all queued before is done, at once where idle."""
        self.at_ns = max(self._cuda.clock.ns, (stream or self._cuda.current_stream()).ready_ns)

    def query(self) -> bool:
        """See `torch.cuda.Event`."""
        return self.at_ns is None or self._cuda.clock.ns >= self.at_ns

    def synchronize(self) -> None:
        """See `torch.cuda.Event`."""
        if self.at_ns is not None:
            self._cuda.wait_until(self.at_ns, "event")

    def elapsed_time(self, end_event: "FakeEvent") -> float:
        """See `torch.cuda.Event`: milliseconds from this event to the other."""
        if not (self._enable_timing and end_event._enable_timing):
            raise ValueError("Both events must be created with argument 'enable_timing=True'.")
        if self.at_ns is None or end_event.at_ns is None:
            raise ValueError("Both events must be recorded before calculating elapsed time.")
        if not (self.query() and end_event.query()):
            raise RuntimeError("Both events must be completed before calculating elapsed time.")
        return (end_event.at_ns - self.at_ns) / 1e6


class FakeGraph:
    """The kernels of a capture, replayed by one launch."""

    def __init__(self, cuda: "FakeCuda") -> None:
        self._cuda = cuda
        self.durations_ns: list[int] = []
        self.is_captured = False

    def replay(self) -> None:
        """See `torch.cuda.CUDAGraph`."""
        if not self.is_captured:
            raise RuntimeError("Called CUDAGraph::replay without a preceding successful capture.")
        self._cuda.clock.ns += self._cuda.graph_launch_ns
        for duration_ns in self.durations_ns:
            self._cuda.current_stream().run(duration_ns)


class FakeAllocator:
    """The caching allocator's counters."""

    def __init__(self, total_bytes: int) -> None:
        self._total_bytes = total_bytes
        self.allocated = self.reserved = 0
        self.peak_allocated = self.peak_reserved = 0

    def take(self, size: int) -> int:
        """Allocate a block; give its size in the pool.

        Raises:
            torch.OutOfMemoryError: the device has no room for it.
        """
        block = -(-size // BLOCK_BYTES) * BLOCK_BYTES
        if self.allocated + block > self._total_bytes:
            raise torch.OutOfMemoryError(f"CUDA out of memory. Tried to allocate {block} bytes.")
        self.allocated += block
        self.reserved = max(self.reserved, self._segments())
        self.peak_allocated = max(self.peak_allocated, self.allocated)
        self.peak_reserved = max(self.peak_reserved, self.reserved)
        return block

    def give(self, block: int) -> None:
        """Free a block; its segment stays in the pool."""
        self.allocated -= block

    def trim(self) -> None:
        """Give segments without a block back to the device."""
        self.reserved = self._segments()

    def forget_peaks(self) -> None:
        """Begin new peaks at what is held now."""
        self.peak_allocated, self.peak_reserved = self.allocated, self.reserved

    def _segments(self) -> int:
        return -(-self.allocated // SEGMENT_BYTES) * SEGMENT_BYTES


class FakeCuda:
    """What octprobe uses of `torch.cuda`, and the levers of a test: `launch`, `take` and `give`.

    Args:
        devices: how many devices there are; all time and memory is one device's.
        graph_launch_us: the host's time to launch a graph.
        total_bytes: memory of the device.

    Attributes:
        clock: the host's clock.
        waits: how often the host waited, by what it waited for: device, stream or event.
        kernels: how many kernels the host has launched one by one.
        events_made: how many events were made.
        chosen: the device set by `set_device`.
    """

    def __init__(
        self, *, devices: int = 1, graph_launch_us: float = 0.0, total_bytes: int = _MANY_BYTES
    ) -> None:
        self.clock = FakeClock()
        self.graph_launch_ns = ns(graph_launch_us)
        self.waits: Counter[str] = Counter()
        self.kernels = 0
        self.events_made = 0
        self.chosen = 0
        self._devices = devices
        self._allocator = FakeAllocator(total_bytes)
        self._streams = [FakeStream(self)]
        self._current = self._streams[0]
        self._capture: FakeGraph | None = None

    def launch(self, host_us: float, device_us: float) -> None:
        """Launch one kernel on the current stream, or into the graph that is being captured."""
        self.clock.ns += ns(host_us)
        self.kernels += 1
        if self._capture:
            self._capture.durations_ns.append(ns(device_us))
        else:
            self._current.run(ns(device_us))

    def take(self, size: int) -> int:
        """Allocate so many bytes; give what `give` needs to free them."""
        return self._allocator.take(size)

    def give(self, block: int) -> None:
        """Free a block."""
        self._allocator.give(block)

    def wait_until(self, moment_ns: int, what: str) -> None:
        """Let the host wait; forbidden during a capture, as on hardware."""
        if self._capture:
            raise RuntimeError("CUDA error: operation not permitted when stream is capturing")
        self.waits[what] += 1
        self.clock.ns = max(self.clock.ns, moment_ns)

    def Stream(self) -> FakeStream:  # noqa: N802  torch's name
        """See `torch.cuda`."""
        self._streams.append(FakeStream(self))
        return self._streams[-1]

    def Event(self, enable_timing: bool = False) -> FakeEvent:  # noqa: N802  torch's name
        """See `torch.cuda`."""
        self.events_made += 1
        return FakeEvent(self, enable_timing=enable_timing)

    def CUDAGraph(self) -> FakeGraph:  # noqa: N802  torch's name
        """See `torch.cuda`."""
        return FakeGraph(self)

    @contextmanager
    def graph(self, cuda_graph: FakeGraph) -> Iterator[None]:
        """See `torch.cuda`: what is launched inside is captured and not run."""
        self.synchronize()
        self.empty_cache()
        self._capture = cuda_graph
        try:
            yield
        finally:
            self._capture = None
        cuda_graph.is_captured = True

    @contextmanager
    def stream(self, stream: FakeStream) -> Iterator[None]:
        """See `torch.cuda`."""
        before, self._current = self._current, stream
        try:
            yield
        finally:
            self._current = before

    def current_stream(self, device: object = None) -> FakeStream:
        """See `torch.cuda`."""
        self._check(device)
        return self._current

    def synchronize(self, device: object = None) -> None:
        """See `torch.cuda`."""
        self._check(device)
        self.wait_until(max(stream.ready_ns for stream in self._streams), "device")

    def is_available(self) -> bool:
        """See `torch.cuda`."""
        return self._devices > 0

    def device_count(self) -> int:
        """See `torch.cuda`."""
        return self._devices

    def set_device(self, device: int) -> None:
        """See `torch.cuda`."""
        self._check(device)
        self.chosen = device

    def get_device_name(self, device: object = None) -> str:
        """See `torch.cuda`."""
        self._check(device)
        return "Fake GPU 3000"

    def memory_allocated(self, device: object = None) -> int:
        """See `torch.cuda`."""
        self._check(device)
        return self._allocator.allocated

    def max_memory_allocated(self, device: object = None) -> int:
        """See `torch.cuda`."""
        self._check(device)
        return self._allocator.peak_allocated

    def memory_reserved(self, device: object = None) -> int:
        """See `torch.cuda`."""
        self._check(device)
        return self._allocator.reserved

    def max_memory_reserved(self, device: object = None) -> int:
        """See `torch.cuda`."""
        self._check(device)
        return self._allocator.peak_reserved

    def reset_peak_memory_stats(self, device: object = None) -> None:
        """See `torch.cuda`."""
        self._check(device)
        self._allocator.forget_peaks()

    def empty_cache(self) -> None:
        """See `torch.cuda`."""
        self._allocator.trim()

    def _check(self, device: object) -> None:
        """Refuse a device that torch would refuse."""
        if isinstance(device, torch.device) and device.type != "cuda":
            raise ValueError(f"Expected a cuda device, but got: {device}")
        index = device.index if isinstance(device, torch.device) else device
        if isinstance(index, int) and index >= self._devices:
            raise RuntimeError("CUDA error: invalid device ordinal")
