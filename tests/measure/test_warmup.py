"""Calls made before the first sample."""

import pytest

from fakes import FakeClock, TimedCall
from octprobe.measure.device import CpuDevice
from octprobe.measure.warmup import WarmUp, warm_up


def warmed(times_ms: list[float]) -> tuple[WarmUp, int]:
    """Warm a call up that takes these times."""
    clock = FakeClock()
    call = TimedCall(clock, times_ms)
    return warm_up(call, CpuDevice(clock)), call.calls


def test_level_times_end_the_warm_up_after_two_windows() -> None:
    """One first call and six level blocks of one call."""
    result, calls = warmed([100.0, *[20.0] * 50])
    assert (result.first_call_ms, result.level_ms, result.calls, calls) == (100.0, 20.0, 7, 7)


@pytest.mark.parametrize(("call_ms", "calls"), [(1.0, 2 + 5 * 10), (0.02, 2 + 5 * 500), (0.0, 2 + 5 * 1000)])
def test_short_calls_are_warmed_in_blocks(call_ms: float, calls: int) -> None:
    """After two single calls come blocks of ten milliseconds, at most a thousand calls: 50 ms of load."""
    result, made = warmed([call_ms])
    assert result.level_ms == pytest.approx(call_ms)
    assert (result.calls, made) == (calls, calls)


def test_short_calls_that_speed_up_are_warmed_on() -> None:
    """A clock that climbs for 200 ms of work, from half its pace, is waited for."""
    clock = FakeClock()
    start = clock.now_ns()

    def call() -> None:
        seconds = (clock.now_ns() - start) / 1e9
        clock.advance_ms(1 / min(1.0, 0.5 + 2.5 * seconds))

    result = warm_up(call, CpuDevice(clock))
    assert result.level_ms == pytest.approx(1.0, rel=0.05)
    assert (clock.now_ns() - start) / 1e9 > 0.2


def test_falling_times_go_on_until_they_are_level() -> None:
    """Times that halve are warming up; when they stay, the last window is the level."""
    result, _ = warmed([100, 80, 60, 50, 40, 30, 20, 10, 10, 10, 10, 10, 10, *[10] * 50])
    assert result.level_ms == 10
    assert result.calls == 12


def test_a_slow_subject_is_not_warmed_for_ever() -> None:
    """Past three seconds of calls the warm-up ends, level or not."""
    result, calls = warmed([2000.0, 1900.0, 1500.0, 1200.0, 900.0])
    assert calls == 4
    assert result.level_ms == 1500.0


@pytest.mark.parametrize(
    ("level_ms", "calls"),
    [(80.0, 1), (10.0, 1), (6.0, 2), (1.0, 10), (0.02, 500), (0.001, 1000), (0.0, 1000)],
)
def test_a_sample_is_about_ten_milliseconds_of_calls(level_ms: float, calls: int) -> None:
    """Short calls are bundled, at most a thousand; long ones stand alone."""
    assert WarmUp(1.0, level_ms, 7).calls_per_sample == calls
