"""A comparison in the terminal: both changes beside each other, and all that is not a time below."""

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from octprobe.commands.terminal import (
    Column,
    Section,
    cell,
    interval,
    label_cell,
    number,
    print_blocks,
    print_line,
    printable,
    verdict_cell,
)
from octprobe.explore.compare import Comparison, PointChange
from octprobe.explore.comparison.change import Change
from octprobe.explore.comparison.sides import Side
from octprobe.explore.doubts import SharedDoubts, own_doubts, shared_doubts, shared_lines
from octprobe.explore.groups import Group, Record, gather, is_anchor
from octprobe.explore.labels import (
    condition_labels,
    environment_label,
    group_label,
    member_label,
    row_label,
    shared_conditions,
    varying_conditions,
)
from octprobe.store.records import Status
from octprobe.units import ABSENT, show_number

# What fits a screen of the points that one side alone has; `--json` has them all.
ONLY_SHOWN = 8
_COLUMNS = (
    Column("alpha", left=True),
    Column("A", "ms/call"),
    Column("B", "ms/call"),
    Column("n", "A/B"),
    Column("B/A"),
    Column("95 % CI"),
    Column("time/vanilla", "B/A"),
    Column("95 % CI"),
    Column("pairs", "A/B"),
    Column("verdict", left=True),
)
_DRIFT = (
    "Intervals know the scatter within each run. Runs minutes apart also differ by the machine's drift, "
    "which moves the latency and hardly time/vanilla, each run's own paired ratio."
)


def print_comparison(found: Comparison, sides: tuple[Side, Side], console: Console) -> None:
    """Print a comparison: both sides, a block a group, what only one side has, totals, failed points."""
    doubts = [shared_doubts([getattr(point, side) for point in found.points]) for side in "ab"]
    _print_sides(found, sides, console)
    _print_points(found, doubts, console)
    console.print()
    _print_shared(doubts, console)
    _print_only("A", found.only_a, console)
    _print_only("B", found.only_b, console)
    _print_drift(found, console)
    print_line(console, _totals(found))
    _print_check(found, console)


def _print_sides(found: Comparison, sides: tuple[Side, Side], console: Console) -> None:
    first = found.points[0]
    for side, row in zip(sides, (first.a, first.b), strict=True):
        print_line(console, f"{side.name}: {side} ({environment_label(row, with_id=True)})", "bold")
    groups = [group.conditions for group in gather(point.a for point in found.points)]
    print_line(console, ", ".join(condition_labels(groups[0], shared_conditions(groups))), "bold")
    if found.environment_differences:
        unlike = "; ".join(map(str, found.environment_differences))
        print_line(console, f"The environments differ: {unlike}.", "yellow")


def _print_points(found: Comparison, doubts: Sequence[SharedDoubts], console: Console) -> None:
    by_id = {point.a["point_id"]: point for point in found.points}
    groups = gather(point.a for point in found.points)
    varying = varying_conditions([group.conditions for group in groups])
    sections = [_section(group, by_id, varying, doubts) for group in groups]
    print_blocks(console, _COLUMNS, sections)


def _section(
    group: Group, by_id: dict[str, PointChange], varying: Sequence[str], doubts: Sequence[SharedDoubts]
) -> Section:
    points = [by_id[member["point_id"]] for member in group.members]
    return Section(
        title=group_label(group.conditions, varying),
        rows=[_cells(point) for point in points],
        notes=[note for point in points for note in _notes(point, doubts)],
    )


def _cells(point: PointChange) -> list[Text]:
    latency, ratio = point.latency, point.time_ratio
    return [
        label_cell("  " + member_label(point.a).removeprefix("alpha ")),
        number(latency.a),
        number(latency.b),
        cell(_counts(latency)),
        number(latency.ratio),
        interval(latency.low, latency.high),
        number(ratio.ratio),
        interval(ratio.low, ratio.high),
        cell(_counts(ratio)),
        _outcome(point),
    ]


def _counts(change: Change) -> str | None:
    counts = [ABSENT if count is None else str(count) for count in (change.count_a, change.count_b)]
    return None if set(counts) == {ABSENT} else "/".join(counts)


