"""How each of many points stands to its front: on it, within noise of it, dominated, infeasible.

A point dominates another if it is no worse on every objective and better on one. So ties are decided by the
other objectives, and equal points do not dominate each other: duplicates are all on the front or all off it.

Within noise: a dominated point of which no other point is surely better. One is surely better if the worse
end of its 95 % interval is, on every objective, no worse than the better end of the other's, and on one
better. A figure that has no interval (it was counted, read once, or had too few samples) counts as exact; an
interval reaches at least to its median; a point with an infinite worse end is surely better than none, and
none is surely better than one with an infinite better end.

A point over a budget is infeasible: it dominates nothing and nothing is said of its rank. Budgets are held
against the figure itself, not against the ends of its interval.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from octprobe.explore.advice.arrays import Flags, Floats, Places
from octprobe.explore.dominance.domination import BLOCK, FEW, SAMPLE, Pivots, Points, dominated
from octprobe.explore.dominance.leaving import figures_of
from octprobe.explore.objectives import Objective


class Bound(Protocol):
    """A budget: on which side of a bound, in its column's unit, a figure may be; at the bound is within."""

    @property
    def objective(self) -> Objective:
        """Give what is bounded."""

    @property
    def bound(self) -> float:
        """Give the last figure that is within."""

    @property
    def is_upper(self) -> bool:
        """Whether larger figures are outside."""


class Standing(StrEnum):
    """How a point stands to the others of its front."""

    ON_FRONT = "on_front"
    WITHIN_NOISE = "within_noise"
    DOMINATED = "dominated"
    INFEASIBLE = "infeasible"


# Standings are held as places in this order, a byte a point.
STANDINGS = tuple(Standing)
Bytes = npt.NDArray[np.int8]


def cost_of(goal: Objective, values: Floats) -> Floats:
    """Give figures that are smaller where the objective is better."""
    return values if goal.cost(1.0) > 0 else -values


def _feasible(frame: pd.DataFrame, rows: Places, budgets: Sequence[Bound]) -> Flags:
    within = np.ones(len(rows), dtype=bool)
    for budget in budgets:
        values = figures_of(frame, budget.objective.column)[rows]
        within &= values <= budget.bound if budget.is_upper else values >= budget.bound
    return within


def standings_of(
    points: Points,
    frame: pd.DataFrame,
    rows: Places,
    goals: Sequence[Objective],
    budgets: Sequence[Bound],
) -> Bytes:
    """Judge every point, each at its place in `STANDINGS`.

    A point that another surely dominates is dominated, and what it dominates its dominator does too. So the
    many that a pivot surely dominates are judged at once, and only the others are compared with each other.

    Args:
        points: costs and fronts.
        frame: rows that hold the intervals and the bounded figures.
        rows: the place of each point's row.
        goals: the objectives.
        budgets: bounds.
    """
    feasible = _feasible(frame, rows, budgets)
    ends = _Ends(points, frame, rows, goals)
    standings = np.full(len(points), STANDINGS.index(Standing.INFEASIBLE), dtype=np.int8)
    standings[feasible] = STANDINGS.index(Standing.DOMINATED)
    left = ends.unsure(np.flatnonzero(feasible))
    beaten = dominated(points.take(left))
    standings[left[~beaten]] = STANDINGS.index(Standing.ON_FRONT)
    if ends.have_width:
        doubtful = left[beaten]
        surely = dominated(ends.best(doubtful), ends.worst(left))
        standings[doubtful[~surely]] = STANDINGS.index(Standing.WITHIN_NOISE)
    return standings


@dataclass(frozen=True)
class _Ends:
    """The better and the worse ends of points' intervals, as costs; made for the points asked for only."""

    points: Points
    frame: pd.DataFrame
    rows: Places
    goals: Sequence[Objective]

    @property
    def have_width(self) -> bool:
        """Whether an objective has intervals."""
        return any(goal.interval for goal in self.goals)

    def best(self, chosen: Places) -> Points:
        """Give the better ends."""
        return self._at(chosen, np.fmin)

    def worst(self, chosen: Places) -> Points:
        """Give the worse ends."""
        return self._at(chosen, np.fmax)

    def unsure(self, chosen: Places) -> Places:
        """Give the points that no pivot surely dominates: all that are not dominated are among them."""
        if len(chosen) <= FEW:
            return chosen
        pivots = Pivots.of(self.worst(chosen[:: len(chosen) // SAMPLE + 1]))
        blocks = (chosen[start : start + BLOCK] for start in range(0, len(chosen), BLOCK))
        return np.concatenate([block[~pivots.beat(self.best(block))] for block in blocks])

    def _at(self, chosen: Places, reach: np.ufunc) -> Points:
        found = self.points.take(chosen)
        costs = zip(self.goals, found.costs, strict=True)
        return Points(tuple(self._end(goal, cost, chosen, reach) for goal, cost in costs), found.fronts)

    def _end(self, goal: Objective, cost: Floats, chosen: Places, reach: np.ufunc) -> Floats:
        for column in goal.interval or ():
            cost = reach(cost, cost_of(goal, figures_of(self.frame, column)[self.rows[chosen]]))
        return cost
