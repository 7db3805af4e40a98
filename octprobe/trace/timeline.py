"""What ran when: spans on the host's threads, kernels on the device, and the launch that joins them."""

import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from octprobe.trace.event import Event
from octprobe.trace.source import read_events

OPERATOR: Final = "cpu_op"
ANNOTATION: Final = "user_annotation"
# Calls of a device's runtime and driver libraries (cuda_runtime, xpu_runtime, cuda_driver); only these carry
# the correlation of a kernel.
_LAUNCHING: Final = ("_runtime", "_driver")
_KERNEL: Final = "kernel"

# Process and thread, both as text.
Thread = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Span:
    """Something that ran on a thread of the host.

    Attributes:
        name: `aten::conv2d`, `cudaLaunchKernel`, or what the program called it.
        category: cpu_op, user_annotation, or a device's, such as cuda_runtime; older names are translated.
        thread: process and thread.
        start_ns: when it began, by the trace's own clock.
        duration_ns: how long it took, its nested spans included.
    """

    name: str
    category: str
    thread: Thread
    start_ns: int
    duration_ns: int

    @property
    def end_ns(self) -> int:
        """The first moment at which it is no longer open."""
        return self.start_ns + self.duration_ns


@dataclass(frozen=True, slots=True)
class Kernel:
    """A kernel that ran on the device; copies and fills of memory are none.

    Attributes:
        name: the kernel's own.
        start_ns: when it began, by the trace's own clock.
        duration_ns: how long it took; 0 where the trace's clock was too coarse.
        device: the device, as the trace names it.
        stream: the stream, as the trace names it.
        launch: the call on the host that launched it, found by correlation. Where the kernel has none, the
            operator whose external id it carries. None where it links to nothing.
    """

    name: str
    start_ns: int
    duration_ns: int
    device: str
    stream: str
    launch: Span | None

    @property
    def end_ns(self) -> int:
        """The first moment after it."""
        return self.start_ns + self.duration_ns


@dataclass(frozen=True, slots=True)
class MemoryRecord:
    """One allocation, or one release where `size_bytes` is negative.

    Attributes:
        at_ns: when, by the trace's own clock.
        size_bytes: bytes that were taken.
        device_type: torch's number for the kind of device; 0 is the processor.
        thread: process and thread.
        address: where; None in old traces.
    """

    at_ns: int
    size_bytes: int
    device_type: int
    thread: Thread
    address: int | None


@dataclass(frozen=True)
class Timeline:
    """A whole trace, each part in the order of the file.

    Attributes:
        memory: empty unless it was asked for.
        damaged_events: spans and kernels that were left out, for they have no end.
    """

    spans: tuple[Span, ...]
    kernels: tuple[Kernel, ...]
    memory: tuple[MemoryRecord, ...] = ()
    damaged_events: int = 0


def read_timeline(path: Path, *, with_memory: bool = False) -> Timeline:
    """Read a trace that torch.profiler exported, compressed or not.

    Args:
        path: the file.
        with_memory: whether to read the allocators' records.

    Raises:
        TraceError: it cannot be read, is no trace, or an event in it lacks what it must have.
    """
    with _garbage_kept():
        return build_timeline(read_events(path), str(path), with_memory=with_memory)


@contextmanager
def _garbage_kept() -> Iterator[None]:
    """Pause the search for garbage: it takes a third of the time, and what is read is in use to the end."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def build_timeline(events: Iterable[object], file: str = "trace", *, with_memory: bool = False) -> Timeline:
    """Gather the events that tell where time and memory went; all others are passed over.

    Args:
        events: JSON objects; numbers with a fraction are best decimals, as floats have too few digits.
        file: the trace's name, for messages.
        with_memory: whether to read the allocators' records.

    Raises:
        TraceError: an event lacks what it must have.
    """
    spans, kernels, memory = [], [], []
    damaged_events = 0
    launches = _Launches()
    for place, fields in enumerate(events):
        event = Event(file, place, fields)
        category = event.category
        on_host = _is_on_host(category)
        if (on_host or category == _KERNEL) and event.lacks_end:
            damaged_events += 1
        elif category is not None and on_host:
            spans.append(span := _span(event, category))
            launches.note(event, span)
        elif category == _KERNEL:
            kernels.append(event)
        elif with_memory and event.is_memory:
            memory.append(_memory_record(event))
    return Timeline(
        spans=tuple(spans),
        kernels=tuple(_kernel(event, launches.of(event)) for event in kernels),
        memory=tuple(memory),
        damaged_events=damaged_events,
    )


def _is_on_host(category: str | None) -> bool:
    return category in (OPERATOR, ANNOTATION) or _launches(category)


def _launches(category: str | None) -> bool:
    return category is not None and category.endswith(_LAUNCHING)


class _Launches:
    """Which span launched a kernel; a launch may stand after its kernel in the file."""

    def __init__(self) -> None:
        self._calls: dict[int | None, Span] = {}
        self._operators: dict[int | None, Span] = {}

    def note(self, event: Event, span: Span) -> None:
        """Keep a span that may have launched something."""
        if _launches(span.category):
            self._calls.setdefault(event.argument("correlation"), span)
        elif span.category == OPERATOR:
            self._operators.setdefault(_external_id(event), span)

    def of(self, kernel: Event) -> Span | None:
        """Find what launched a kernel.

        External ids come second: some versions write the correlation there, which means another operator.
        """
        correlation = kernel.argument("correlation")
        if correlation is not None:
            return self._calls.get(correlation)
        external = _external_id(kernel)
        return None if external is None else self._operators.get(external)


def _external_id(event: Event) -> int | None:
    return event.argument("External id", "external id")


def _span(event: Event, category: str) -> Span:
    return Span(event.text("name"), category, event.owner, event.start_ns, event.duration_ns)


def _kernel(event: Event, launch: Span | None) -> Kernel:
    device, stream = event.argument("device"), event.argument("stream")
    owner = event.owner if device is None or stream is None else (str(device), str(stream))
    return Kernel(
        name=event.text("name"),
        start_ns=event.start_ns,
        duration_ns=event.duration_ns,
        device=owner[0],
        stream=owner[1],
        launch=launch,
    )


def _memory_record(event: Event) -> MemoryRecord:
    size_bytes, device_type = event.needed_argument("Bytes"), event.needed_argument("Device Type")
    return MemoryRecord(event.start_ns, size_bytes, device_type, event.owner, event.argument("Addr"))