def _outcome(point: PointChange) -> Text:
    if point.verdict is not None:
        return verdict_cell(point.verdict)
    statuses = dict.fromkeys(str(row["status"]) for row in (point.a, point.b))
    return cell(None if set(statuses) == {Status.MEASURED} else " / ".join(statuses), "red")


def _notes(point: PointChange, doubts: Sequence[SharedDoubts]) -> list[Text]:
    """Give what is to be said of a point: its check, its status, why no interval, figures, doubts."""
    label = printable(member_label(point.a))
    lines = [f"! {label}: fails: {point.failure}"] if point.failure else []
    if point.status_changed:
        lines.append(f"! {label}: {point.a['status']} in A, {point.b['status']} in B{_why(point)}")
    elif point.latency.reason:
        lines.append(f"? {label}: {point.latency.reason}")
    if point.time_ratio.reason and not is_anchor(point.a) and point.time_ratio.reason != point.latency.reason:
        lines.append(f"? {label}: {point.time_ratio.reason}")
    lines.extend(
        f"= {label}: {name} {before} in A, {after} in B" for name, (before, after) in point.exact.items()
    )
    for side, row, shared in zip("AB", (point.a, point.b), doubts, strict=True):
        lines.extend(f"? {label}: {doubt} in {side}" for doubt in own_doubts(row, shared))
    return [cell(line, {"!": "red", "?": "yellow"}.get(line[0], "")) for line in lines]


def _why(point: PointChange) -> str:
    reason = next((row["reason"] for row in (point.b, point.a) if row.get("reason")), None)
    return f": {reason}" if reason else ""


def _print_only(side: str, rows: Sequence[Record], console: Console) -> None:
    if not rows:
        return
    print_line(console, f"{_points(len(rows))} in {side} only:", "yellow")
    for row in rows[:ONLY_SHOWN]:
        print_line(console, f"  {row_label(row)} ({row.get('status')})")
    if len(rows) > ONLY_SHOWN:
        print_line(console, f"  and {len(rows) - ONLY_SHOWN} more, as `--json` lists them")


def _print_shared(doubts: Sequence[SharedDoubts], console: Console) -> None:
    """Say each doubt that all rows of a side share once, for both sides where both have it."""
    sides: dict[str, list[str]] = {}
    for side, shared in zip("AB", doubts, strict=True):
        for line in shared_lines(shared):
            sides.setdefault(line, []).append(side)
    for line, names in sides.items():
        print_line(console, f"? {' and '.join(names)}: {line}", "yellow")


def _print_drift(found: Comparison, console: Console) -> None:
    """Say how far vanilla itself moved, and what no interval knows."""
    shift = found.vanilla_shift
    if shift is not None:
        moved = abs(shift - 1) > found.tolerance.band
        advice = "; machine or software changed, so read time/vanilla, or judge with --by time_ratio"
        line = f"Vanilla's own latency, B/A: {show_number(shift)} (median of its points)"
        print_line(console, f"{line}{advice if moved else ''}.", "yellow" if moved else "")
    print_line(console, _DRIFT, "dim")


def _totals(found: Comparison) -> str:
    words = ", ".join(f"{count} {word}" for word, count in found.verdicts.items() if count)
    changed = sum(point.status_changed for point in found.points)
    parts = [
        f"{_points(len(found.points))} joined, {found.tested} tested",
        words,
        f"{changed} ended another way" if changed else "",
    ]
    judged = f"by {found.basis} with a band of {100 * found.tolerance.band:g} %, Holm-corrected"
    return f"{'; '.join(part for part in parts if part)} ({judged})."


def _print_check(found: Comparison, console: Console) -> None:
    margin = found.tolerance.fail_above
    if margin is None:
        return
    if not found.failed:
        print_line(console, f"No point is shown to be slower by more than {100 * margin:g} %.", "green")
        return
    print_line(console, f"{len(found.failed)} of {_points(len(found.points))} failed:", "bold red")
    for point in found.failed:
        print_line(console, f"  {row_label(point.a)}: {point.failure}", "red")


def _points(count: int) -> str:
    return f"{count} {'point' if count == 1 else 'points'}"
