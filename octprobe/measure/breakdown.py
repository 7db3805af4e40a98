"""Where the device's time goes, as torch.profiler sees it: by layer and octave path, and by operator."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from decimal import Decimal
from pathlib import Path

from torch.profiler import ProfilerActivity, profile

from octprobe.measure.device import Call, Device
from octprobe.measure.execution import Runnable
from octprobe.measure.observe import observed
from octprobe.measure.parts import kernels_busy, operators_of, parts_of, processor_busy
from octprobe.plan.point import Conditions
from octprobe.store.records import Breakdown, Doubt
from octprobe.trace.summary import TraceSummary, summarise
from octprobe.trace.timeline import Timeline, read_timeline

# A device that is busy for less of the latency than this waits for the host.
HOST_BOUND_BELOW = 0.9
# Calls in the profiled session: one call's figures jump, and CUDA gives a process one session only.
PROFILED_CALLS = 5
_EMPTY = "the profiler recorded nothing"


def measure_breakdown(
    runnable: Runnable,
    conditions: Conditions,
    device: Device,
    latency_ms: float | None,
    *,
    calls: int = PROFILED_CALLS,
    trace_path: Path | None = None,
) -> tuple[Breakdown, tuple[Doubt, ...]]:
    """Profile a few warmed-up calls in one session.

    Eager calls are observed layer by layer. What a compiler or a CUDA graph has made of the layers is
    profiled as it is, in total and by operator.

    Args:
        runnable: what is called.
        conditions: under which.
        device: where it runs. A process on CUDA may profile once: later sessions lose records.
        latency_ms: median latency without the profiler, for the host-bound test; None where unknown.
        calls: calls in the session.
        trace_path: where to keep the session's Chrome trace; an older file is replaced.
    """
    runnable.call()
    parts_reason = _no_parts(conditions)
    with _trace_file(trace_path) as path:
        with observed(runnable.module) if parts_reason is None else nullcontext():
            _record(runnable.call, device, calls, path)
        timeline = read_timeline(path)
    return break_down(
        timeline, calls, device_kind=device.kind, latency_ms=latency_ms, parts_reason=parts_reason
    )


def break_down(
    timeline: Timeline,
    calls: int,
    *,
    device_kind: str,
    latency_ms: float | None,
    parts_reason: str | None = None,
) -> tuple[Breakdown, tuple[Doubt, ...]]:
    """Read a profiled session; one in which the device did nothing is a doubt, never 0 ms.

    Args:
        timeline: the session's trace.
        calls: calls in it.
        device_kind: `cpu` or `cuda`.
        latency_ms: as for `measure_breakdown`.
        parts_reason: why the trace holds no regions; None where it does.
    """
    on_cuda = device_kind == "cuda"
    busy = kernels_busy(timeline) if on_cuda else processor_busy(timeline)
    if not busy:
        empty = Breakdown(
            device_time_ms=None, kernels=None, host_bound=None, parts_reason=parts_reason or _EMPTY
        )
        return empty, (Doubt.PROFILER_EMPTY,)
    summary = summarise(timeline)
    parts = parts_of(timeline, busy, calls, count_kernels=on_cuda) if parts_reason is None else None
    breakdown = Breakdown(
        device_time_ms=sum(each.time_ns for each in busy) / calls / 1e6,
        kernels=round(summary.kernels / calls) if on_cuda else None,
        host_bound=_is_host_bound(summary, calls, latency_ms),
        layout_conversion_share=_as_float(summary.layout_conversion.share),
        parts=None if parts is None else tuple(parts),
        parts_reason=parts_reason,
        operators=tuple(operators_of(timeline, summary, calls)),
    )
    return breakdown, ()


def _no_parts(conditions: Conditions) -> str | None:
    """Say why a call has no layers to be told apart; None where it has."""
    if conditions.execution == "eager":
        return None
    return f"execution {conditions.execution} runs fused or captured code, in which layers are not told apart"


def _record(call: Call, device: Device, calls: int, path: Path) -> None:
    on_cuda = device.kind == "cuda"
    activities = [ProfilerActivity.CPU] + ([ProfilerActivity.CUDA] if on_cuda else [])
    with profile(activities=activities) as profiler:
        for _ in range(calls):
            device.time_calls_ms(call, 1)
    profiler.export_chrome_trace(str(path))


@contextmanager
def _trace_file(keep: Path | None) -> Iterator[Path]:
    """Give a path to export to; what is there in the end is kept whole or not at all."""
    folder = None if keep is None else keep.parent
    with tempfile.TemporaryDirectory(prefix=".octprobe-", dir=folder) as hidden:
        path = Path(hidden) / ("trace.json" if keep is None else keep.name)
        yield path
        if keep is not None:
            path.replace(keep)


def _is_host_bound(summary: TraceSummary, calls: int, latency_ms: float | None) -> bool | None:
    busy_us = summary.busy_union_us
    if busy_us is None or latency_ms is None:
        return None
    return float(busy_us) / 1e3 / calls / latency_ms < HOST_BOUND_BELOW


def _as_float(share: Decimal | None) -> float | None:
    return None if share is None else float(share)
