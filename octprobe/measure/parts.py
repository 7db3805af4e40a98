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


def processor_busy(timeline: Timeline) -> list[Busy]:
    """Give the own time of every operator; what regions and the program open around them is not busy."""
    operators = [span for span in timeline.spans if span.category == OPERATOR]
    return [Busy(time_ns, span) for span, time_ns in zip(operators, self_times_ns(operators), strict=True)]


def kernels_busy(timeline: Timeline) -> list[Busy]:
    """Give the time of every kernel."""
    return [Busy(kernel.duration_ns, kernel.launch) for kernel in timeline.kernels]


def parts_of(timeline: Timeline, busy: Sequence[Busy], calls: int, *, count_kernels: bool) -> list[PartTime]:
    """Sum the device's time by layer and path, in the order in which the parts first ran.

    A stretch belongs to the innermost region open on its thread when it began or was launched. Where none
    is, it belongs to the backward that is open on any thread, else to no layer.

    Args:
        timeline: a trace of observed calls.
        busy: the stretches, of the same trace.
        calls: calls in the trace.
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
            time_ms=sum(times_ns) / calls / 1e6,
            kernels=round(len(times_ns) / calls) if count_kernels else None,
        )
        for region, times_ns in stretches.items()
    ]


def operators_of(timeline: Timeline, summary: TraceSummary, calls: int) -> list[OperatorTime]:
    """List operators, and the kernels that belong to none by their own names, the longest first.

    Args:
        timeline: a trace.
        summary: its summary.
        calls: calls in the trace.
    """
    times = [
        OperatorTime(
            name=name,
            time_ms=float(use.host_self_us if use.time_us is None else use.time_us) / 1e3 / calls,
            kernels=None if use.kernels is None else use.kernels / calls,
            calls=use.calls / calls,
        )
        for name, use in summary.by_operator.items()
    ]
    return sorted([*times, *_unowned(timeline, calls)], key=lambda time: (-time.time_ms, time.name))


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


def _unowned(timeline: Timeline, calls: int) -> list[OperatorTime]:
    """List the kernels that no operator of torch launched, such as those of a compiler or a CUDA graph."""
    numbers: Counter[str] = Counter()
    times_ns: Counter[str] = Counter()
    for kernel in kernels_by_owner(timeline).get(None, ()):
        numbers[kernel.name] += 1
        times_ns[kernel.name] += kernel.duration_ns
    return [
        OperatorTime(name=name, time_ms=times_ns[name] / calls / 1e6, kernels=n / calls, calls=n / calls)
        for name, n in numbers.items()
    ]
