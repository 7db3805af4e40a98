"""Hypervolume: how much of the objectives' space a front dominates, up to a stated reference point.

The area (two objectives) or volume (three) of all places that some point of the front is at least as good as,
and that are at least as good as the reference; a point that is not better than the reference on every
objective adds nothing. Exact: a sum over the boxes between the points' own coordinates. Its unit is the
product of the objectives' units. Two hypervolumes compare only over the same objectives and reference.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from octprobe.explore.dominance.domination import staircase
from octprobe.explore.objectives import Objective
from octprobe.units import show_number


@dataclass(frozen=True)
class Hypervolume:
    """The size of what a front dominates; `reference` is in the objectives' units."""

    value: float
    objectives: tuple[Objective, ...]
    reference: tuple[float, ...]

    @property
    def unit(self) -> str:
        """Give the product of the objectives' units."""
        return " x ".join(goal.unit or "1" for goal in self.objectives)

    def __str__(self) -> str:
        places = zip(self.objectives, self.reference, strict=True)
        reference = ", ".join(f"{goal.name} {show_number(value)}" for goal, value in places)
        return f"hypervolume {self.value:.4g} {self.unit} up to the reference {reference}"


def hypervolume(costs: Sequence[Sequence[float]], reference: Sequence[float]) -> float:
    """Measure what points dominate up to a reference.

    Args:
        costs: points of two or three costs each, smaller is better.
        reference: the costs of the worst place that counts.
    """
    inside = [point for point in costs if all(c < r for c, r in zip(point, reference, strict=True))]
    front = staircase(inside)
    return _area(front, reference) if len(reference) == 2 else _volume(front, reference)


def _area(front: Sequence[Sequence[float]], reference: Sequence[float]) -> float:
    """Add up the strip under each step; along the staircase the first cost grows and the second falls."""
    area, ceiling = 0.0, reference[1]
    for first, second in front:
        area += (reference[0] - first) * (ceiling - second)
        ceiling = second
    return area


def _volume(front: Sequence[Sequence[float]], reference: Sequence[float]) -> float:
    """Slice along the third cost: between two neighbouring values the slice is the same area."""
    levels = sorted({point[2] for point in front})
    volume = 0.0
    for low, high in pairwise([*levels, reference[2]]):
        base = staircase([point[:2] for point in front if point[2] <= low])
        volume += _area(base, reference[:2]) * (high - low)
    return volume
