"""Call a subject until its times are level, before the first sample is taken."""

from dataclasses import dataclass
from statistics import median

from octprobe.measure.device import Call, Device

# Two windows of three calls: a median of three shrugs off one slow call.
_WINDOW_CALLS = 3
# Times still falling by more than this between windows are not level; run to run noise lies below it.
_LEVEL_TOLERANCE = 0.05
# A subject that is not level by now drifts rather than warms up; the samples' interval will tell.
_MAX_WARMUP_MS = 3000.0
# A sample of ten milliseconds makes the clock's resolution and a stray interrupt negligible.
_TARGET_SAMPLE_MS = 10.0
_MAX_CALLS_PER_SAMPLE = 1000


@dataclass(frozen=True)
class WarmUp:
    """What warming up told: the first call, the level reached, and the calls it took."""

    first_call_ms: float
    level_ms: float
    calls: int

    @property
    def calls_per_sample(self) -> int:
        """Calls that make a timed block long enough to be read well."""
        wanted = _TARGET_SAMPLE_MS / max(self.level_ms, _TARGET_SAMPLE_MS / _MAX_CALLS_PER_SAMPLE)
        return max(1, round(wanted))


def warm_up(call: Call, device: Device) -> WarmUp:
    """Call until the last three times are no faster than the three before, or three seconds have gone."""
    first_ms = device.time_calls_ms(call, 1)
    times_ms: list[float] = []
    while len(times_ms) < _WINDOW_CALLS or not (_is_level(times_ms) or sum(times_ms) > _MAX_WARMUP_MS):
        times_ms.append(device.time_calls_ms(call, 1))
    return WarmUp(first_ms, median(times_ms[-_WINDOW_CALLS:]), 1 + len(times_ms))


def _is_level(times_ms: list[float]) -> bool:
    if len(times_ms) < 2 * _WINDOW_CALLS:
        return False
    before = median(times_ms[-2 * _WINDOW_CALLS : -_WINDOW_CALLS])
    return median(times_ms[-_WINDOW_CALLS:]) >= before * (1 - _LEVEL_TOLERANCE)
