"""Where the time of a trace went: by operator, by kind of kernel, and how much no operator explains."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from octprobe.trace.attribution import OpenSpans, self_times_ns
from octprobe.trace.timeline import OPERATOR, Kernel, Span, Timeline

# Operators of PyTorch itself; what autograd, optimisers and extensions open around them is no owner.
_OWNERS_PREFIX: Final = "aten::"
# NVIDIA's and AMD's communication libraries name their kernels so.
_COMMUNICATION: Final = ("nccl",)
# cuDNN's kernels between channels-first and channels-last.
_LAYOUT_CONVERSION: Final = ("nchwToNhwc", "nhwcToNchw")


@dataclass(frozen=True, kw_only=True)
class OperatorUse:
    """What one operator, by name, took.

    Attributes:
        time_us: sum of its kernels; None in a trace without kernels.
        kernels: kernels that belong to it; None in a trace without kernels.
        calls: its events in the trace, those within other operators included.
        host_self_us: the host's time in all those events, without the operators within.
    """

    time_us: Decimal | None
    kernels: int | None
    calls: int
    host_self_us: Decimal


@dataclass(frozen=True, kw_only=True)
class KernelGroup:
    """Some of a trace's kernels; time and share are None in a trace without any.

    Attributes:
        kernels: how many there are.
        time_us: their sum.
        share: that sum's part of the sum of all kernels, 0 to 1.
    """

    kernels: int
    time_us: Decimal | None
    share: Decimal | None


@dataclass(frozen=True, kw_only=True)
class TraceSummary:
    """A trace in figures. Times are exact; those of kernels are None where there is no kernel.

    Attributes:
        kernels: kernels on all devices; copies and fills are not counted.
        kernel_sum_us: sum of their durations.
        busy_union_us: time in which at least one kernel ran, a device, summed over devices.
        kernel_window_us: from the first kernel's start to the last one's end.
        window_us: the same over kernels and host; None for a trace without either.
        operators: calls of operators that the host recorded.
        devices: devices that ran a kernel.
        streams: their streams that did.
        communication: kernels that move data between devices (NCCL).
        layout_conversion: kernels that convert between channels-first and channels-last.
        unattributed: kernels that belong to no operator.
        unlinked_kernels: those of them whose launch is not in the trace.
        damaged_events: host's spans and kernels that have no end, and count nowhere.
        by_operator: the operators that kernels belong to, the longest first. In a trace without kernels all
            operators, by their time on the host.
    """

    kernels: int
    kernel_sum_us: Decimal | None
    busy_union_us: Decimal | None
    kernel_window_us: Decimal | None
    window_us: Decimal | None
    operators: int
    devices: int
    streams: int
    communication: KernelGroup
    layout_conversion: KernelGroup
    unattributed: KernelGroup
    unlinked_kernels: int
    damaged_events: int
    by_operator: Mapping[str, OperatorUse]


def summarise(timeline: Timeline) -> TraceSummary:
    """Sum a trace up.

    A kernel belongs to the outermost `aten::` operator that is open on the launching thread when the launch
    begins. Communication and layout conversion are told by the kernels' names, whatever they belong to.
    """
    kernels = timeline.kernels
    operators = [span for span in timeline.spans if span.category == OPERATOR]
    owned = kernels_by_owner(timeline)
    unattributed = owned.pop(None, [])
    return TraceSummary(
        kernels=len(kernels),
        kernel_sum_us=_sum_us(kernels) if kernels else None,
        busy_union_us=_busy_union_us(kernels) if kernels else None,
        kernel_window_us=_window_us(kernels),
        window_us=_window_us([*timeline.spans, *kernels]),
        operators=len(operators),
        devices=len({kernel.device for kernel in kernels}),
        streams=len({(kernel.device, kernel.stream) for kernel in kernels}),
        communication=_group(_named(kernels, _COMMUNICATION), kernels),
        layout_conversion=_group(_named(kernels, _LAYOUT_CONVERSION), kernels),
        unattributed=_group(unattributed, kernels),
        unlinked_kernels=sum(kernel.launch is None for kernel in kernels),
        damaged_events=timeline.damaged_events,
        by_operator=_by_operator(operators, owned if kernels else None),
    )


def kernels_by_owner(timeline: Timeline) -> dict[str | None, list[Kernel]]:
    """Part the kernels by the name of the operator they belong to; None is the key of those without."""
    opened = OpenSpans(
        span for span in timeline.spans if span.category == OPERATOR and span.name.startswith(_OWNERS_PREFIX)
    )
    owned: dict[str | None, list[Kernel]] = {}
    for kernel in timeline.kernels:
        launch = kernel.launch
        owner = launch and opened.outermost(launch.thread, launch.start_ns)
        owned.setdefault(owner.name if owner else None, []).append(kernel)
    return owned


def _by_operator(
    operators: Sequence[Span], owned: Mapping[str | None, Sequence[Kernel]] | None
) -> dict[str, OperatorUse]:
    calls: Counter[str] = Counter()
    self_ns: Counter[str] = Counter()
    for span, own_ns in zip(operators, self_times_ns(operators), strict=True):
        calls[span.name] += 1
        self_ns[span.name] += own_ns
    uses = {
        name: OperatorUse(
            time_us=None if owned is None else _sum_us(owned[name]),
            kernels=None if owned is None else len(owned[name]),
            calls=calls[name],
            host_self_us=_us(self_ns[name]),
        )
        for name in calls
        if owned is None or name in owned
    }
    return dict(sorted(uses.items(), key=_longest_first))


def _longest_first(named: tuple[str, OperatorUse]) -> tuple[Decimal, str]:
    name, use = named
    return -(use.host_self_us if use.time_us is None else use.time_us), name


def _named(kernels: Iterable[Kernel], words: Sequence[str]) -> list[Kernel]:
    return [kernel for kernel in kernels if any(word in kernel.name for word in words)]


def _group(some: Sequence[Kernel], kernels: Sequence[Kernel]) -> KernelGroup:
    if not kernels:
        return KernelGroup(kernels=0, time_us=None, share=None)
    time_us, total_us = _sum_us(some), _sum_us(kernels)
    return KernelGroup(kernels=len(some), time_us=time_us, share=time_us / total_us if total_us else None)


def _busy_union_us(kernels: Iterable[Kernel]) -> Decimal:
    """Sum the time in which a device was busy; what overlaps on its streams counts once."""
    busy_ns = 0
    busy_until_ns: dict[str, int] = {}
    for kernel in sorted(kernels, key=lambda kernel: kernel.start_ns):
        free_ns = max(kernel.start_ns, busy_until_ns.get(kernel.device, kernel.start_ns))
        busy_ns += max(kernel.end_ns - free_ns, 0)
        busy_until_ns[kernel.device] = max(kernel.end_ns, free_ns)
    return _us(busy_ns)


def _window_us(parts: Iterable[Span | Kernel]) -> Decimal | None:
    """Give the time from the first part to the last; old traces put at 0 what they lost the time of."""
    placed = [part for part in parts if part.start_ns or part.duration_ns]
    if not placed:
        return None
    return _us(max(part.end_ns for part in placed) - min(part.start_ns for part in placed))


def _sum_us(kernels: Iterable[Kernel]) -> Decimal:
    return _us(sum(kernel.duration_ns for kernel in kernels))


def _us(nanoseconds: int) -> Decimal:
    return Decimal(nanoseconds) / 1000
