"""Where the device's time goes, as torch.profiler sees it: by layer and octave path, and by operator."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from decimal import Decimal
from pathlib import Path

from torch.profiler import ProfilerActivity, profile, record_function

from octprobe.measure.ability import usable_processors
from octprobe.measure.company import Lookout, company_doubts, summarise_company
from octprobe.measure.device import Call, Device
from octprobe.measure.execution import Runnable
from octprobe.measure.lookout import open_lookout
from octprobe.measure.observe import observed, why_not_observed
from octprobe.measure.parts import busy_of, operators_of, parts_of
from octprobe.plan.point import Conditions
from octprobe.store.records import Breakdown, Doubt
from octprobe.trace.summary import TraceSummary, summarise
from octprobe.trace.timeline import ANNOTATION, Kernel, Span, Timeline, read_timeline

# A device that is busy for less of the latency than this waits for the host.
HOST_BOUND_BELOW = 0.9
# Calls in the profiled session, the median of which is broken down: one call's figures jump, and CUDA gives
# a process one session only.
PROFILED_CALLS = 5
# What each of them is recorded under.
CALL_NAME = "octprobe::call"
# An unknown clock is the latency's to tell.
_SESSION_DOUBTS = (Doubt.CONTAMINATED, Doubt.THROTTLED)
_EMPTY = "the profiler recorded nothing"


def measure_breakdown(
    runnable: Runnable,
    conditions: Conditions,
    device: Device,
    latency_ms: float | None,
    *,
    calls: int = PROFILED_CALLS,
    trace_path: Path | None = None,
    lookout: Lookout | None = None,
) -> tuple[Breakdown, tuple[Doubt, ...]]:
    """Profile a few warmed-up calls in one session, and break down the one of median device time.

    Eager calls are observed layer by layer. What a compiler or a CUDA graph has made of the layers is
    profiled as it is, in total and by operator.

    Args:
        runnable: what is called.
        conditions: under which.
        device: where it runs. A process on CUDA may profile once: later sessions lose records.
        latency_ms: median latency without the profiler, for the host-bound test; None where unknown.
        calls: calls in the session.
        trace_path: where to keep the session's Chrome trace; an older file is replaced, links are followed.
        lookout: tells what else ran during the session.
    """
    parts_reason = _no_parts(conditions) or why_not_observed(runnable.module)
    lookout = lookout or open_lookout(device)
    with _trace_file(trace_path) as path:
        with observed(runnable.module) if parts_reason is None else nullcontext():
            runnable.call()
            company = _record(runnable.call, device, calls, path, lookout)
        call = median_call(read_timeline(path), device.kind)
    breakdown, doubts = break_down(
        call, device_kind=device.kind, latency_ms=latency_ms, parts_reason=parts_reason
    )
    return breakdown, (*doubts, *company)


def median_call(session: Timeline, device_kind: str) -> Timeline:
    """Cut the call of median device time out of a session, the lower one of an even number.

    Calls do not overlap, as each waits for the device: what began within one belongs to it, a kernel by its
    launch where that is known. Without a call nothing is left.
    """
    marks = [span for span in session.spans if (span.category, span.name) == (ANNOTATION, CALL_NAME)]
    calls = sorted((_within(session, mark) for mark in marks), key=lambda call: _busy_ns(call, device_kind))
    return calls[(len(calls) - 1) // 2] if calls else Timeline((), ())


def break_down(
    timeline: Timeline,
    *,
    device_kind: str,
    latency_ms: float | None,
    parts_reason: str | None = None,
) -> tuple[Breakdown, tuple[Doubt, ...]]:
    """Read a profiled call; one in which the device did nothing is a doubt, never 0 ms.

    Args:
        timeline: the call's trace.
        device_kind: `cpu` or `cuda`.
        latency_ms: as for `measure_breakdown`.
        parts_reason: why the trace holds no regions; None where it does.
    """
    on_cuda = device_kind == "cuda"
    busy = busy_of(timeline, device_kind)
    if not busy:
        empty = Breakdown(
            device_time_ms=None, kernels=None, host_bound=None, parts_reason=parts_reason or _EMPTY
        )
        return empty, (Doubt.PROFILER_EMPTY,)
    summary = summarise(timeline)
    parts = parts_of(timeline, busy, count_kernels=on_cuda) if parts_reason is None else None
    breakdown = Breakdown(
        device_time_ms=sum(each.time_ns for each in busy) / 1e6,
        kernels=summary.kernels if on_cuda else None,
        host_bound=_is_host_bound(summary, latency_ms),
        layout_conversion_share=_as_float(summary.layout_conversion.share),
        parts=None if parts is None else tuple(parts),
        parts_reason=parts_reason,
        operators=tuple(operators_of(timeline, summary)),
    )
    return breakdown, ()


def _no_parts(conditions: Conditions) -> str | None:
    """Say why a call has no layers to be told apart; None where it has."""
    if conditions.execution == "eager":
        return None
    return f"execution {conditions.execution} runs fused or captured code, in which layers are not told apart"


def _within(session: Timeline, mark: Span) -> Timeline:
    def holds(part: Span | Kernel) -> bool:
        return mark.start_ns <= part.start_ns < mark.end_ns

    return Timeline(
        spans=tuple(filter(holds, session.spans)),
        kernels=tuple(kernel for kernel in session.kernels if holds(kernel.launch or kernel)),
    )


def _busy_ns(timeline: Timeline, device_kind: str) -> int:
    return sum(each.time_ns for each in busy_of(timeline, device_kind))


def _record(call: Call, device: Device, calls: int, path: Path, lookout: Lookout) -> tuple[Doubt, ...]:
    """Write a session's trace, and give the doubts that its company raises."""
    on_cuda = device.kind == "cuda"
    activities = [ProfilerActivity.CPU] + ([ProfilerActivity.CUDA] if on_cuda else [])
    times_ms = []
    with profile(activities=activities) as profiler:
        lookout.start()
        for _ in range(calls):
            with record_function(CALL_NAME):
                times_ms.append(device.time_calls_ms(call, 1))
        glance = lookout.read()
    profiler.export_chrome_trace(str(path))
    processor_seconds = sum(times_ms) / 1e3 * usable_processors()
    doubts = company_doubts(summarise_company([glance]), processor_seconds)
    return tuple(doubt for doubt in doubts if doubt in _SESSION_DOUBTS)


@contextmanager
def _trace_file(keep: Path | None) -> Iterator[Path]:
    """Give a path to export to; what is there in the end is kept whole or not at all."""
    keep = None if keep is None else keep.resolve()
    folder = None if keep is None else keep.parent
    with tempfile.TemporaryDirectory(prefix=".octprobe-", dir=folder) as hidden:
        path = Path(hidden) / ("trace.json" if keep is None else keep.name)
        yield path
        if keep is not None:
            path.replace(keep)


def _is_host_bound(summary: TraceSummary, latency_ms: float | None) -> bool | None:
    busy_us = summary.busy_union_us
    if busy_us is None or latency_ms is None:
        return None
    return float(busy_us) / 1e3 / latency_ms < HOST_BOUND_BELOW


def _as_float(share: Decimal | None) -> float | None:
    return None if share is None else float(share)
