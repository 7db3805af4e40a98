"""Hypervolume against a count of unit cells, and against inclusion and exclusion; its words."""

from collections.abc import Sequence
from itertools import combinations, product
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from octprobe.explore.dominance.hypervolume import Hypervolume, hypervolume
from octprobe.explore.objectives import objective

SIDE = 5


def cells(points: Sequence[Sequence[int]], reference: Sequence[int]) -> int:
    """Count the unit cells below the reference that some point is at least as good as."""
    grid = product(*[range(bound) for bound in reference])
    return sum(
        any(all(p <= c for p, c in zip(point, cell, strict=True)) for point in points) for cell in grid
    )


def included_and_excluded(points: Sequence[Sequence[int]], reference: Sequence[int]) -> int:
    """Add the boxes of points, take away those that two share, and so on."""
    total = 0
    for size in range(1, len(points) + 1):
        for chosen in combinations(points, size):
            sides = [max(0, r - max(at)) for r, at in zip(reference, zip(*chosen, strict=True), strict=True)]
            total += (-1) ** (size + 1) * prod(sides)
    return total


@pytest.mark.parametrize("objectives", [2, 3])
@given(data=st.data())
def test_it_is_the_count_of_cells(objectives: int, data: st.DataObject) -> None:
    """Points on and beyond the reference add nothing."""
    point = st.tuples(*[st.integers(0, SIDE + 1)] * objectives)
    points, reference = data.draw(st.lists(point, max_size=12)), data.draw(point)
    assert hypervolume(points, reference) == cells(points, reference)


@pytest.mark.parametrize("objectives", [2, 3])
@given(data=st.data())
def test_it_is_inclusion_and_exclusion(objectives: int, data: st.DataObject) -> None:
    """An independent way, for points below 0 too."""
    point = st.tuples(*[st.integers(-9, 9)] * objectives)
    points = data.draw(st.lists(point, max_size=6))
    reference = (7,) * objectives
    assert hypervolume(points, reference) == included_and_excluded(points, reference)


def test_a_single_point_at_the_reference_is_worth_nothing() -> None:
    """As where a store holds vanilla alone."""
    assert hypervolume([(3, 4)], (3, 4)) == 0
    assert hypervolume([], (1, 1)) == 0


def test_it_is_told_with_its_unit_and_reference() -> None:
    """Figures of other references do not compare, so the reference is always said."""
    goals = (objective("latency"), objective("macs"))
    assert str(Hypervolume(12345.678, goals, (84.0, 4e9))) == (
        "hypervolume 1.235e+04 ms/call x MACs/item up to the reference latency 84.00, macs 4000000000"
    )
