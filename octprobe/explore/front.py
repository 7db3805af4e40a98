"""The front: which points nothing beats on two or three objectives, among points that may be compared at all.

One front for each combination of the given axes (device and environment, batch, resolution, dtype, mode,
threads; for layers also the layer; with an accuracy also its data set, source family and split), never mixed.
Network, alpha, variant, execution and memory format are free within it. Alpha and variant change the function
that a network computes, so a front without an accuracy is no statement about accuracy.

Every row that was measured and has a finite figure for each objective is a point, whatever its standing
(`octprobe.explore.dominance.standings` defines them). The others are left out, counted by reason.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from octprobe.errors import UsageError
from octprobe.explore.advice.arrays import Floats, Places
from octprobe.explore.axes import GIVEN_AXES
from octprobe.explore.dominance.domination import Points
from octprobe.explore.dominance.hypervolume import Hypervolume, hypervolume
from octprobe.explore.dominance.leaving import LeftOut, figures_of, left_out
from octprobe.explore.dominance.parting import parted
from octprobe.explore.dominance.standings import STANDINGS, Bound, Bytes, cost_of, standings_of
from octprobe.explore.dominance.standings import Standing as Standing
from octprobe.explore.groups import Record, plain_records
from octprobe.explore.objectives import Objective, objective

ACCURACY_AXES = ("dataset", "accuracy_family", "accuracy_split")
# Gives whole rows by their labels in the frame.
Fetch = Callable[[Places], pd.DataFrame]


@dataclass(frozen=True)
class FrontPoint:
    """One row with its figures, one an objective."""

    values: tuple[float, ...]
    standing: Standing
    record: Record

    @property
    def x(self) -> float:
        """Give the first objective's figure."""
        return self.values[0]

    @property
    def y(self) -> float:
        """Give the second objective's figure."""
        return self.values[1]

    @property
    def on_front(self) -> bool:
        """Whether no feasible point dominates it, noise aside."""
        return self.standing is Standing.ON_FRONT


@dataclass(frozen=True)
class Judged:
    """All points of all fronts, as columns.

    Attributes:
        frame: the rows, those without a place on a front included.
        objectives: what the fronts are over.
        rows: the place of each point's row.
        points: the costs of each point and the number of its front.
        standings: each point's place in `STANDINGS`.
        reference: the costs that every hypervolume reaches to; each front's own where it is None.
        fetch: gives whole rows; the frame's own columns are all where it is None.
    """

    frame: pd.DataFrame
    objectives: tuple[Objective, ...]
    rows: Places
    points: Points
    standings: Bytes
    reference: tuple[float, ...] | None
    fetch: Fetch | None = None

    @cached_property
    def counts(self) -> npt.NDArray[np.int64]:
        """Count points by front and standing."""
        width = len(STANDINGS)
        count = int(self.points.fronts.max(initial=-1)) + 1
        keys = self.points.fronts * width + self.standings
        return np.bincount(keys, minlength=count * width).reshape(count, width)

    @cached_property
    def worst(self) -> Floats:
        """Give each front's largest cost, by front and objective."""
        worst = np.full((len(self.counts), len(self.objectives)), -np.inf)
        for place, cost in enumerate(self.points.costs):
            np.maximum.at(worst[:, place], self.points.fronts, cost)
        return worst

    def members(self, front: int, standing: Standing | None = None) -> Places:
        """Give the points of a front, best on the first objective first; of one standing, or all."""
        place = None if standing is None else STANDINGS.index(standing)
        order, starts = self._by_front(place)
        found = order[starts[front] : starts[front + 1]]
        costs = [cost[found] for cost in self.points.costs]
        return found[np.lexsort(costs[::-1])] if len(found) else found

    def made(self, members: Places) -> tuple["FrontPoint", ...]:
        """Make points with their records."""
        rows = self.rows[members]
        found = self.frame.iloc[rows]
        if self.fetch is not None and len(rows):
            found = self.fetch(self.frame.index[rows].to_numpy())
        return tuple(
            FrontPoint(tuple(row[goal.column] for goal in self.objectives), STANDINGS[place], row)
            for row, place in zip(plain_records(found), self.standings[members].tolist(), strict=True)
        )

    def _by_front(self, standing: int | None) -> tuple[Places, Places]:
        if standing not in self._orders:
            chosen = (
                np.arange(len(self.rows)) if standing is None else np.flatnonzero(self.standings == standing)
            )
            fronts = self.points.fronts[chosen]
            starts = np.concatenate([[0], np.cumsum(np.bincount(fronts, minlength=len(self.counts)))])
            self._orders[standing] = chosen[np.argsort(fronts, kind="stable")], starts
        return self._orders[standing]

    @cached_property
    def _orders(self) -> dict[int | None, tuple[Places, Places]]:
        return {}


