"""Parts of a profiled call: which layer, path and operator each stretch of the device's time is due to."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from octprobe.measure.observe import NOWHERE, Region, read_region
from octprobe.store.records import OperatorTime, PartTime
from octprobe.trace.attribution import OpenSpans, self_times_ns
from octprobe.trace.summary import TraceSummary, kernels_by_owner
from octprobe.trace.timeline import ANNOTATION, OPERATOR, Span, Thread, Timeline

# CUDA's backward is launched from a thread of its own, on which no region is open.
_ANY_THREAD: Thread = ("", "")


@dataclass(frozen=True, slots=True)
class Busy:
    """A stretch of the device's time, and the span on the host that it is due to.

    Attributes:
        time_ns: how long the device was busy.
        cause: the operator itself on a processor, the launch of a kernel; None where nothing tells.
    """

    time_ns: int
    cause: Span | None


def busy_of(timeline: Timeline, device_kind: str) -> list[Busy]:
    """Give what kept a device busy: kernels on CUDA, operators on a processor."""
    return kernels_busy(timeline) if device_kind == "cuda" else processor_busy(timeline)


def processor_busy(timeline: Timeline) -> list[Busy]:
    """Give the own time of every operator; what regions and the program open around them is not busy."""
    operators = [span for span in timeline.spans if span.category == OPERATOR]
    return [Busy(time_ns, span) for span, time_ns in zip(operators, self_times_ns(operators), strict=True)]


def kernels_busy(timeline: Timeline) -> list[Busy]:
    """Give the time of every kernel."""
    return [Busy(kernel.duration_ns, kernel.launch) for kernel in timeline.kernels]


def parts_of(timeline: Timeline, busy: Sequence[Busy], *, count_kernels: bool) -> list[PartTime]:
    """Sum the device's time by layer and path, in the order in which the parts first ran.

    A stretch belongs to the innermost region open on its thread when it began or was launched. Where none
    is, it belongs to the backward that is open on any thread, else to no layer.

    Args:
        timeline: a trace of an observed call.
        busy: the stretches, of the same trace.
        count_kernels: whether a stretch is a kernel.
    """
    finder = _RegionFinder(timeline.spans)
    stretches: dict[Region, list[int]] = {}
    for each in sorted(busy, key=lambda each: each.cause.start_ns if each.cause else math.inf):
        stretches.setdefault(finder.region_of(each.cause), []).append(each.time_ns)
    return [
        PartTime(
            layer=region.layer,
            path=region.path,
            time_ms=sum(times_ns) / 1e6,
            kernels=len(times_ns) if count_kernels else None,
        )
        for region, times_ns in stretches.items()
    ]


def operators_of(timeline: Timeline, summary: TraceSummary) -> list[OperatorTime]:
    """List operators, and the kernels that belong to none by their own names, the longest first.

    Args:
        timeline: a trace of a call.
        summary: its summary.
    """
    times = [
        OperatorTime(
            name=name,
            time_ms=float(use.host_self_us if use.time_us is None else use.time_us) / 1e3,
            kernels=use.kernels,
            calls=use.calls,
        )
        for name, use in summary.by_operator.items()
    ]
    return sorted([*times, *_unowned(timeline)], key=lambda time: (-time.time_ms, time.name))


class _RegionFinder:
    """Which region a span on the host lies in."""

    def __init__(self, spans: Iterable[Span]) -> None:
        regions = list(_regions(spans))
        self._by_thread = OpenSpans(span for span, _ in regions)
        self._backward = OpenSpans(
            replace(span, thread=_ANY_THREAD) for span, region in regions if region.path == "backward"
        )

    def region_of(self, cause: Span | None) -> Region:
        """Give the region, that of no layer included."""
        if cause is None:
            return NOWHERE
        found = self._by_thread.innermost(cause.thread, cause.start_ns)
        found = found or self._backward.innermost(_ANY_THREAD, cause.start_ns)
        return (read_region(found.name) if found else None) or NOWHERE


def _regions(spans: Iterable[Span]) -> Iterator[tuple[Span, Region]]:
    for span in spans:
        region = read_region(span.name) if span.category == ANNOTATION else None
        if region is not None:
            yield span, region


def _unowned(timeline: Timeline) -> list[OperatorTime]:
    """List the kernels that no operator of torch launched, such as those of a compiler or a CUDA graph."""
    numbers: Counter[str] = Counter()
    times_ns: Counter[str] = Counter()
    for kernel in kernels_by_owner(timeline).get(None, ()):
        numbers[kernel.name] += 1
        times_ns[kernel.name] += kernel.duration_ns
    return [
        OperatorTime(name=name, time_ms=times_ns[name] / 1e6, kernels=n, calls=n)
        for name, n in numbers.items()
    ]
