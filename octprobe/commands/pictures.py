"""The front as a picture in text: bars of both objectives beside their figures."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
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
    print_indented,
    scale,
)
from octprobe.explore.axes import CONDITION_AXES
from octprobe.explore.dominance.standings import Standing
from octprobe.explore.doubts import SharedDoubts, shared_doubts
from octprobe.explore.front import ACCURACY_AXES, Drawn, Front, FrontInfo, FrontPoint
from octprobe.explore.groups import Group, Record, gather
from octprobe.explore.labels import (
    condition_labels,
    environment_label,
    group_label,
    member_label,
    varying_conditions,
)
from octprobe.explore.objectives import Direction, Objective
from octprobe.store.accuracy_run import Split

_BAR_WIDTH = 20
_SECOND_BAR_WIDTH = 10
_MARKS = {
    Standing.ON_FRONT: "*",
    Standing.WITHIN_NOISE: "~",
    Standing.DOMINATED: " ",
    Standing.INFEASIBLE: "x",
}
_LEGEND = {
    Standing.ON_FRONT: "on the front: under the same conditions no point is {} and no worse on {}",
    Standing.WITHIN_NOISE: "within noise of it: no point is surely so, at the ends of the 95 % intervals",
    Standing.INFEASIBLE: "infeasible: over a budget",
}
_NOT_DRAWN = {
    Standing.WITHIN_NOISE: "within noise of the front",
    Standing.DOMINATED: "dominated",
    Standing.INFEASIBLE: "infeasible",
}


# Headings are narrow, and bytes are known by their letter.
_UNITS = {"bytes": "B", "bytes/item": "B/item", "MACs/item": "/item"}


class _Figure(NamedTuple):
    column: Column
    cell: Callable[[Group, Record], Text]


def print_front(
    info: FrontInfo,
    console: Console,
    most: int | None = None,
    hint: str = "see them with `octprobe front STORE`",
    *,
    leading: bool = False,
) -> None:
    """Print fronts as bars of the first objectives beside the figures of all.

    Args:
        info: the fronts.
        console: where to.
        most: how many fronts at most; all by default.
        hint: how to see the fronts that are not drawn.
        leading: whether only the points on the front are drawn, and the others counted.
    """
    console.print(cell(_headline(info), "bold"), soft_wrap=True)
    drawn = info.drawn(leading=leading, most=most)
    for line in _legend(info, drawn):
        console.print(cell(line, "dim"), soft_wrap=True)
    rows = [point.record for _, points in drawn for point in points]
    shared = shared_doubts(rows)
    for found in drawn:
        console.print()
        _print_one(found, info, shared, console)
    hidden = len(info.fronts) - len(drawn)
    if hidden:
        console.print(cell(f"and {hidden} more front{'' if hidden == 1 else 's'}: {hint}"), soft_wrap=True)
    print_shared(rows, console)
    for left in info.left_out:
        console.print(cell(left, "yellow"))


def front_notes(info: FrontInfo, *, leading: bool, most: int) -> list[str]:
    """Say beside a list of points what it does not tell: the split, the hypervolumes, what is left out.

    Args:
        info: the fronts.
        leading: whether the list has only the points on the front.
        most: so many hypervolumes at most.
    """
    notes = [_headline(info)]
    for front in info.fronts[:most]:
        where = ", ".join(f"{axis} {front.given.get(axis)}" for axis in info.split_by)
        notes.append(f"{where}: {front.hypervolume}" if where else str(front.hypervolume))
    hidden = len(info.fronts) - most
    notes += [f"and the hypervolumes of {hidden} more fronts"] if hidden > 0 else []
    total: Counter[Standing] = Counter()
    for front in info.fronts if leading else ():
        total.update(front.counts)
    told = _counted(total)
    return [*notes, f"not listed: {told}; --all lists them"] if told else notes


def _headline(info: FrontInfo) -> str:
    if not info.fronts:
        columns = _listed(goal.column for goal in info.objectives)
        return f"No front: no row has {'both ' if len(info.objectives) == 2 else ''}{columns}."
    split = f", one for each {', '.join(info.split_by)}" if info.split_by else ""
    return f"Front over {_listed(map(_wish, info.objectives))}{split}"


def _legend(info: FrontInfo, drawn: Sequence[Drawn]) -> list[str]:
    """Explain the marks that are drawn; the front's always."""
    present = {point.standing for _, points in drawn for point in points} | {Standing.ON_FRONT}
    places = ("better on one", "the other" if len(info.objectives) == 2 else "the others")
    return [f"{_MARKS[s]} {text.format(*places)}" for s, text in _LEGEND.items() if s in present]