@dataclass(frozen=True)
class Front:
    """All points under one combination of given axes; `points` makes their records when first asked."""

    given: Record
    judged: Judged
    number: int

    @property
    def counts(self) -> Mapping[Standing, int]:
        """Count the points by standing."""
        return dict(zip(STANDINGS, self.judged.counts[self.number].tolist(), strict=True))

    @cached_property
    def points(self) -> tuple[FrontPoint, ...]:
        """Give every point, best on the first objective first."""
        return self.judged.made(self.judged.members(self.number))

    @cached_property
    def leading(self) -> tuple[FrontPoint, ...]:
        """Give the points on the front only."""
        return self.judged.made(self.judged.members(self.number, Standing.ON_FRONT))

    @cached_property
    def rows(self) -> Places:
        """Give the places of all points' rows in the frame that was judged, in the points' order."""
        return self.judged.rows[self.judged.members(self.number)]

    @property
    def frame(self) -> pd.DataFrame:
        """Give the rows of all points, in their order."""
        return self.judged.frame.iloc[self.rows]

    @property
    def standings(self) -> tuple[Standing, ...]:
        """Give each point's standing, in their order."""
        places = self.judged.standings[self.judged.members(self.number)]
        return tuple(STANDINGS[place] for place in places.tolist())

    @cached_property
    def hypervolume(self) -> Hypervolume:
        """Measure what the front's points dominate.

        The reference is the worst figure of all its rows on each objective, the dominated and the infeasible
        included, unless another was given; with one row it is that row, and the hypervolume 0.
        """
        judged = self.judged
        members = judged.members(self.number, Standing.ON_FRONT)
        reference = judged.reference or tuple(judged.worst[self.number].tolist())
        costs = np.stack([cost[members] for cost in judged.points.costs], axis=1).tolist()
        shown = tuple(goal.cost(c) for goal, c in zip(judged.objectives, reference, strict=True))
        return Hypervolume(hypervolume(costs, reference), judged.objectives, shown)


class Drawn(NamedTuple):
    """A front with those of its points that are shown, best on the first objective first."""

    front: Front
    points: tuple[FrontPoint, ...]


@dataclass(frozen=True)
class FrontInfo:
    """Every front of a store over two or three objectives.

    `split_by` names the given axes that take more than one value, and so part the fronts.
    """

    objectives: tuple[Objective, ...]
    split_by: tuple[str, ...]
    fronts: tuple[Front, ...]
    left_out: tuple[LeftOut, ...]

    @property
    def x(self) -> Objective:
        """Give the first objective."""
        return self.objectives[0]

    @property
    def y(self) -> Objective:
        """Give the second objective."""
        return self.objectives[1]

    @property
    def size(self) -> int:
        """Count the points of all fronts."""
        return len(self.fronts[0].judged.rows) if self.fronts else 0

    def drawn(self, *, leading: bool = False, most: int | None = None) -> "tuple[Drawn, ...]":
        """Give fronts with their points, whose rows are fetched at once.

        Args:
            leading: whether only points on the front are wanted.
            most: how many fronts at most; all by default.
        """
        fronts = self.fronts[:most]
        if not fronts:
            return ()
        judged, standing = fronts[0].judged, Standing.ON_FRONT if leading else None
        members = [judged.members(front.number, standing) for front in fronts]
        points = iter(judged.made(np.concatenate(members)))
        return tuple(
            Drawn(front, tuple(islice(points, len(found))))
            for front, found in zip(fronts, members, strict=True)
        )

    @property
    def records(self) -> list[Record]:
        """Give the rows of all fronts."""
        return [point.record for drawn in self.drawn() for point in drawn.points]


def front_info(
    frame: pd.DataFrame,
    *objectives: str,
    budgets: Sequence[Bound] = (),
    reference: Mapping[str, float] | None = None,
    fetch: Fetch | None = None,
) -> FrontInfo:
    """Find the fronts of a store's rows over two or three objectives.

    Args:
        frame: rows as `octprobe.load` or `read_columns` give them; an accuracy is joined to them before.
        objectives: short names or columns.
        budgets: bounds; a point over one is infeasible, and one without the bounded figure left out.
        reference: by objective's name or column, in its unit, where the hypervolume ends; all or none.
        fetch: gives the whole rows of points that are shown, by their labels in the frame; needed where the
            frame has only the columns that judging takes.

    Raises:
        UsageError: a name is no objective, one is named twice, not two or three are, or a reference is
            missing or of another objective.
    """
    goals = goals_of(objectives)
    bounded = [budget.objective for budget in budgets]
    rows, leaving = left_out(frame, goals, bounded)
    axes = (
        (*GIVEN_AXES, *ACCURACY_AXES) if any(goal.is_accuracy for goal in (*goals, *bounded)) else GIVEN_AXES
    )
    parting = parted(frame, rows, axes)
    costs = tuple(cost_of(goal, figures_of(frame, goal.column)[rows]) for goal in goals)
    points = Points(costs, parting.numbers)
    standings = standings_of(points, frame, rows, goals, budgets)
    judged = Judged(frame, goals, rows, points, standings, _reference(goals, reference), fetch)
    fronts = tuple(Front(given, judged, number) for number, given in enumerate(parting.given))
    return FrontInfo(goals, parting.varying, fronts, leaving)


def goals_of(names: Sequence[str]) -> tuple[Objective, ...]:
    """Find the objectives of a front.

    Raises:
        UsageError: a name is no objective, one is named twice, or not two or three are.
    """
    goals = tuple(objective(name) for name in names)
    if not 2 <= len(goals) <= 3 or len(set(goals)) < len(goals):
        told = ", ".join(goal.name for goal in goals) or "none"
        raise UsageError(
            f"a front is over two or three objectives, each named once; these were named: {told}"
        )
    return goals


def _reference(goals: Sequence[Objective], given: Mapping[str, float] | None) -> tuple[float, ...] | None:
    if given is None:
        return None
    known = {objective(name): value for name, value in given.items()}
    if set(known) != set(goals):
        names = ", ".join(goal.name for goal in goals)
        raise UsageError(f"a reference has a value for each objective of the front and no other: {names}")
    return tuple(goal.cost(known[goal]) for goal in goals)
