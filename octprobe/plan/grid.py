"""The grid of a sweep: the product of its axes, counted by arithmetic before anything is listed."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from itertools import product
from typing import Any, Final

from octprobe.plan.axes import DEVICE_KIND
from octprobe.plan.expression import Condition, ConditionError
from octprobe.plan.ranges import Range

# At one second a point, a day and four hours: what is larger is a mistake in the file.
MAX_POINTS: Final = 100_000

Values = tuple[Any, ...] | Range
Choice = dict[str, Any]


@dataclass(frozen=True)
class When:
    """Values that exist only where a condition holds; `index` counts the entries under `when`."""

    index: int
    condition: Condition
    axes: Mapping[str, Values]

    def holds(self, axes: Mapping[str, Any]) -> bool:
        """Whether the values exist here.

        Raises:
            WhenError: the condition has no answer.
        """
        try:
            return self.condition.holds(axes)
        except ConditionError as error:
            raise WhenError(str(error), self) from None

    @property
    def is_early(self) -> bool:
        """Whether the device alone decides it, before any axis has a value."""
        return self.condition.names <= {DEVICE_KIND}


class WhenError(ConditionError):
    """A condition under `when` that has no answer at some choice."""

    def __init__(self, message: str, when: When) -> None:
        super().__init__(message)
        self.when = when


@dataclass(frozen=True)
class SizedGrid:
    """The choices of a sweep on one kind of device.

    Attributes:
        firm: lists of values by axis, no condition over axes adds to them.
        zips: lists that move together.
        open: lists of values by axis to which the conditions of `late` may add.
        late: additions whose condition reads axes.
    """

    firm: Mapping[str, Sequence[Values]]
    zips: Sequence[Mapping[str, Values]]
    open: Mapping[str, Sequence[Values]]
    late: Sequence[When]
    device_kind: str

    @property
    def is_too_large(self) -> bool:
        """Whether there are more choices than may be asked for."""
        return self.least > MAX_POINTS or self.size > MAX_POINTS

    @cached_property
    def least(self) -> int:
        """Number of choices if no condition over axes held; by arithmetic alone."""
        zipped = (len(next(iter(entry.values()))) for entry in self.zips)
        lists = (_length(lists) or 1 for lists in (*self.firm.values(), *self.open.values()))
        return math.prod(zipped) * math.prod(lists) if self.firm or self.zips else 0

    @cached_property
    def size(self) -> int:
        """Number of choices, duplicates counted; asks every condition once for each firm choice."""
        if not self.late:
            return self.least
        return sum(
            math.prod(_length(lists) or 1 for lists in self._opened(choice).values())
            for choice in self._firm_choices()
        )

    @property
    def size_words(self) -> str:
        """Say the number of choices; where it is past counting, the least that it can be."""
        return f"at least {self.least:,}" if self.late and self.least > MAX_POINTS else f"{self.size:,}"

    def choices(self) -> Iterator[Choice]:
        """List every choice of values, the last axis fastest; axes without a value are left out."""
        for choice in self._firm_choices():
            opened = {name: lists for name, lists in self._opened(choice).items() if _length(lists)}
            for values in product(*(_listed(lists) for lists in opened.values())):
                yield choice | dict(zip(opened, values, strict=True))

    def _firm_choices(self) -> Iterator[Choice]:
        if not self.firm and not self.zips:
            return
        rows = [_rows(entry) for entry in self.zips]
        for chosen in product(*rows, *(_listed(lists) for lists in self.firm.values())):
            choice: Choice = {}
            for row in chosen[: len(rows)]:
                choice |= row
            yield choice | dict(zip(self.firm, chosen[len(rows) :], strict=True))

    def _opened(self, choice: Choice) -> dict[str, list[Values]]:
        axes = condition_axes(choice, self.device_kind) if self.late else {}
        opened = {name: list(lists) for name, lists in self.open.items()}
        for when in self.late:
            if when.holds(axes):
                for name, values in when.axes.items():
                    opened[name].append(values)
        return opened


def grid_of(
    axes: Mapping[str, Values],
    zips: Sequence[Mapping[str, Values]],
    whens: Sequence[When],
    device_kind: str,
    order: Sequence[str],
) -> SizedGrid:
    """Lay out the grid: what the device decides is decided first, and counts as if the file had said it.

    `order` names every axis in the order in which they nest; the last varies fastest.
    """
    lists: dict[str, list[Values]] = {name: [values] for name, values in axes.items()}
    for when in whens:
        if when.is_early and when.holds({DEVICE_KIND: device_kind}):
            for name, values in when.axes.items():
                lists.setdefault(name, []).append(values)
    late = [when for when in whens if not when.is_early]
    touched = {name for when in late for name in when.axes}
    changing = {name: lists.get(name, []) for name in order if name in touched}
    firm = {name: lists[name] for name in order if name in lists and name not in touched}
    return SizedGrid(firm, zips, changing, late, device_kind)


def condition_axes(choice: Mapping[str, Any], device_kind: str) -> dict[str, Any]:
    """Give a choice as conditions read it: shares as numbers, alpha maps as absent."""
    return {name: _plain(value) for name, value in choice.items()} | {DEVICE_KIND: device_kind}


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return float(value)
    return None if isinstance(value, tuple) else value


def _length(lists: Sequence[Values]) -> int:
    return sum(len(values) for values in lists)


def _listed(lists: Sequence[Values]) -> list[Any]:
    return [value for values in lists for value in values]


def _rows(entry: Mapping[str, Values]) -> list[Choice]:
    return [dict(zip(entry, row, strict=True)) for row in zip(*entry.values(), strict=True)]