def _listed(names: Iterable[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}"


def _counted(counts: Mapping[Standing, int]) -> str:
    return ", ".join(f"{counts[s]} {told}" for s, told in _NOT_DRAWN.items() if counts.get(s))


def _wish(goal: Objective) -> str:
    return f"{goal.name} ({'less' if goal.direction is Direction.MINIMIZE else 'more'} is better)"


def _print_one(drawn: Drawn, info: FrontInfo, shared: SharedDoubts, console: Console) -> None:
    front, points = drawn
    rows = [point.record for point in points]
    groups = gather(rows)
    widths = (_BAR_WIDTH, *[_SECOND_BAR_WIDTH] * 2)
    figures = [_mark(points)]
    for goal, width in zip(info.objectives, widths, strict=False):
        figures += [_bar(goal, rows, width, console), *_figures(goal, groups)]
    figures += _reported(info, front)
    figures.append(_Figure(Column("verdict", left=True), lambda _, row: outcome_cell(row)))
    varying = varying_conditions([group.conditions for group in groups])
    sections = [
        Section(
            title=group_label(group.conditions, varying),
            rows=[[figure.cell(group, row) for figure in figures] for row in group.members],
            notes=[note for row in group.members for note in notes_on(row, shared)],
        )
        for group in groups
    ]
    console.print(cell(_title(front, rows, info), "bold"), soft_wrap=True)
    if rows:
        print_blocks(console, [figure.column for figure in figures], sections)
        print_indented(console, cell(front.hypervolume, "dim"), 2)
    told = _counted(front.counts) if len(rows) < sum(front.counts.values()) else ""
    if told:
        print_indented(console, cell(f"not drawn: {told}", "dim"), 2)


def _title(front: Front, rows: Sequence[Record], info: FrontInfo) -> str:
    conditions = condition_labels(front.given, CONDITION_AXES)
    environment = environment_label(rows[0] if rows else front.given, with_id="env_id" in info.split_by)
    accuracy = [str(front.given[axis]) for axis in ACCURACY_AXES if front.given.get(axis)]
    return ", ".join([*conditions, environment, *accuracy])


def _mark(points: Sequence[FrontPoint]) -> _Figure:
    """Give the column of names, a mark of the standing before each."""
    standings = {id(point.record): point.standing for point in points}

    def named(_: Group, row: Record) -> Text:
        standing = standings[id(row)]
        name = label_cell(f"{_MARKS[standing]} {member_label(row)}")
        name.stylize("bold green" if standing is Standing.ON_FRONT else "")
        return name

    return _Figure(Column("", left=True), named)


def _bar(goal: Objective, rows: Sequence[Record], width: int, console: Console) -> _Figure:
    """Give a column of bars whose longest is the largest figure of the front."""
    largest = max(abs(row[goal.column]) for row in rows)
    unicode = draws_unicode(console)

    def drawn(_: Group, row: Record) -> Text:
        return Text(bar(abs(row[goal.column]), largest, width, unicode=unicode), style="blue")

    return _Figure(Column(goal.name, left=True), drawn)


def _figures(goal: Objective, groups: Sequence[Group]) -> list[_Figure]:
    """Give an objective's columns: its figure, and its interval and n, or its share of vanilla's if drawn."""
    rows = [row for group in groups for row in group.members]
    size, prefix = (1.0, "") if goal.interval else scale(row.get(goal.column) for row in rows)
    unit = f"{prefix}{_UNITS.get(goal.unit or '', goal.unit or '')}"
    value = _Figure(Column("", unit), lambda _, row: number(row.get(goal.column), size))
    if goal.interval is None and not any(group.anchor for group in groups):
        return [value]
    if goal.interval is None:
        return [value, _Figure(Column("of", "vanilla"), lambda group, row: _share(group, row, goal.column))]
    low, high = goal.interval
    count = goal.count or ""
    ends = _Figure(Column("95 % CI", unit), lambda _, row: interval(row.get(low), row.get(high)))
    return [value, ends, _Figure(Column("n"), lambda _, row: cell(row.get(count)))]


def _reported(info: FrontInfo, front: Front) -> list[_Figure]:
    """Give the top-1 on test images beside that by which points were compared."""
    if front.given.get("accuracy_split") != Split.VALIDATION or not any(
        g.name == "top1" for g in info.objectives
    ):
        return []
    return [_Figure(Column("test top1", "%"), lambda _, row: number(row.get("test_top1_percent")))]


def _share(group: Group, row: Record, column: str) -> Text:
    share = group.share_of_anchor(row, column)
    return cell(None if share is None else f"{100 * share:.0f} %")
