"""Call a subject until its times are level, before the first sample is taken."""

from dataclasses import dataclass
from statistics import median

from octprobe.measure.device import Call, Device

# Two windows of three blocks: a median of three shrugs off one slow block.
_WINDOW_BLOCKS = 3
# Times still falling by more than this between windows are not level; run to run noise lies below it.
_LEVEL_TOLERANCE = 0.05
# A subject that is not level by now drifts rather than warms up; the samples' interval will tell.
_MAX_WARMUP_MS = 3000.0
# A block of ten milliseconds makes the clock's resolution and a stray interrupt negligible. Five of them warm
# a short call for 50 ms, twice what Triton's `do_bench` does: a clock at rest takes its time to climb.
_TARGET_BLOCK_MS = 10.0
_MAX_BLOCK_CALLS = 1000


@dataclass(frozen=True)
class WarmUp:
    """What warming up told: the first call, the level reached, and the calls it took."""

    first_call_ms: float
    level_ms: float
    calls: int

    @property
    def calls_per_sample(self) -> int:
        """Calls that make a timed block long enough to be read well."""
        return _block_calls(self.level_ms)


def warm_up(call: Call, device: Device) -> WarmUp:
    """Call until the last three blocks are no faster than the three before, or three seconds have gone."""
    first_ms = device.time_calls_ms(call, 1)
    times_ms: list[float] = []
    made, spent_ms, calls = 1, 0.0, 1
    while len(times_ms) < _WINDOW_BLOCKS or not (_is_level(times_ms) or spent_ms > _MAX_WARMUP_MS):
        times_ms.append(device.time_calls_ms(call, calls))
        made += calls
        spent_ms += times_ms[-1] * calls
        calls = _block_calls(times_ms[-1])
    return WarmUp(first_ms, median(times_ms[-_WINDOW_BLOCKS:]), made)


def _block_calls(call_ms: float) -> int:
    wanted = _TARGET_BLOCK_MS / max(call_ms, _TARGET_BLOCK_MS / _MAX_BLOCK_CALLS)
    return max(1, round(wanted))


def _is_level(times_ms: list[float]) -> bool:
    if len(times_ms) < 2 * _WINDOW_BLOCKS:
        return False
    before = median(times_ms[-2 * _WINDOW_BLOCKS : -_WINDOW_BLOCKS])
    return median(times_ms[-_WINDOW_BLOCKS:]) >= before * (1 - _LEVEL_TOLERANCE)
