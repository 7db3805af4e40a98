"""The plain data of figures: what each info function gives, and the table that says the same."""

import math
from typing import Any, NamedTuple

from octprobe.units import ABSENT, show_number

Ends = tuple[float, float]
Cell = str | float | int | None


class Heading(NamedTuple):
    """What stands over and under a figure.

    Attributes:
        title: what it shows.
        conditions: the environments and conditions that its figures hold under.
        notes: what was left out, thinned or doubted, a sentence each.
        reason: why there is nothing to draw; None where there is.
    """

    title: str
    conditions: str
    notes: tuple[str, ...] = ()
    reason: str | None = None


class Point(NamedTuple):
    """One row on a figure; `ends` are those of 95 % intervals, `n` the samples behind them."""

    label: str
    x: float
    y: float
    x_ends: Ends | None = None
    y_ends: Ends | None = None
    n: int | None = None


class Series(NamedTuple):
    """Points of one group and variant, in the order of x or of alpha."""

    name: str
    points: tuple[Point, ...]


class Table(NamedTuple):
    """A figure's numbers; the units are in the head."""

    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


def shown_interval(value: float, ends: Ends | None, unit: str) -> str:
    """Say a figure with its interval and unit: `80.00 [79.72, 80.28] ms/call`."""
    interval = "" if ends is None else f" [{show_number(ends[0])}, {show_number(ends[1])}]"
    return f"{show_number(value)}{interval} {unit}".rstrip()


def shown_count(count: int | None, noun: str) -> str:
    """Say how many samples a figure rests on: `n = 41 samples`."""
    return f"n = {ABSENT if count is None else count} {noun}{'' if count == 1 else 's'}"


def interval_cells(ends: Ends | None) -> tuple[Cell, Cell]:
    """Give the two cells of an interval."""
    return (None, None) if ends is None else ends


def point_cells(one: Series, point: Point) -> tuple[Cell, ...]:
    """Give a point of a series as the cells of a table: names, both figures, the interval of y, and n."""
    return (one.name, point.label, point.x, point.y, *interval_cells(point.y_ends), point.n)


def whole(value: Any) -> int | None:
    """Give a count as an integer; None where it is absent."""
    return None if value is None or math.isnan(value) else int(value)
