"""Peak memory of one call, above what was held before it."""

import tempfile
from pathlib import Path

from torch.profiler import ProfilerActivity, profile

from octprobe.measure.device import Call, Device
from octprobe.measure.execution import Runnable
from octprobe.plan.point import Conditions
from octprobe.store.records import Memory
from octprobe.trace.memory import peak_allocated_bytes
from octprobe.trace.timeline import read_timeline


def measure_memory(runnable: Runnable, conditions: Conditions, device: Device) -> Memory:
    """Read the peak of one warmed-up call: CUDA's own counters, or the processor allocator's records.

    A captured graph allocates at its capture and nothing when it is replayed, so there is no such figure.

    Args:
        runnable: what is called. What its last call left is let go first, so that a training call's gradients
            are in the peak.
        conditions: under which.
        device: where it runs.
    """
    if conditions.execution == "cudagraph":
        return Memory(peak_allocator_bytes=None, peak_reserved_bytes=None)
    runnable.call()
    runnable.forget()
    if device.kind == "cpu":
        return Memory(peak_allocator_bytes=_recorded_peak_bytes(runnable.call), peak_reserved_bytes=None)
    device.start_memory_peak()
    runnable.call()
    allocated, reserved = device.memory_peak_bytes()
    return Memory(peak_allocator_bytes=allocated, peak_reserved_bytes=reserved)


def _recorded_peak_bytes(call: Call) -> int | None:
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        call()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trace.json"
        profiler.export_chrome_trace(str(path))
        return peak_allocated_bytes(read_timeline(path, with_memory=True))
