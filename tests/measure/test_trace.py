"""The allocator's records in a trace."""

import json
from pathlib import Path
from typing import Any

from octprobe.measure.trace import peak_allocated_bytes, read_events


def record(ts: float, size: int, device_type: int = 0) -> dict[str, Any]:
    """Make one memory record."""
    return {"name": "[memory]", "ts": ts, "args": {"Bytes": size, "Device Type": device_type}}


def test_the_peak_is_the_highest_running_sum_in_time_order() -> None:
    """Records out of order are put in order: 100, 300, 200, 250."""
    events = [record(3, -100), record(1, 100), record(4, 50), record(2, 200), {"name": "aten::add", "ts": 1}]
    assert peak_allocated_bytes(events) == 300


def test_the_peak_is_above_the_start() -> None:
    """What was held before and is let go cannot make the peak negative."""
    assert peak_allocated_bytes([record(1, -500), record(2, 100)]) == 0


def test_other_devices_are_left_out() -> None:
    """A CUDA record is no processor memory."""
    assert peak_allocated_bytes([record(1, 700, device_type=1), record(2, 100)]) == 100


def test_no_record_is_no_figure() -> None:
    """An empty session gives None, never 0."""
    assert peak_allocated_bytes([{"name": "aten::add", "ts": 1}]) is None


def test_events_are_read_from_a_file(tmp_path: Path) -> None:
    """The trace is Chrome's format."""
    path = tmp_path / "trace.json"
    path.write_text(json.dumps({"traceEvents": [record(1, 8)]}))
    assert read_events(path) == [record(1, 8)]
