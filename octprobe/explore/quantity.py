"""Budgets as people write them, `latency=5ms`: a figure with its unit, and the bound it puts on a column."""

import difflib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from octprobe.errors import UsageError
from octprobe.explore.objectives import OBJECTIVES, Direction, Objective
from octprobe.units import show_number

# A number, then what is left of its unit; the sign is read so that a negative bound can be refused by name.
_QUANTITY = re.compile(r"(?P<number>[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)\s*(?P<unit>\S*)")
_NOT_FINITE = re.compile(r"[+-]?(?:nan|inf|infinity)", re.IGNORECASE)

_TIMES_IN_MS = {"us": Decimal("0.001"), "ms": Decimal(1), "s": Decimal(1000)}
_TIMES_IN_S = {name: size / 1000 for name, size in _TIMES_IN_MS.items()}
_BYTES = {name: Decimal(1000) ** power for power, name in enumerate(("B", "kB", "MB", "GB", "TB"))} | {
    name: Decimal(1024) ** power for power, name in enumerate(("KiB", "MiB", "GiB", "TiB"), start=1)
}
_STEPS = {name: Decimal(1000) ** power for power, name in enumerate(("k", "M", "G", "T"), start=1)}


def _counted(noun: str) -> dict[str, Decimal]:
    """Give the units of a count: a step alone, or a step and the noun."""
    return {
        **_STEPS,
        noun: Decimal(1),
        **{f"{step}{noun}": size for step, size in _STEPS.items()},
    }


# By the unit that the schema declares: how a person may write it, each with its size in the column's unit.
_UNITS: Mapping[str, Mapping[str, Decimal]] = {
    "ms/call": _TIMES_IN_MS,
    "ms": _TIMES_IN_MS,
    "s": _TIMES_IN_S,
    "bytes": _BYTES,
    "bytes/item": _BYTES,
    "MACs/item": _counted("MACs"),
    "FLOPs/item": _counted("FLOPs"),
    "parameters": _counted("parameters"),
    "items/s": {"/s": Decimal(1), "items/s": Decimal(1)},
    "%": {"%": Decimal(1)},
    "% points": {"%": Decimal(1), "points": Decimal(1)},
}
# What each is shown in, the first that the figure reaches; exact, as all are powers of ten.
_SHOWN: Mapping[str, tuple[str, ...]] = {
    "ms/call": ("s", "ms", "us"),
    "ms": ("s", "ms", "us"),
    "s": ("s", "ms", "us"),
    "bytes": ("TB", "GB", "MB", "kB", "B"),
    "bytes/item": ("TB", "GB", "MB", "kB", "B"),
    "MACs/item": ("TMACs", "GMACs", "MMACs", "kMACs", "MACs"),
    "FLOPs/item": ("TFLOPs", "GFLOPs", "MFLOPs", "kFLOPs", "FLOPs"),
    "parameters": ("T", "G", "M", "k", "parameters"),
    "items/s": ("items/s",),
    "%": ("%",),
    "% points": ("points",),
}
# Of these a bare number is no riddle: accuracies are percent everywhere.
_MAY_BE_BARE = frozenset({"%", "% points"})
# A difference, the one figure whose bound may lie below 0.
_SIGNED = frozenset({"delta_top1_percent"})


class Kind(StrEnum):
    """On which side of its bound a budget lets a figure be."""

    MAX = "max"
    MIN = "min"


@dataclass(frozen=True)
class Budget:
    """A bound on a column, in the column's unit; `text` is as it was written, without blanks."""

    objective: Objective
    bound: float
    is_upper: bool
    text: str

    @property
    def kind(self) -> Kind:
        """Give the option it was written with."""
        return Kind.MAX if self.is_upper else Kind.MIN

    def __str__(self) -> str:
        return f"--{self.kind} {self.text}"

    def excess(self, value: float) -> float:
        """Give by how much a figure is on the wrong side, in the column's unit; below 0 is room to spare."""
        return value - self.bound if self.is_upper else self.bound - value

    def share(self, amount: float) -> float | None:
        """Give an amount as a share of the bound; None where the bound is 0."""
        return amount / abs(self.bound) if self.bound else None


def parse_budget(text: str, kind: str = "max") -> Budget:
    """Read `latency=5ms` as a bound from above (`max`) or from below (`min`).

    Raises:
        UsageError: no such objective, a figure without its unit, with another's, not finite or below 0, or
            a bound from the side on which the objective is good.
    """
    name, equals, written = (part.strip() for part in text.partition("="))
    place = f"--{kind} {text}"
    if not equals or not name or not written:
        raise UsageError(f"{place}: a budget is NAME=FIGURE, such as {_example_of(None, kind)}")
    goal = known_objective(name, place)
    is_upper = Kind(kind) is Kind.MAX
    if is_upper != (goal.direction is Direction.MINIMIZE):
        other = Kind.MIN if is_upper else Kind.MAX
        better = "smaller" if goal.direction is Direction.MINIMIZE else "larger"
        raise UsageError(f"{place}: {goal.name} is better when {better}; write --{other} {name}={written}")
    bound = _parse_figure(written, goal, place)
    return Budget(goal, bound, is_upper, f"{goal.name}={''.join(written.split())}")


