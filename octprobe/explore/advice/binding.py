"""Which budget binds, and which points miss one by how much."""

from dataclasses import dataclass
from typing import Any

from octprobe.explore.advice.chosen import Margin, Point
from octprobe.explore.advice.reading import Reading

# As many as a person reads of each budget; the nearest come first.
MISSES_SHOWN = 3


@dataclass(frozen=True)
class NearMiss:
    """A point on the wrong side of a budget.

    Attributes:
        point: the row.
        margin: how it stands to the budget that it misses.
        beats_choice: whether it would be chosen, were the budget relaxed so far; None without a choice.
        also_misses: other budgets that it misses, as they were written.
    """

    point: Point
    margin: Margin
    beats_choice: bool | None
    also_misses: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Give the miss as plain values, in the unit and in percent of the bound."""
        share = self.margin.excess_share
        return {
            **self.point.as_json(),
            "budget": self.margin.budget.text,
            "misses_by": self.margin.excess,
            "misses_by_percent": None if share is None else 100 * share,
            "unit": self.margin.budget.objective.unit,
            "within_noise": self.margin.straddles,
            "beats_choice": self.beats_choice,
            "also_misses": list(self.also_misses),
        }


@dataclass(frozen=True)
class Binding:
    """The budget that stands in the way of a better choice, or the one with the least room.

    Attributes:
        margin: how the choice stands to it.
        unlocks: what is chosen once the budget is relaxed by the least that changes the choice; None where no
            budget binds by itself.
    """

    margin: Margin
    unlocks: NearMiss | None

    @property
    def binds(self) -> bool:
        """Whether relaxing this budget alone would give a better choice."""
        return self.unlocks is not None

    def as_json(self) -> dict[str, Any]:
        """Give the budget as plain values."""
        return {
            **self.margin.as_json(),
            "binds": self.binds,
            "unlocks": self.unlocks.as_json() if self.unlocks else None,
        }


def binding_budget(reading: Reading, chosen: int) -> Binding | None:
    """Find the budget whose least relaxing, as a share of its bound, gives another choice.

    A budget binds if, relaxed alone, it lets a point in that is chosen then. Of several that bind it is the
    one that is relaxed by the least share of its bound; where none binds, it is the one in which the choice
    has the least room, as a share of the bound. Of equal ones it is the first asked for.
    """
    margins = {margin.budget: margin for margin in reading.point(chosen).margins}
    if not margins:
        return None
    unlocking = [found for place in range(len(margins)) if (found := _unlocks(reading, place, chosen))]
    if unlocking:
        nearest = min(unlocking, key=lambda miss: _share(miss.margin))
        return Binding(margins[nearest.margin.budget], nearest)
    return Binding(max(margins.values(), key=_share_or_least), None)


def near_misses(reading: Reading) -> tuple[NearMiss, ...]:
    """Give, by budget, the points that miss it by least and meet every other."""
    found = reading.candidates
    return tuple(
        _miss(reading, place, number, beats_choice=found.would_be_first(place, number))
        for number in range(len(reading.request.budgets))
        for place in found.nearest(found.missing_only(number), number, MISSES_SHOWN)
    )


def nearest_misses(reading: Reading) -> tuple[NearMiss, ...]:
    """Give, where nothing is feasible, the nearest point on each budget that is missed.

    It is the one that misses this budget only by least; where every point that misses it misses others too,
    of those which miss the fewest the nearest.
    """
    found = []
    for number in range(len(reading.request.budgets)):
        missing = reading.candidates.missing(number)
        if len(missing):
            fewest = reading.candidates.misses[missing]
            places = missing[fewest == fewest.min()]
            (nearest,) = reading.candidates.nearest(places, number, 1)
            found.append(_miss(reading, nearest, number, beats_choice=None))
    return tuple(found)


def _unlocks(reading: Reading, number: int, chosen: int) -> NearMiss | None:
    place = reading.candidates.unlocked(number, chosen)
    return None if place is None else _miss(reading, place, number, beats_choice=True)


def _miss(reading: Reading, place: int, number: int, *, beats_choice: bool | None) -> NearMiss:
    point, budget = reading.point(place), reading.request.budgets[number]
    others = tuple(
        margin.budget.text for margin in point.margins if not margin.is_met and margin.budget != budget
    )
    margin = next(margin for margin in point.margins if margin.budget == budget)
    return NearMiss(point, margin, beats_choice, others)


def _share(margin: Margin) -> float:
    """Give the excess as a share of the bound; of a bound of 0 any excess is beyond every share."""
    return float("inf") if margin.excess_share is None else margin.excess_share


def _share_or_least(margin: Margin) -> float:
    return float("-inf") if margin.excess_share is None else margin.excess_share
