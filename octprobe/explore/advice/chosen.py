"""A point that a recommendation names: its figures with spread and source, its room in each budget."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any

from octprobe.explore.groups import Record, is_anchor
from octprobe.explore.labels import member_label, subject_label
from octprobe.explore.objectives import Objective
from octprobe.explore.quantity import Budget, show_figure
from octprobe.store.row import Row

AXES = (
    *("network", "alpha", "alpha_map", "kernel", "exchange", "downsample", "octave_kernels", "return_at"),
    *("memory_format", "execution"),
)
_ACCURACY = (
    *("dataset", "accuracy_kind", "accuracy_family", "accuracy_source", "accuracy_match"),
    *("accuracy_split", "test_top1_percent"),
)
_SOURCES = {declared.name: declared.metadata.get("source") for declared in fields(Row)}


@dataclass(frozen=True)
class Figure:
    """A figure in its column's unit; the interval's ends and n are None where there are none."""

    objective: Objective
    value: float
    ci_low: float | None
    ci_high: float | None
    count: int | None
    source: str | None

    def __str__(self) -> str:
        return show_figure(self.objective, self.value)

    def as_json(self) -> dict[str, Any]:
        """Give the figure as plain values."""
        return {
            "value": self.value,
            "unit": self.objective.unit,
            "ci_low": self.ci_low,
            "ci_high": self.ci_high,
            "n": self.count,
            "source": self.source,
        }


@dataclass(frozen=True)
class Margin:
    """How a figure stands to a budget.

    Attributes:
        budget: the bound.
        excess: by how much the figure is on the wrong side, in the column's unit; at most 0 where it is met.
        excess_share: the same as a share of the bound; None where that is 0.
        straddles: whether the figure's interval holds the bound, so that noise decides; None without one.
    """

    budget: Budget
    excess: float
    excess_share: float | None
    straddles: bool | None

    @property
    def is_met(self) -> bool:
        """Whether the point estimate meets the bound."""
        return self.excess <= 0

    def as_json(self) -> dict[str, Any]:
        """Give the margin as plain values; `spare` is what is left, in the unit and percent of the bound."""
        return {
            "budget": self.budget.text,
            "is_met": self.is_met,
            "spare": -self.excess,
            "spare_percent": None if self.excess_share is None else -100 * self.excess_share,
            "unit": self.budget.objective.unit,
            "straddles": self.straddles,
        }


@dataclass(frozen=True)
class Point:
    """A row by its name, figures and margins."""

    label: str
    record: Record
    figures: tuple[Figure, ...]
    margins: tuple[Margin, ...]

    @property
    def is_vanilla(self) -> bool:
        """Whether nothing of the network is octave."""
        return is_anchor(self.record)

    @property
    def doubts(self) -> tuple[str, ...]:
        """Give the reasons to trust its figures less."""
        return tuple(self.record.get("doubts") or ())

    def figure(self, objective: Objective) -> Figure | None:
        """Give the figure of an objective; None where the point has none."""
        return next((figure for figure in self.figures if figure.objective == objective), None)

    def as_json(self) -> dict[str, Any]:
        """Give the point as plain values."""
        names = ("point_id", "group_id", "env_id", *AXES, "verdict", *_ACCURACY)
        return {
            "label": self.label,
            **{name: self.record.get(name) for name in names},
            "doubts": list(self.doubts),
            "figures": {figure.objective.name: figure.as_json() for figure in self.figures},
            "budgets": [margin.as_json() for margin in self.margins],
        }


def point_of(record: Record, objectives: Iterable[Objective], budgets: Sequence[Budget]) -> Point:
    """Describe a row by the objectives that it has figures of."""
    figures = tuple(found for goal in objectives if (found := figure_of(record, goal)))
    by_objective = {figure.objective: figure for figure in figures}
    margins = tuple(
        _margin(budget, by_objective[budget.objective])
        for budget in budgets
        if budget.objective in by_objective
    )
    return Point(label_of(record), record, figures, margins)


def label_of(record: Record) -> str:
    """Name a row by its network, alpha, variant, memory format and execution."""
    forms = [str(record[name]) for name in ("memory_format", "execution") if record.get(name) is not None]
    return ", ".join([f"{subject_label(record)} {member_label(record)}", *forms])


def figure_of(record: Record, goal: Objective) -> Figure | None:
    """Give a row's figure; a vanilla row's time ratio is 1 by definition."""
    value, source = record.get(goal.column), _source(record, goal)
    if value is None and goal.name == "ratio" and is_anchor(record):
        value, source = 1.0, "by definition"
    if value is None:
        return None
    low, high = (record.get(name) for name in goal.interval) if goal.interval else (None, None)
    count = record.get(goal.count) if goal.count else None
    return Figure(goal, value, low, high, None if count is None else int(count), source)


def _source(record: Record, goal: Objective) -> str | None:
    if goal.is_accuracy:
        return record.get("accuracy_kind")
    return _SOURCES.get(goal.column)


def _margin(budget: Budget, figure: Figure) -> Margin:
    excess = budget.excess(figure.value)
    straddles = None
    if figure.ci_low is not None and figure.ci_high is not None:
        straddles = figure.ci_low <= budget.bound <= figure.ci_high
    return Margin(budget, excess, budget.share(excess), straddles)
