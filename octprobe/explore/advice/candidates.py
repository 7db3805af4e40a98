"""Points beside a goal and budgets: which meet them, which comes first, which miss by how much."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from octprobe.explore.advice.arrays import Flags, Floats, Places
from octprobe.explore.objectives import Objective
from octprobe.explore.quantity import Budget

LATENCY = "latency_ms_median"
RATIO = "time_ratio_median"
# Where points are equal on the goal: the sooner, the smaller, the less work, the less octave; then by id.
TIES = (LATENCY, "peak_memory_allocator_bytes", "macs", "alpha")


def numbers_of(frame: pd.DataFrame, column: str) -> Floats:
    """Give a column as floats; what is absent or not finite is NaN."""
    if column not in frame:
        return np.full(len(frame), np.nan)
    values = np.array(pd.to_numeric(frame[column], errors="coerce").to_numpy(np.float64, na_value=np.nan))
    values[~np.isfinite(values)] = np.nan
    return values


def figures_of(frame: pd.DataFrame, column: str) -> Floats:
    """Give a column as `numbers_of` does, and vanilla's time ratio, which no pair was taken for, as 1.

    It is vanilla's time over vanilla's.
    """
    values = numbers_of(frame, column)
    if column == RATIO:
        absent = np.flatnonzero(np.isnan(values))
        values[absent[anchors_among(frame, absent)]] = 1.0
    return values


def anchors_among(frame: pd.DataFrame, places: Places) -> Flags:
    """Say which of some rows are the vanilla points of their groups."""
    points, groups = (frame[name].iloc[places].reset_index(drop=True) for name in ("point_id", "group_id"))
    if isinstance(points.dtype, pd.CategoricalDtype) or isinstance(groups.dtype, pd.CategoricalDtype):
        # Categories of two columns are two sets, which pandas refuses to compare.
        points, groups = points.astype(object), groups.astype(object)
    found: Flags = (points == groups).to_numpy(dtype=bool, na_value=False)
    return found


@dataclass(frozen=True)
class Candidates:
    """Points with every figure that is asked for; places count their rows from 0.

    Attributes:
        frame: their rows, numbered from 0.
        goal: what is to be best.
        budgets: what bounds them.
    """

    frame: pd.DataFrame
    goal: Objective
    budgets: tuple[Budget, ...]

    @cached_property
    def excesses(self) -> tuple[Floats, ...]:
        """Give, by budget, by how much each point is on the wrong side, in the column's unit."""
        found = []
        for budget in self.budgets:
            values = figures_of(self.frame, budget.objective.column)
            found.append(values - budget.bound if budget.is_upper else budget.bound - values)
        return tuple(found)

    @cached_property
    def misses(self) -> Places:
        """Give how many budgets each point misses; a point that is at its bound meets it."""
        missed = np.zeros(len(self.frame), dtype=np.intp)
        for excess in self.excesses:
            missed += excess > 0
        return missed

    @cached_property
    def feasible(self) -> Places:
        """Give the points that meet every budget."""
        return np.flatnonzero(self.misses == 0)

    def missing_only(self, budget: int) -> Places:
        """Give the points that miss one budget and meet every other."""
        return np.flatnonzero((self.misses == 1) & (self.excesses[budget] > 0))

    def missing(self, budget: int) -> Places:
        """Give the points that miss a budget, whatever else they miss."""
        return np.flatnonzero(self.excesses[budget] > 0)

    @cached_property
    def costs(self) -> Floats:
        """Give figures of the goal that are smaller where it is better."""
        values = figures_of(self.frame, self.goal.column)
        return values if self.goal.cost(1.0) > 0 else -values

    @cached_property
    def tie_breakers(self) -> tuple[Floats, ...]:
        """Give the figures that part points which are equal on the goal."""
        return tuple(figures_of(self.frame, column) for column in TIES)

    @cached_property
    def group_codes(self) -> Places:
        """Number the groups that points were measured in."""
        return np.asarray(pd.factorize(self.frame["group_id"])[0], dtype=np.intp)

    @cached_property
    def paired(self) -> Flags | None:
        """Say which points a time ratio orders within their group; None where the goal is not the latency.

        In a group in which a point lacks its ratio, medians decide.
        """
        if self.goal.column != LATENCY:
            return None
        lacks = np.isnan(self.ratios)
        groups = self.group_codes
        broken = np.zeros(groups.max(initial=-1) + 1, dtype=bool)
        broken[groups[lacks]] = True
        return ~broken[groups]

    @cached_property
    def ratios(self) -> Floats:
        """Give times over those of vanilla, taken in pairs; 1 for vanilla itself."""
        return figures_of(self.frame, RATIO)

    def first(self, places: Places) -> int:
        """Give the best of some points, at least one.

        By the goal's figure. Where that is the latency, of each group only the point with the smallest time
        ratio stands, for the drift of the machine cancels in it; these are compared by their medians.
        """
        heads = self._heads(places)
        for key in (self.costs, *self.tie_breakers):
            heads = heads[_least(key[heads])]
        ids = self.frame["point_id"].iloc[heads].astype(str).to_numpy()
        return int(heads[np.argmin(ids)] if len(heads) > 1 else heads[0])

    def ranked(self, places: Places) -> Iterator[int]:
        """Give points from the best on; each is the first of those that are left."""
        left = places
        while len(left):
            best = self.first(left)
            yield best
            left = left[left != best]

    def would_be_first(self, place: int, budget: int) -> bool:
        """Say whether a point that misses one budget only would be the best, were it relaxed so far.

        All that miss it by no more are let in too.
        """
        return self.first(self._relaxed(budget, self.excesses[budget][place])) == place

    def unlocked(self, budget: int, chosen: int) -> int | None:
        """Give the point that is the best once a budget is relaxed just so far that it is let in.

        Of several such points it is the one that is let in first.
        """
        places = self.missing_only(budget)
        excess = self.excesses[budget]
        for step in np.unique(excess[places[self._may_beat(places, chosen)]]):
            best = self.first(self._relaxed(budget, step))
            if excess[best] == step:
                return best
        return None

    def _relaxed(self, budget: int, excess: float) -> Places:
        """Give the points that are feasible once a budget is relaxed so far."""
        let_in = self.missing_only(budget)
        return np.union1d(self.feasible, let_in[self.excesses[budget][let_in] <= excess])

    def _may_beat(self, places: Places, chosen: int) -> Flags:
        """Say which points could be the best once let in.

        What costs more than the chosen one could only where that falls by the ratio of another of its group.
        """
        may: Flags = self.costs[places] <= self.costs[chosen]
        if self.paired is not None and self.paired[chosen]:
            same = self.group_codes[places] == self.group_codes[chosen]
            may |= bool(np.any(same & (self.ratios[places] < self.ratios[chosen])))
        return may

    def compares_by_ratio(self, one: int, other: int) -> bool:
        """Say whether two points are compared by their time ratios."""
        is_paired = self.paired is not None and bool(self.paired[one])
        return is_paired and bool(self.group_codes[one] == self.group_codes[other])

    def nearest(self, places: Places, budget: int, most: int) -> list[int]:
        """Give the points that exceed a budget by least, at most so many; of equal ones the better."""
        excess = self.excesses[budget][places]
        if len(places) > most:
            within = excess <= np.partition(excess, most - 1)[most - 1]
            places, excess = places[within], excess[within]
        ids = self.frame["point_id"].iloc[places].astype(str).to_numpy()
        ties = (key[places] for key in reversed((self.costs, *self.tie_breakers)))
        return [int(place) for place in places[np.lexsort((ids, *ties, excess))[:most]]]

    def _heads(self, places: Places) -> Places:
        """Keep, of each group that ratios order, the points with the smallest; all others stand."""
        if self.paired is None:
            return places
        groups, ratios, paired = self.group_codes[places], self.ratios[places], self.paired[places]
        lowest = np.full(self.group_codes.max(initial=-1) + 1, np.inf)
        np.minimum.at(lowest, groups[paired], ratios[paired])
        heads: Places = places[~paired | (ratios == lowest[groups])]
        return heads


def _least(values: Floats) -> Flags:
    """Say which values are the smallest; all are where all are absent."""
    known = values[~np.isnan(values)]
    return values == known.min() if len(known) else np.ones(len(values), dtype=bool)


def complete(frame: pd.DataFrame, objectives: Sequence[Objective]) -> tuple[pd.DataFrame, dict[str, int]]:
    """Keep the points that have every figure; count by objective those that lack it."""
    known = np.ones(len(frame), dtype=bool)
    absent: dict[str, int] = {}
    for goal in objectives:
        lacks = np.isnan(figures_of(frame, goal.column))
        known &= ~lacks
        if lacks.any():
            absent[goal.name] = int(lacks.sum())
    return (frame if known.all() else frame[known].reset_index(drop=True)), absent
