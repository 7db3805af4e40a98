"""What is asked of a recommendation: a goal, budgets, and the flags that narrow the store's rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from octprobe.errors import UsageError
from octprobe.explore.advice.candidates import RATIO, TIES
from octprobe.explore.advice.given import SELECTED_BY
from octprobe.explore.axes import VARIANT_AXES
from octprobe.explore.objectives import Direction, Objective
from octprobe.explore.quantity import Budget, Kind, known_objective, parse_budget
from octprobe.explore.saving.reasons import REASON_COLUMNS
from octprobe.store.accuracy_run import Split

_JUDGED = ("group_id", "verdict", "alpha", "alpha_map", *VARIANT_AXES)
_TOLD = ("doubts", "octave_exits")
# What is told of a point beside the figures that the request names.
SHOWN = ("latency", "ratio", "memory", "macs", "parameters")


@dataclass(frozen=True, kw_only=True)
class Request:
    """A goal and what bounds it.

    Attributes:
        goal: what is made as small or as large as it goes.
        budgets: bounds that the choice must meet.
        where: by flag, the value that rows must have: device, environment, batch, resolution, dtype, mode,
            threads, network, execution, memory_format.
        accuracy_from: the source family whose accuracies count; chosen where it is None.
        split: which images accuracies of the store's own trainings are on; see `known_accuracies`.
        top: how many choices are told, the best included.
    """

    goal: Objective
    budgets: tuple[Budget, ...] = ()
    where: Mapping[str, Any] = field(default_factory=dict)
    accuracy_from: str | None = None
    split: Split = Split.VALIDATION
    top: int = 3

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """Give the goal and what the budgets bound, each once."""
        return tuple(dict.fromkeys((self.goal, *(budget.objective for budget in self.budgets))))

    @property
    def needs_accuracy(self) -> bool:
        """Whether the goal or a budget is an accuracy."""
        return any(goal.is_accuracy for goal in self.objectives)

    @property
    def shown(self) -> tuple[Objective, ...]:
        """Give every objective that is told of a point: those asked for first."""
        return tuple(dict.fromkeys((*self.objectives, *(known_objective(name, name) for name in SHOWN))))

    def judged(self) -> tuple[str, ...]:
        """Give the columns that comparing takes, beside those by which rows are selected."""
        goals = [goal.column for goal in self.objectives if not goal.is_accuracy]
        return tuple(dict.fromkeys((*SELECTED_BY, *_JUDGED, *goals, *TIES, RATIO)))

    def columns(self) -> tuple[str, ...]:
        """Give the columns of a store that answering takes: `judged`, and what is told of a point."""
        rows = [goal for goal in self.shown if not goal.is_accuracy]
        figures = [
            name for goal in rows for name in (goal.column, *(goal.interval or ()), goal.count) if name
        ]
        return tuple(dict.fromkeys((*self.judged(), *_TOLD, *figures, *REASON_COLUMNS)))

    def as_json(self) -> dict[str, Any]:
        """Give the request as plain values."""
        return {
            "goal": {"direction": self.goal.direction.value, "objective": self.goal.name},
            "budgets": [
                {
                    "kind": budget.kind.value,
                    "objective": budget.objective.name,
                    "column": budget.objective.column,
                    "bound": budget.bound,
                    "unit": budget.objective.unit,
                    "text": budget.text,
                }
                for budget in self.budgets
            ],
            "where": dict(self.where),
            "accuracy_from": self.accuracy_from,
            "split": str(self.split),
            "top": self.top,
        }


def make_request(
    *,
    maximize: str | None = None,
    minimize: str | None = None,
    at_most: Sequence[str] = (),
    at_least: Sequence[str] = (),
    where: Mapping[str, Any] | None = None,
    accuracy_from: str | None = None,
    split: Split = Split.VALIDATION,
    top: int = 3,
) -> Request:
    """Make a request of what was written on a command line; flags that are None narrow nothing.

    Raises:
        UsageError: not exactly one goal, a goal turned the wrong way, or a budget that cannot be read.
    """
    budgets = (
        *(parse_budget(text, Kind.MAX) for text in at_most),
        *(parse_budget(text, Kind.MIN) for text in at_least),
    )
    _refuse_twice(budgets)
    flags = {name: value for name, value in (where or {}).items() if value is not None}
    goal = _goal(maximize, minimize)
    return Request(goal=goal, budgets=budgets, where=flags, accuracy_from=accuracy_from, split=split, top=top)


def _goal(maximize: str | None, minimize: str | None) -> Objective:
    if (maximize is None) == (minimize is None):
        problem = "both are given" if maximize is not None else "neither is given"
        raise UsageError(
            f"--maximize, --minimize: {problem}; say what is to be best, once: "
            "--minimize latency or --maximize top1"
        )
    direction = Direction.MINIMIZE if maximize is None else Direction.MAXIMIZE
    name = (minimize if maximize is None else maximize) or ""
    goal = known_objective(name, f"--{direction}")
    if goal.direction is not direction:
        better = "smaller" if goal.direction is Direction.MINIMIZE else "larger"
        raise UsageError(
            f"--{direction} {name}: {goal.name} is better when {better}; write --{goal.direction} {name}"
        )
    return goal


def _refuse_twice(budgets: Sequence[Budget]) -> None:
    seen: dict[Objective, Budget] = {}
    for budget in budgets:
        if budget.objective in seen:
            raise UsageError(
                f"{seen[budget.objective]}, {budget}: {budget.objective.name} is bounded twice; give one"
            )
        seen[budget.objective] = budget
