"""Which network, alpha and execution to take under budgets, what binds, what was close and what is weak.

Only rows under one value of each given axis are compared (device, environment, batch, resolution, dtype,
mode, threads). A point is feasible where its figures meet every bound; noise about a bound is a caveat. The
choice is the feasible point with the best figure of the goal. Points of equal figures are settled by latency,
peak memory, MACs, alpha and `point_id`, the smaller first. Where the goal is the latency, points of one group
(network, memory format, execution) are compared by their time ratios to vanilla, taken in pairs, and only the
best of each group by its median. docs/choosing.md has the definitions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import pandas as pd

from octprobe.errors import UsageError
from octprobe.explore.advice.binding import Binding, NearMiss, binding_budget, near_misses, nearest_misses
from octprobe.explore.advice.build_lines import python_lines
from octprobe.explore.advice.candidates import Candidates, complete
from octprobe.explore.advice.caveats import Caveat, caveats_of
from octprobe.explore.advice.chosen import Point
from octprobe.explore.advice.family import Coverage, join_accuracies
from octprobe.explore.advice.given import Selection, select
from octprobe.explore.advice.reading import Fetch, Reading
from octprobe.explore.advice.request import Request
from octprobe.explore.advice.runner_up import RunnerUp, runner_up
from octprobe.explore.advice.worth import Worth, worth_of_octave
from octprobe.facts.published import published_accuracies
from octprobe.store.accuracy import Accuracy


@dataclass(frozen=True)
class Recommendation:
    """The advice, with all that it rests on.

    Attributes:
        request: what was asked.
        given: the value of each given axis.
        considered: rows by what became of them.
        choice: the best feasible point; None where nothing is feasible.
        binding_budget: the budget that stands in the way of a better choice; None without budgets or choice.
        runner_up: the next best feasible point.
        alternatives: the choice and the next best, as many as were asked for.
        near_misses: points that miss one budget only; where nothing is feasible, the nearest on each budget.
        caveats: what weakens the advice.
        vanilla: whether any alpha beats vanilla, and why not.
        families: the source families of accuracies that cover points, the one taken first.
        python: lines that build the chosen network; empty where the row does not tell how.
    """

    request: Request
    given: dict[str, Any]
    considered: dict[str, Any]
    choice: Point | None
    binding_budget: Binding | None
    runner_up: RunnerUp | None
    alternatives: tuple[Point, ...]
    near_misses: tuple[NearMiss, ...]
    caveats: tuple[Caveat, ...]
    vanilla: Worth
    families: tuple[Coverage, ...]
    python: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Give the whole as plain values; absent is None."""
        return {
            "request": self.request.as_json(),
            "given": self.given,
            "considered": self.considered,
            "choice": self.choice.as_json() if self.choice else None,
            "binding_budget": self.binding_budget.as_json() if self.binding_budget else None,
            "runner_up": self.runner_up.as_json() if self.runner_up else None,
            "alternatives": [point.as_json() for point in self.alternatives],
            "near_misses": [miss.as_json() for miss in self.near_misses],
            "caveats": [{"code": caveat.code, "text": caveat.text} for caveat in self.caveats],
            "vanilla": self.vanilla.as_json(),
            "python": list(self.python),
        }


def recommend(
    frame: pd.DataFrame, request: Request, accuracies: Sequence[Accuracy] | None = None
) -> Recommendation:
    """Recommend a network, its alpha and how to run it.

    Args:
        frame: rows of a store, as `octprobe.load` gives them, or at least `request.columns()` of them.
        request: the goal and what bounds it.
        accuracies: what is joined to the rows by architecture and alpha; the published ones by default.

    Raises:
        StoreError: there are no rows, or none of a measured network.
        UsageError: a flag that no row meets, a given axis with several values, no such source family, or a
            figure of the request that no row has.
    """
    return advise(select(frame, request.where), request, accuracies)


def advise(
    selection: Selection,
    request: Request,
    accuracies: Sequence[Accuracy] | None = None,
    fetch: Fetch | None = None,
) -> Recommendation:
    """Recommend among rows that were selected.

    Args:
        selection: the rows, with `request.judged()` of their columns at least.
        request: the goal and what bounds it.
        accuracies: as for `recommend`.
        fetch: reads `request.columns()` of rows that are told; the selection has them where None.

    Raises:
        UsageError: no such source family, or a figure of the request that no row has.
    """
    known = published_accuracies() if accuracies is None else accuracies
    joined = join_accuracies(selection.frame, request, known)
    rows, absent = complete(joined.frame, request.objectives)
    _demand_figures(joined.frame, rows, absent, request)
    reading = Reading(Candidates(rows, request.goal, request.budgets), request, fetch)
    considered = _considered(selection, absent, reading.candidates)
    worth = worth_of_octave(selection.frame, fetch)
    context = (request, dict(selection.given), considered)
    if not len(reading.candidates.feasible):
        misses = nearest_misses(reading)
        return Recommendation(*context, None, None, None, (), misses, (), worth, joined.families, ())
    places = list(islice(reading.candidates.ranked(reading.candidates.feasible), max(request.top, 2)))
    choice = reading.point(places[0])
    second = _second(reading, choice, places)
    return Recommendation(
        *context,
        choice=choice,
        binding_budget=binding_budget(reading, places[0]),
        runner_up=second,
        alternatives=tuple(reading.point(place) for place in places[: request.top]),
        near_misses=near_misses(reading),
        caveats=caveats_of(request, choice, second, joined.families),
        vanilla=worth,
        families=joined.families,
        python=python_lines(choice.record),
    )


def _demand_figures(
    before: pd.DataFrame, rows: pd.DataFrame, absent: Mapping[str, int], request: Request
) -> None:
    """Refuse a request that no row can answer, for want of a figure rather than of room in a budget."""
    if len(rows):
        return
    nowhere = [name for name, count in absent.items() if count == len(before)]
    names = " or ".join(nowhere) or f"all of {', '.join(goal.name for goal in request.objectives)}"
    is_published = any(goal.name in nowhere and goal.is_accuracy for goal in request.objectives)
    hint = "; `octprobe accuracy published` lists what is known" if is_published else ""
    raise UsageError(f"none of the {len(before)} measured rows compared has {names}{hint}")


def _second(reading: Reading, choice: Point, places: Sequence[int]) -> RunnerUp | None:
    if len(places) < 2:
        return None
    by_ratio = reading.candidates.compares_by_ratio(places[0], places[1])
    return runner_up(choice, reading.point(places[1]), reading.request.goal, by_ratio=by_ratio)


def _considered(selection: Selection, absent: dict[str, int], candidates: Candidates) -> dict[str, Any]:
    return {
        **selection.counts,
        "measured": len(selection.frame),
        "without_figure": absent,
        "compared": len(candidates.frame),
        "feasible": len(candidates.feasible),
    }
