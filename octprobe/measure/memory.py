"""Peak memory of one forward call, above what was held before it."""

import tempfile
from pathlib import Path

from torch.profiler import ProfilerActivity, profile

from octprobe.measure.device import Call, Device
from octprobe.measure.trace import peak_allocated_bytes, read_events
from octprobe.plan.point import Conditions
from octprobe.store.records import Memory


def measure_memory(call: Call, device: Device, conditions: Conditions) -> Memory:
    """Read the peak of one warmed-up call: CUDA's own counters, or the processor allocator's records.

    A captured graph allocates at its capture and nothing when it is replayed, so there is no such figure.
    """
    if conditions.execution == "cudagraph":
        return Memory(peak_allocator_bytes=None, peak_reserved_bytes=None)
    call()
    if device.kind == "cpu":
        return Memory(peak_allocator_bytes=_recorded_peak_bytes(call), peak_reserved_bytes=None)
    device.start_memory_peak()
    call()
    allocated, reserved = device.memory_peak_bytes()
    return Memory(peak_allocator_bytes=allocated, peak_reserved_bytes=reserved)


def _recorded_peak_bytes(call: Call) -> int | None:
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        call()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trace.json"
        profiler.export_chrome_trace(str(path))
        return peak_allocated_bytes(read_events(path))