def known_objective(name: str, place: str) -> Objective:
    """Find an objective by its short name or its column; `place` is what a person wrote.

    Raises:
        UsageError: there is none of that name; the message names the nearest.
    """
    found = {text: goal for goal in OBJECTIVES for text in (goal.column, goal.name)}
    if name in found:
        return found[name]
    near = difflib.get_close_matches(name, found, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    choices = ", ".join(goal.name for goal in OBJECTIVES)
    raise UsageError(f"{place}: {name!r} is no objective.{hint} Choose from: {choices}.")


def exact_quantity(goal: Objective, value: float) -> str:
    """Show a figure to its last digit, in a unit that `parse_budget` reads back to the same figure."""
    amount = Decimal(repr(float(value)))
    unit, size = _unit_for(goal, abs(amount))
    return f"{_plain(amount / size)}{unit}"


def show_figure(goal: Objective, value: float | None) -> str:
    """Show a figure rounded, with its unit: `5.321 ms`, `812 MB`, `78.2 %`; absent is a dash."""
    if value is None:
        return show_number(None)
    unit, size = _unit_for(goal, abs(Decimal(repr(float(value)))))
    return f"{show_number(float(Decimal(repr(float(value))) / size))} {unit}".rstrip()


def show_difference(goal: Objective, amount: float) -> str:
    """Show how far two figures lie apart; percentages differ by points."""
    shown = show_figure(goal, abs(amount))
    return shown.replace("%", "points") if goal.unit in _MAY_BE_BARE else shown


def units_of(goal: Objective) -> tuple[str, ...]:
    """Give the units that a figure of an objective may be written in; none where it has no unit."""
    return tuple(_UNITS.get(goal.unit or "", {}))


def _unit_for(goal: Objective, amount: Decimal) -> tuple[str, Decimal]:
    names = _SHOWN.get(goal.unit or "")
    if names is None:
        return "", Decimal(1)
    sizes = _UNITS[goal.unit or ""]
    middle = next((name for name in names if sizes[name] == 1), names[-1])
    chosen = next((name for name in names if amount >= sizes[name]), names[-1] if amount else middle)
    return chosen, sizes[chosen]


def _plain(amount: Decimal) -> str:
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _parse_figure(written: str, goal: Objective, place: str) -> float:
    if _NOT_FINITE.fullmatch(written):
        raise UsageError(f"{place}: a budget must be a finite number")
    parsed = _QUANTITY.fullmatch(written)
    if parsed is None:
        raise UsageError(f"{place}: {written!r} is no figure; {_way_out(goal)}")
    bound = _product(Decimal(parsed["number"]), _size(parsed["unit"], goal, place))
    if not math.isfinite(bound):
        raise UsageError(f"{place}: a budget must be a finite number")
    if bound < 0 and goal.column not in _SIGNED:
        raise UsageError(f"{place}: {goal.name} is never below 0; {_way_out(goal)}")
    return bound


def _product(number: Decimal, size: Decimal) -> float:
    try:
        return float(number * size)
    except ArithmeticError:  # beyond what even a decimal holds
        return math.inf


def _size(unit: str, goal: Objective, place: str) -> Decimal:
    known = _UNITS.get(goal.unit or "", {})
    if unit in known:
        return known[unit]
    if not unit and (not known or goal.unit in _MAY_BE_BARE):
        return Decimal(1)
    if not unit:
        raise UsageError(f"{place}: {goal.name} has a unit; {_way_out(goal)}")
    if not known:
        raise UsageError(f"{place}: {goal.name} has no unit; {_way_out(goal)}")
    raise UsageError(f"{place}: {unit!r} is no unit of {goal.name}; {_way_out(goal)}")


def _way_out(goal: Objective) -> str:
    units = units_of(goal)
    kind = Kind.MAX if goal.direction is Direction.MINIMIZE else Kind.MIN
    if not units:
        return f"write a bare number, such as {_example_of(goal, kind)}"
    bare = "a bare number or " if goal.unit in _MAY_BE_BARE else ""
    return f"write {bare}{', '.join(units)}, such as {_example_of(goal, kind)}"


_EXAMPLES = {
    "ms/call": "5ms",
    "ms": "5ms",
    "s": "5s",
    "bytes": "800MB",
    "bytes/item": "800MB",
    "MACs/item": "2G",
    "FLOPs/item": "2G",
    "parameters": "25M",
    "items/s": "100/s",
    "%": "75%",
    "% points": "-0.5",
}


def _example_of(goal: Objective | None, kind: str) -> str:
    if goal is None:
        return "latency=5ms" if Kind(kind) is Kind.MAX else "top1=75"
    return f"{goal.name}={_EXAMPLES.get(goal.unit or '', '1')}"
