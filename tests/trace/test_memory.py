"""The allocator's records in a trace."""

from fake_trace import host, memory
from octprobe.trace.memory import peak_allocated_bytes
from octprobe.trace.timeline import build_timeline


def peak(*events: dict[str, object]) -> int | None:
    """Read the peak out of events."""
    return peak_allocated_bytes(build_timeline(events).memory)


def test_the_peak_is_the_highest_running_sum_in_time_order() -> None:
    """Records out of order are put in order: 100, 300, 200, 250."""
    assert (
        peak(memory(3, -100), memory(1, 100), memory(4, 50), memory(2, 200), host("aten::add", 1, 1)) == 300
    )


def test_the_peak_is_above_the_start() -> None:
    """What was held before and is let go cannot make the peak negative."""
    assert peak(memory(1, -500), memory(2, 100)) == 0


def test_other_devices_are_left_out() -> None:
    """A CUDA record is no processor memory."""
    assert peak(memory(1, 700, device_type=1), memory(2, 100)) == 100


def test_no_record_is_no_figure() -> None:
    """An empty session gives None, never 0."""
    assert peak(host("aten::add", 1, 1)) is None
    assert peak(memory(1, 700, device_type=1)) is None
