"""Which points others dominate, for many points in many fronts at once.

A point dominates another if it is at no place larger in its costs and at one smaller, so equal points do not
dominate each other. Costs are two or three arrays, one an objective, smaller is better; `fronts` numbers the
front that each point belongs to, and points of different fronts are never compared.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from octprobe.explore.advice.arrays import Flags, Floats, Places

# How much each objective counts where pivots are chosen, a round each: the balanced ones, which dominate
# most, come first.
_WEIGHTS = (
    (1.0, 1.0, 1.0),
    (3.0, 1.0, 1.0),
    (1.0, 3.0, 1.0),
    (1.0, 1.0, 3.0),
    (9.0, 1.0, 1.0),
    (1.0, 9.0, 1.0),
)
# Pivots are chosen among so many points at most: the best of a sample dominates nearly as many as the best.
SAMPLE = 500_000
# Sorting so few points takes no longer than a round of pivots.
FEW = 20_000
# Points are compared with pivots in blocks that stay in the processor's cache.
BLOCK = 65_536


@dataclass(frozen=True)
class Points:
    """Costs of points, an array an objective, and the front of each point."""

    costs: tuple[Floats, ...]
    fronts: Places

    def __len__(self) -> int:
        return len(self.fronts)

    def take(self, chosen: "Places | Flags | slice") -> "Points":
        """Give some of the points."""
        return Points(tuple(cost[chosen] for cost in self.costs), self.fronts[chosen])


def dominated(queries: Points, points: Points | None = None) -> Flags:
    """Say of each query whether a point of its front dominates it; by default the queries are the points."""
    by = queries if points is None else points.take(~dominated(points))
    found = np.zeros(len(queries), dtype=bool)
    if len(queries) > FEW:
        found = Pivots.of(by).beat(queries)
    rest = queries.take(~found)
    found[~found] = _exactly(rest, rest if points is None else by)
    return found


@dataclass(frozen=True)
class Pivots:
    """A few points of each front that dominate many others.

    Attributes:
        rounds: costs by front, a round each; NaN where a front has no pivot.
    """

    rounds: tuple[tuple[Floats, ...], ...]

    @classmethod
    def of(cls, points: Points) -> "Pivots":
        """Choose pivots among points; a front of which the sample has no point goes without."""
        sample = points.take(slice(None, None, len(points) // SAMPLE + 1))
        return cls(tuple(_pivots(sample)))

    def beat(self, queries: Points) -> Flags:
        """Say which queries the pivots of their fronts dominate; the others may yet be dominated."""
        found = np.zeros(len(queries), dtype=bool)
        for start in range(0, len(queries), BLOCK):
            block = queries.take(slice(start, start + BLOCK))
            for pivots in self.rounds:
                left = np.flatnonzero(~found[start : start + BLOCK])
                found[start + left] = _beaten(block.take(left), pivots)
        return found


def _pivots(points: Points) -> Iterator[tuple[Floats, ...]]:
    """Give, round by round, the costs of one point of each front."""
    count = int(points.fronts.max(initial=-1)) + 1
    scaled = [_scaled(cost, points.fronts, count) for cost in points.costs]
    for weights in _WEIGHTS:
        score = np.zeros(len(points))
        for cost, weight in zip(scaled, weights, strict=False):
            score += weight * cost
        lowest = np.full(count, np.inf)
        np.minimum.at(lowest, points.fronts, score)
        best = np.flatnonzero(score == lowest[points.fronts])
        # One more for fronts beyond those of the sample.
        costs = tuple(np.full(count + 1, np.nan) for _ in points.costs)
        fronts, first = np.unique(points.fronts[best], return_index=True)
        for cost, known in zip(costs, points.costs, strict=True):
            cost[fronts] = known[best[first]]
        yield costs


def _scaled(cost: Floats, fronts: Places, count: int) -> Floats:
    """Bring the costs of each front to 0 to 1; what is not finite counts as worst."""
    finite = np.where(np.isfinite(cost), cost, np.nan)
    lowest, highest = np.full(count, np.inf), np.full(count, -np.inf)
    np.fmin.at(lowest, fronts, finite)
    np.fmax.at(highest, fronts, finite)
    with np.errstate(invalid="ignore", over="ignore"):
        span = highest - lowest
        span[~(span > 0)] = 1.0
        scaled = (finite - lowest[fronts]) / span[fronts]
    return np.where(np.isnan(scaled), 1.0, scaled)


def _beaten(queries: Points, pivots: Sequence[Floats]) -> Flags:
    """Say which queries the pivot of their front dominates; no figure is larger than NaN, nor as large."""
    fronts = np.minimum(queries.fronts, len(pivots[0]) - 1)
    nowhere_better, somewhere_worse = np.ones(len(queries), dtype=bool), np.zeros(len(queries), dtype=bool)
    for query, costs in zip(queries.costs, pivots, strict=True):
        pivot = costs[fronts]
        nowhere_better &= query >= pivot
        somewhere_worse |= query > pivot
    return nowhere_better & somewhere_worse


def _exactly(queries: Points, points: Points) -> Flags:
    """Sort points and queries together; a point that dominates a query then stands before it.

    In the order of fronts, then of costs, whatever stands before a place and is not equal to it is no worse
    on the first objective, so only the other objectives are left to compare.
    """
    fronts = np.concatenate([points.fronts, queries.fronts])
    costs = [np.concatenate(pair) for pair in zip(points.costs, queries.costs, strict=True)]
    order = np.lexsort((*costs[::-1], fronts))
    fronts, costs = fronts[order], [cost[order] for cost in costs]
    is_new = np.ones(len(order), dtype=bool)
    is_new[1:] = np.any([array[1:] != array[:-1] for array in (fronts, *costs)], axis=0)
    place = np.cumsum(is_new) - 1
    has_point = np.zeros(int(is_new.sum()), dtype=bool)
    has_point[place[order < len(points)]] = True
    distinct = Points(tuple(cost[is_new] for cost in costs), fronts[is_new])
    beaten = (_beaten_in_two if len(costs) == 2 else _beaten_in_three)(distinct, has_point)
    found = np.empty(len(order), dtype=bool)
    found[order] = beaten[place]
    return found[len(points) :]


def _beaten_in_two(sorted_points: Points, counts: Flags) -> Flags:
    """Compare each second cost with the least before it in its front, of the points that count."""
    _, ranks = np.unique(sorted_points.costs[1], return_inverse=True)
    width = len(sorted_points) + 1
    # Each front's ranks lie below those of all fronts before it, so that a running minimum starts anew.
    ranks = ranks.reshape(-1) - sorted_points.fronts.astype(np.int64) * width
    beyond = width - 1 - sorted_points.fronts.astype(np.int64) * width
    least = np.minimum.accumulate(np.where(counts, ranks, beyond))
    beaten = np.zeros(len(ranks), dtype=bool)
    same_front = sorted_points.fronts[1:] == sorted_points.fronts[:-1]
    beaten[1:] = same_front & (least[:-1] <= ranks[1:])
    return beaten


def _beaten_in_three(sorted_points: Points, counts: Flags) -> Flags:
    """Sweep along the first cost and keep the staircase of the other two: where one grows the other falls."""
    beaten = np.zeros(len(sorted_points), dtype=bool)
    _, seconds, thirds = (cost.tolist() for cost in sorted_points.costs)
    front, steps, heights = -1, list[float](), list[float]()
    for place, number in enumerate(sorted_points.fronts.tolist()):
        if number != front:
            front, steps, heights = number, [], []
        at = bisect_right(steps, seconds[place])
        if at and heights[at - 1] <= thirds[place]:
            beaten[place] = True
        elif counts[place]:
            _step(steps, heights, seconds[place], thirds[place])
    return beaten


def _step(steps: list[float], heights: list[float], second: float, third: float) -> None:
    """Add a step that lies below the staircase, and take away those that it covers."""
    start = bisect_right(steps, second)
    if start and steps[start - 1] == second:
        start -= 1
    end = start
    while end < len(steps) and heights[end] >= third:
        end += 1
    steps[start:end], heights[start:end] = [second], [third]


def staircase(costs: Sequence[Sequence[float]]) -> list[list[float]]:
    """Give the distinct points, in order, that no other dominates; for few points of one front."""
    known = np.array(sorted({tuple(point) for point in costs}), dtype=float)
    if not len(known):
        return []
    points = Points(
        tuple(np.ascontiguousarray(cost) for cost in known.T), np.zeros(len(known), dtype=np.intp)
    )
    found: list[list[float]] = known[~dominated(points)].tolist()
    return found
