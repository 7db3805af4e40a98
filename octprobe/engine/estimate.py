"""What a sweep will take, guessed before a clock is read: seconds and bytes, from counted work."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from octprobe.errors import OctprobeError
from octprobe.measure.ability import unable, usable_processors
from octprobe.measure.failure import reason_of
from octprobe.measure.stopping import MIN_SAMPLES
from octprobe.plan.point import DesignPoint
from octprobe.plan.space import Group
from octprobe.plan.spec import Measure
from octprobe.store.records import Cost
from octprobe.units import bytes_in_dtype

# Assumed rates in GMACs a second, good to a factor of two or three: a processor core at float32 convolutions
# (ResNet-50 takes 80 ms on two cores of an AMD EPYC 7003, 2026-11), and an accelerator at a tenth of
# an A100's float32 peak of 9.75 TMACs a second (NVIDIA's data sheet).
CORE_GMACS_PER_SECOND = 25.0
ACCELERATOR_GMACS_PER_SECOND = 1000.0
# Calls that a point costs beside its samples: warm-up, memory and breakdown.
_OTHER_CALLS = 16
# Building and converting a subject twice, and counting it.
_BUILD_SECONDS = {"network": 4.0, "layer": 0.2}
# Two workers that load torch and timm.
_START_SECONDS = 15.0


@dataclass(frozen=True)
class PointEstimate:
    """What one point is expected to take; cost is None, with the reason, where it cannot be built."""

    point: DesignPoint
    cost: Cost | None
    reason: str | None
    seconds: float
    activation_bytes: int
    weights_bytes: int


@dataclass(frozen=True)
class GroupEstimate:
    """What a group is expected to take; its models are in memory together."""

    group: Group
    points: tuple[PointEstimate, ...]

    @property
    def seconds(self) -> float:
        """Expected wall time."""
        return sum(point.seconds for point in self.points)

    @property
    def memory_bytes(self) -> int:
        """Expected memory: every model's weights, and the largest activations."""
        weights = sum(point.weights_bytes for point in self.points)
        return weights + max((point.activation_bytes for point in self.points), default=0)


def estimate_group(
    group: Group, settings: Measure, cost_of: Callable[[DesignPoint], Cost], device_kind: str
) -> GroupEstimate:
    """Guess what a group takes."""
    return GroupEstimate(
        group, tuple(_estimate_point(point, settings, cost_of, device_kind) for point in group.points)
    )


def point_seconds(point: DesignPoint, settings: Measure, cost: Cost, device_kind: str) -> float:
    """Guess the wall time of one point from its cost."""
    conditions = point.conditions
    call_seconds = cost.macs_executed * conditions.batch / _macs_per_second(point, device_kind)
    return _BUILD_SECONDS[point.subject_kind] + _sampling_seconds(call_seconds, settings)


def total_seconds(groups: Sequence[GroupEstimate]) -> float:
    """Guess the wall time of a sweep."""
    return _START_SECONDS + sum(group.seconds for group in groups)


def _estimate_point(
    point: DesignPoint, settings: Measure, cost_of: Callable[[DesignPoint], Cost], device_kind: str
) -> PointEstimate:
    reason = unable(point.conditions, device_kind)
    if reason:
        return PointEstimate(point, None, reason, 0.0, 0, 0)
    try:
        cost = cost_of(point)
    except OctprobeError as error:
        return PointEstimate(point, None, str(error), 0.0, 0, 0)
    except Exception as error:  # whatever building or running a network raises is this point's alone
        return PointEstimate(point, None, reason_of(error), 0.0, 0, 0)
    conditions = point.conditions
    return PointEstimate(
        point,
        cost,
        None,
        point_seconds(point, settings, cost, device_kind),
        bytes_in_dtype((cost.peak_live_bytes + cost.input_bytes) * conditions.batch, conditions.dtype),
        bytes_in_dtype(cost.weights_bytes, conditions.dtype),
    )


def _sampling_seconds(call_seconds: float, settings: Measure) -> float:
    """Samples come in pairs with the anchor's, so each costs two calls."""
    sampling = min(max(MIN_SAMPLES * call_seconds, settings.min_seconds), settings.max_seconds)
    return 2 * sampling + _OTHER_CALLS * call_seconds


def _macs_per_second(point: DesignPoint, device_kind: str) -> float:
    if device_kind != "cpu":
        return ACCELERATOR_GMACS_PER_SECOND * 1e9
    return CORE_GMACS_PER_SECOND * 1e9 * (point.conditions.threads or usable_processors())
