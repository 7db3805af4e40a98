"""Domination against its definition, pair by pair, with ties, equal points, infinities and several fronts."""

from collections.abc import Sequence
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from octprobe.explore.dominance import domination
from octprobe.explore.dominance.domination import Pivots, Points, dominated, staircase

Costs = Sequence[float]
GRID = st.integers(0, 4).map(float)
WIDE = st.one_of(GRID, st.sampled_from([-0.0, float("inf"), float("-inf"), 1e-300, 1e300]))


def points_of(rows: Sequence[tuple[int, Costs]], objectives: int) -> Points:
    """Lay points out in arrays."""
    costs = [np.array([row[1][place] for row in rows], dtype=float) for place in range(objectives)]
    return Points(tuple(costs), np.array([row[0] for row in rows], dtype=np.intp))


def beats(one: Costs, other: Costs) -> bool:
    """Say by the definition whether a point dominates another."""
    pairs = list(zip(one, other, strict=True))
    return all(a <= b for a, b in pairs) and any(a < b for a, b in pairs)


def by_definition(queries: Sequence[tuple[int, Costs]], points: Sequence[tuple[int, Costs]]) -> list[bool]:
    """Compare every query with every point of its front."""
    return [any(front == f and beats(cost, c) for f, cost in points) for front, c in queries]


def rows(objectives: int, values: st.SearchStrategy[float]) -> st.SearchStrategy[list[tuple[int, Costs]]]:
    """Give points of up to three fronts; a small grid makes ties and equal points common."""
    return st.lists(st.tuples(st.integers(0, 2), st.tuples(*[values] * objectives)), max_size=40)


@pytest.mark.parametrize("objectives", [2, 3])
@pytest.mark.parametrize("few", [0, domination.FEW])
@given(data=st.data())
def test_it_is_the_definition(objectives: int, few: int, data: st.DataObject) -> None:
    """With and without pivots, in blocks of three, sampled or not."""
    found = data.draw(rows(objectives, data.draw(st.sampled_from([GRID, WIDE]))))
    sample = data.draw(st.sampled_from([2, 500]))
    with patch.multiple(domination, FEW=few, BLOCK=3, SAMPLE=sample):
        assert dominated(points_of(found, objectives)).tolist() == by_definition(found, found)


@pytest.mark.parametrize("objectives", [2, 3])
@pytest.mark.parametrize("few", [0, domination.FEW])
@given(data=st.data())
def test_queries_are_compared_with_other_points(objectives: int, few: int, data: st.DataObject) -> None:
    """What equals a query does not dominate it, wherever it comes from."""
    queries, points = data.draw(rows(objectives, WIDE)), data.draw(rows(objectives, WIDE))
    with patch.multiple(domination, FEW=few, BLOCK=3):
        found = dominated(points_of(queries, objectives), points_of(points, objectives))
    assert found.tolist() == by_definition(queries, points)


@given(st.lists(st.tuples(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9)), max_size=30))
def test_it_holds_for_any_numbers(costs: list[tuple[float, float]]) -> None:
    """Signed zeros and tiny differences included."""
    found = [(0, cost) for cost in costs]
    assert dominated(points_of(found, 2)).tolist() == by_definition(found, found)


@pytest.mark.parametrize(
    ("costs", "flags"),
    [
        ([], []),
        ([(1, 1)], [False]),
        ([(1, 1), (1, 1)], [False, False]),
        ([(1, 2), (1, 1)], [True, False]),
        ([(2, 1), (1, 1)], [True, False]),
        ([(1, 2), (2, 1), (2, 2)], [False, False, True]),
        ([(2, 2), (2, 2), (1, 1)], [True, True, False]),
        ([(1, 2, 3), (3, 2, 1), (2, 2, 2), (3, 3, 3)], [False, False, False, True]),
        ([(1, 1, 2), (1, 1, 1)], [True, False]),
    ],
)
def test_ties_and_duplicates(costs: list[Costs], flags: list[bool]) -> None:
    """Equal points share their fate; a tie on one objective is decided by the others."""
    objectives = len(costs[0]) if costs else 2
    assert dominated(points_of([(0, cost) for cost in costs], objectives)).tolist() == flags


def test_pivots_never_beat_what_no_point_dominates() -> None:
    """A front that the sample has no point of goes without a pivot, and nothing of it is beaten."""
    sampled = points_of([(0, (1, 1))], 2)
    queries = points_of([(0, (2, 2)), (0, (1, 1)), (1, (9, 9)), (7, (9, 9))], 2)
    assert Pivots.of(sampled).beat(queries).tolist() == [True, False, False, False]


def test_most_of_many_points_are_settled_by_pivots() -> None:
    """Else a front of millions would be sorted whole."""
    chance = np.random.default_rng(0)
    points = Points((chance.random(100_000), chance.random(100_000)), chance.integers(0, 50, 100_000))
    assert Pivots.of(points).beat(points).mean() > 0.9


def test_a_staircase_is_the_points_that_nothing_beats_each_once() -> None:
    """In the order of the first cost; none of none."""
    assert staircase([(3, 1), (1, 3), (1, 3), (3, 3)]) == [[1, 3], [3, 1]]
    assert staircase([]) == []
