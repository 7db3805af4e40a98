"""A torch.profiler Chrome trace: the allocator's records."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

# torch's number for the processor in a memory record's "Device Type".
_CPU_DEVICE_TYPE = 0


def read_events(path: Path) -> list[dict[str, Any]]:
    """Read the events of a trace that torch.profiler exported."""
    events: list[dict[str, Any]] = json.loads(path.read_text())["traceEvents"]
    return events


def peak_allocated_bytes(events: Iterable[Mapping[str, Any]]) -> int | None:
    """Give the most bytes the processor's allocator held above the start; None without a record."""
    records = [event for event in events if event.get("name") == "[memory]"]
    records = [record for record in records if record["args"]["Device Type"] == _CPU_DEVICE_TYPE]
    if not records:
        return None
    held = peak = 0
    for record in sorted(records, key=lambda record: float(record["ts"])):
        held += int(record["args"]["Bytes"])
        peak = max(peak, held)
    return peak
