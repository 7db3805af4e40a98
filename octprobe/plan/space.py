"""A sweep expanded: its design points in groups, and what was left out with the reason."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from octprobe.plan.axes import DEVICE_KIND
from octprobe.plan.effect import Effects, faults_of_row
from octprobe.plan.expression import Condition, ConditionError
from octprobe.plan.point import (
    AlphaMap,
    Conditions,
    DesignPoint,
    LayerSubject,
    NetworkSubject,
    exact_alpha,
)
from octprobe.plan.spec import SweepSpec
from octprobe.plan.variant import VARIANT_AXES, Variant

_CONDITION_AXES = ("resolution", "batch", "dtype", "memory_format", "execution", "mode", "threads")


@dataclass(frozen=True)
class Group:
    """Points that differ in alpha and variant alone, measured together with their anchor.

    Attributes:
        anchor: the alpha 0 point of the group.
        points: the points asked for, in the order of the sweep; the anchor among them only if asked for.
    """

    anchor: DesignPoint
    points: tuple[DesignPoint, ...]

    @cached_property
    def group_id(self) -> str:
        """Identity of the group: that of its anchor."""
        return self.anchor.point_id


@dataclass(frozen=True)
class Exclusion:
    """A point of the grid that an expression of the sweep left out.

    Attributes:
        expression: the condition that held.
        line: where it stands in the file, from 1.
    """

    point: DesignPoint
    expression: str
    line: int


@dataclass(frozen=True)
class Plan:
    """What a sweep measures on one kind of device: each point once, in a fixed order."""

    points: tuple[DesignPoint, ...]
    exclusions: tuple[Exclusion, ...]
    device_kind: str

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """The points in groups, in the order of each group's first point."""
        return gather_groups(self.points)

    def where(self, condition: Condition) -> "Plan":
        """Give the plan of those points of which a condition holds; the others are no exclusions.

        Raises:
            ConditionError: the condition has no answer at some point.
        """
        kept = tuple(p for p in self.points if condition.holds(point_axes(p, self.device_kind)))
        return Plan(kept, self.exclusions, self.device_kind)


def gather_groups(points: Iterable[DesignPoint]) -> tuple[Group, ...]:
    """Gather points that share an anchor."""
    members: dict[DesignPoint, list[DesignPoint]] = {}
    for point in points:
        members.setdefault(point.anchor(), []).append(point)
    return tuple(Group(anchor, tuple(group)) for anchor, group in members.items())


def point_axes(point: DesignPoint, device_kind: str) -> dict[str, Any]:
    """Give a point's axes as conditions read them; a layer whose two sides differ has no `alpha`."""
    axes = point.axes() | {DEVICE_KIND: device_kind}
    if isinstance(point.subject, LayerSubject):
        axes["alpha"] = axes["alpha_in"] if axes["alpha_in"] == axes["alpha_out"] else None
    return axes


def expand(spec: SweepSpec, device_kind: str) -> Plan:
    """List the points of a sweep on a kind of device: the grid less the excluded, then the included rows.

    Raises:
        SpecError: an expression has no answer at some point, or a value of a variant's axis has no effect.
    """
    effects = Effects()
    lines = [spec.source.place(("exclude", index)).line for index in range(len(spec.excludes))]
    kept: dict[DesignPoint, None] = {}
    excluded: dict[DesignPoint, Exclusion] = {}
    for choice in spec.choices(device_kind):
        point = point_of(spec.subject, choice)
        effects.note(choice, point)
        if point in kept or point in excluded:
            continue
        index = _excluding(spec, point, device_kind)
        if index is None:
            kept[point] = None
        else:
            excluded[point] = Exclusion(point, spec.excludes[index].text, lines[index])
    faults = effects.faults(spec)
    for index, row in enumerate(spec.includes):
        point = point_of(spec.subject, row)
        faults += faults_of_row(("include", index), row, point)
        excluded.pop(point, None)
        kept[point] = None
    if faults:
        raise spec.source.error(faults)
    return Plan(tuple(kept), tuple(excluded.values()), device_kind)


def _excluding(spec: SweepSpec, point: DesignPoint, device_kind: str) -> int | None:
    axes = point_axes(point, device_kind) if spec.excludes else {}
    for index, condition in enumerate(spec.excludes):
        try:
            if condition.holds(axes):
                return index
        except ConditionError as error:
            raise spec.no_answer(("exclude", index), f"{error} at {point.label()}", condition) from None
    return None


def point_of(subject: str, choice: Mapping[str, Any]) -> DesignPoint:
    """Make the design point of a choice of values; what it does not give takes its default."""
    return DesignPoint(
        subject=_SUBJECTS[subject](choice),
        conditions=Conditions(**_given(choice, _CONDITION_AXES)),
        variant=Variant(**_given(choice, VARIANT_AXES)),
    )


def _given(choice: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: choice[name] for name in names if name in choice}


def _network(choice: Mapping[str, Any]) -> NetworkSubject:
    alpha: Any = choice["alpha"]
    exact: AlphaMap = tuple((p, exact_alpha(a)) for p, a in alpha) if isinstance(alpha, tuple) else ()
    return NetworkSubject(network=choice["network"], alpha=exact or exact_alpha(alpha))


def _layer(choice: Mapping[str, Any]) -> LayerSubject:
    kernel_size, dilation = choice.get("kernel_size", 3), choice.get("dilation", 1)
    alpha = choice.get("alpha")
    return LayerSubject(
        in_channels=choice["in_channels"],
        out_channels=choice["out_channels"],
        kernel_size=kernel_size,
        stride=choice.get("stride", 1),
        padding=choice.get("padding", dilation * (kernel_size - 1) // 2),
        dilation=dilation,
        groups=choice.get("groups", 1),
        alpha_in=exact_alpha(choice.get("alpha_in", alpha)),
        alpha_out=exact_alpha(choice.get("alpha_out", alpha)),
    )


_SUBJECTS: Mapping[str, Callable[[Mapping[str, Any]], NetworkSubject | LayerSubject]] = {
    "network": _network,
    "layer": _layer,
}
