"""The second best, why it lost, and whether it is told apart from the choice at all."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from octprobe.explore.advice.chosen import Figure, Point
from octprobe.explore.objectives import Objective, objective
from octprobe.explore.quantity import show_difference
from octprobe.units import show_number


class Apart(StrEnum):
    """Whether the choice is better than the runner-up by more than noise."""

    APART = "apart"
    OVERLAP = "intervals overlap"
    EQUAL = "equal"
    UNKNOWN = "no interval"


@dataclass(frozen=True)
class RunnerUp:
    """The best of what is left without the choice.

    Attributes:
        point: the row.
        goal: what is to be best, by name.
        behind: by how much its figure of the goal is worse, in the column's unit; below 0 where a time ratio
            decided against the median.
        behind_share: the same as a share of the choice's figure; None where that is 0.
        apart: whether noise alone could turn the two round.
        why: why it lost, in words.
    """

    point: Point
    goal: str
    behind: float
    behind_share: float | None
    apart: Apart
    why: str

    def as_json(self) -> dict[str, Any]:
        """Give the runner-up as plain values."""
        return {
            **self.point.as_json(),
            "behind": self.behind,
            "behind_percent": None if self.behind_share is None else 100 * self.behind_share,
            "apart": self.apart.value,
            "why": self.why,
        }


def runner_up(choice: Point, second: Point, goal: Objective, *, by_ratio: bool) -> RunnerUp:
    """Compare the second best with the choice.

    Args:
        choice: the best.
        second: the next.
        goal: what is to be best.
        by_ratio: whether the two stand in one group, where time ratios are compared.
    """
    behind = goal.cost(_value(second, goal)) - goal.cost(_value(choice, goal))
    share = behind / abs(_value(choice, goal)) if _value(choice, goal) else None
    compared = objective("ratio") if by_ratio else goal
    apart = _apart(choice, second, compared)
    return RunnerUp(
        second,
        goal.name,
        behind,
        share,
        apart,
        f"{_lost(choice, second, compared)}; {_told(apart, compared)}",
    )


def _lost(choice: Point, second: Point, compared: Objective) -> str:
    one, other = choice.figure(compared), second.figure(compared)
    if compared.name == "ratio":
        return (
            f"takes {_ratio(other)} of vanilla's time where the choice takes {_ratio(one)}, "
            "measured in pairs with the same vanilla"
        )
    difference = abs(_value(second, compared) - _value(choice, compared))
    if not difference:
        return (
            f"the same {compared.name}, {other}; latency, memory, MACs, alpha and id settle it, in this order"
        )
    word = {True: "more", False: "less"}[_value(second, compared) > _value(choice, compared)]
    return f"{compared.name} {other}, {show_difference(compared, difference)} {word} than the choice's"


def _told(apart: Apart, compared: Objective) -> str:
    if apart is Apart.OVERLAP:
        return "not separable from the choice: their intervals overlap"
    if apart is Apart.UNKNOWN:
        return f"{compared.name} has no interval here, so the difference may be noise"
    if apart is Apart.EQUAL:
        return f"in {compared.name} they are equal"
    return "the difference is more than noise" if compared.interval else "both are counted, without noise"


def _apart(choice: Point, second: Point, compared: Objective) -> Apart:
    one, other = choice.figure(compared), second.figure(compared)
    if one is None or other is None:
        return Apart.UNKNOWN
    ends, other_ends = _ends(one), _ends(other)
    if ends is None or other_ends is None:
        return Apart.UNKNOWN
    if one.value == other.value and compared.name != "ratio" and not compared.interval:
        return Apart.EQUAL
    overlap = ends[0] <= other_ends[1] and other_ends[0] <= ends[1]
    return Apart.OVERLAP if overlap else Apart.APART


def _ends(figure: Figure) -> tuple[float, float] | None:
    """Give an interval; of what is exact, a count or vanilla's own ratio, the figure itself."""
    if figure.ci_low is not None and figure.ci_high is not None:
        return figure.ci_low, figure.ci_high
    is_exact = figure.source in ("counted", "by definition") and not figure.objective.is_accuracy
    return (figure.value, figure.value) if is_exact else None


def _value(point: Point, goal: Objective) -> float:
    figure = point.figure(goal)
    return figure.value if figure else float("nan")


def _ratio(figure: Figure | None) -> str:
    return show_number(figure.value if figure else None)
