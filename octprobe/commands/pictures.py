"""The front as a picture in text: bars of both objectives beside their figures."""

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

from rich.console import Console
from rich.text import Text

from octprobe.commands.tables import notes_on, outcome_cell, print_shared
from octprobe.commands.terminal import (
    Column,
    Section,
    bar,
    cell,
    draws_unicode,
    interval,
    label_cell,
    number,
    print_blocks,
    scale,
)
from octprobe.explore.axes import CONDITION_AXES
from octprobe.explore.doubts import SharedDoubts, shared_doubts
from octprobe.explore.front import Front, FrontInfo
from octprobe.explore.groups import Group, Record, gather
from octprobe.explore.labels import (
    condition_labels,
    environment_label,
    group_label,
    member_label,
    varying_conditions,
)
from octprobe.explore.objectives import Direction, Objective

_BAR_WIDTH = 20
_SECOND_BAR_WIDTH = 10
_LEGEND = "* on the front: under the same conditions no point is better on one and no worse on the other"


# Headings are narrow, and bytes are known by their letter.
_UNITS = {"bytes": "B", "bytes/item": "B/item", "MACs/item": "/item"}


class _Figure(NamedTuple):
    column: Column
    cell: Callable[[Group, Record], Text]


def print_front(info: FrontInfo, console: Console, most: int | None = None, store: str = "STORE") -> None:
    """Print fronts as bars of the first objective beside the figures of both.

    Args:
        info: the fronts.
        console: where to.
        most: how many fronts at most; all by default.
        store: the folder named in the hint that tells how to see the rest.
    """
    console.print(cell(_headline(info), "bold"), soft_wrap=True)
    console.print(cell(_LEGEND, "dim"), soft_wrap=True)
    shared = shared_doubts(info.records)
    for front in info.fronts[:most]:
        console.print()
        _print_one(front, info, shared, console)
    hidden = len(info.fronts) - len(info.fronts[:most])
    if hidden:
        console.print(cell(f"and {hidden} more: octprobe front {store} --x {info.x.name} --y {info.y.name}"))
    print_shared(info.records, console)
    for left in info.left_out:
        console.print(cell(left, "yellow"))


def _headline(info: FrontInfo) -> str:
    if not info.fronts:
        return f"No front: no row has both {info.x.column} and {info.y.column}."
    split = f", one for each {', '.join(info.split_by)}" if info.split_by else ""
    return f"Front over {_wish(info.x)} and {_wish(info.y)}{split}"


def _wish(goal: Objective) -> str:
    return f"{goal.name} ({'less' if goal.direction is Direction.MINIMIZE else 'more'} is better)"


def _print_one(front: Front, info: FrontInfo, shared: SharedDoubts, console: Console) -> None:
    rows = [point.record for point in front.points]
    groups = gather(rows)
    figures = [
        _mark({point.record["point_id"] for point in front.points if point.on_front}),
        _bar(info.x, rows, _BAR_WIDTH, console),
        *_figures(info.x, rows),
        _bar(info.y, rows, _SECOND_BAR_WIDTH, console),
        *_figures(info.y, rows),
        _Figure(Column("verdict", left=True), lambda _, row: outcome_cell(row)),
    ]
    varying = varying_conditions([group.conditions for group in groups])
    sections = [
        Section(
            title=group_label(group.conditions, varying),
            rows=[[figure.cell(group, row) for figure in figures] for row in group.members],
            notes=[note for row in group.members for note in notes_on(row, shared)],
        )
        for group in groups
    ]
    conditions = condition_labels(front.given, CONDITION_AXES)
    environment = environment_label(rows[0], with_id="env_id" in info.split_by)
    console.print(cell(", ".join([*conditions, environment]), "bold"), soft_wrap=True)
    print_blocks(console, [figure.column for figure in figures], sections)


def _mark(on_front: Collection[object]) -> _Figure:
    """Give the column of names, a star before those on the front."""

    def named(_: Group, row: Record) -> Text:
        marked = row["point_id"] in on_front
        name = label_cell(f"{'*' if marked else ' '} {member_label(row)}")
        name.stylize("bold green" if marked else "")
        return name

    return _Figure(Column("", left=True), named)


def _bar(goal: Objective, rows: Sequence[Record], width: int, console: Console) -> _Figure:
    """Give a column of bars whose longest is the largest figure of the front."""
    largest = max(abs(row[goal.column]) for row in rows)
    unicode = draws_unicode(console)

    def drawn(_: Group, row: Record) -> Text:
        return Text(bar(abs(row[goal.column]), largest, width, unicode=unicode), style="blue")

    return _Figure(Column(goal.name, left=True), drawn)


def _figures(goal: Objective, rows: Sequence[Record]) -> list[_Figure]:
    """Give an objective's columns: its figure, and its interval and n or its share of vanilla's."""
    size, prefix = (1.0, "") if goal.interval else scale(row.get(goal.column) for row in rows)
    unit = f"{prefix}{_UNITS.get(goal.unit or '', goal.unit or '')}"
    value = _Figure(Column("", unit), lambda _, row: number(row.get(goal.column), size))
    if goal.interval is None:
        return [value, _Figure(Column("of", "vanilla"), lambda group, row: _share(group, row, goal.column))]
    low, high = goal.interval
    count = goal.count or ""
    ends = _Figure(Column("95 % CI", unit), lambda _, row: interval(row.get(low), row.get(high)))
    return [value, ends, _Figure(Column("n"), lambda _, row: cell(row.get(count)))]


def _share(group: Group, row: Record, column: str) -> Text:
    share = group.share_of_anchor(row, column)
    return cell(None if share is None else f"{100 * share:.0f} %")
