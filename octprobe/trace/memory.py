"""What an allocator held over time."""

from collections.abc import Iterable

from octprobe.trace.timeline import MemoryRecord

# torch's number for the processor in a memory record.
_CPU_DEVICE_TYPE = 0


def peak_allocated_bytes(records: Iterable[MemoryRecord]) -> int | None:
    """Give the most bytes the processor's allocator held above the start; None without a record."""
    of_cpu = [record for record in records if record.device_type == _CPU_DEVICE_TYPE]
    if not of_cpu:
        return None
    held = peak = 0
    for record in sorted(of_cpu, key=lambda record: record.at_ns):
        held += record.size_bytes
        peak = max(peak, held)
    return peak
