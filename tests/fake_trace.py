"""Traces made by hand, an event a line; times in microseconds, as torch.profiler writes them."""

import gzip
import json
from pathlib import Path
from typing import Any

from octprobe.trace.timeline import Span

PROCESS = 100
MAIN_THREAD = ("100", "1")

JsonEvent = dict[str, Any]


def host(
    name: str, ts: float, dur: float, *, cat: str = "cpu_op", tid: int | str = 1, **args: object
) -> JsonEvent:
    """Make a span of the host; an argument's underscore stands for a space."""
    named = {key.replace("_", " "): value for key, value in args.items()}
    return {
        "ph": "X",
        "cat": cat,
        "name": name,
        "pid": PROCESS,
        "tid": tid,
        "ts": ts,
        "dur": dur,
        "args": named,
    }


def launch(correlation: int, ts: float, *, tid: int = 1, cat: str = "cuda_runtime") -> JsonEvent:
    """Make a launch of two microseconds."""
    return host("cudaLaunchKernel", ts, 2, cat=cat, tid=tid, correlation=correlation)


def kernel(
    name: str, ts: float, dur: float, correlation: int | None = None, *, stream: int = 7, device: int = 0
) -> JsonEvent:
    """Make a kernel; without a correlation it links to nothing."""
    args = {"device": device, "stream": stream} | (
        {} if correlation is None else {"correlation": correlation}
    )
    fields = {"ph": "X", "cat": "kernel", "name": name, "pid": device, "tid": stream}
    return fields | {"ts": ts, "dur": dur, "args": args}


def memory(ts: float, size: int, device_type: int = 0) -> JsonEvent:
    """Make an allocator's record, as the older schema has it."""
    args = {"Bytes": size, "Device Type": device_type, "Device Id": -1}
    return {"ph": "i", "name": "[memory]", "pid": PROCESS, "tid": 1, "ts": ts, "args": args}


def span(name: str, start_ns: int, end_ns: int, *, thread: str = "1") -> Span:
    """Make an operator's span, in nanoseconds."""
    return Span(name, "cpu_op", ("100", thread), start_ns, end_ns - start_ns)


def write_trace(path: Path, events: list[JsonEvent], *, compress: bool = False) -> Path:
    """Write a trace as torch.profiler does."""
    content = json.dumps({"schemaVersion": 1, "traceEvents": events}).encode()
    path.write_bytes(gzip.compress(content) if compress else content)
    return path
