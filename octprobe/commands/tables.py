"""Rows of a store as terminal tables: interval and n beside each figure, failures and doubts in sight."""

from collections import Counter
from collections.abc import Iterable, Sequence

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
    printable,
    scale,
    verdict_cell,
)
from octprobe.explore.doubts import SharedDoubts, own_doubts, shared_doubts, shared_lines
from octprobe.explore.environments import differences, incomparable
from octprobe.explore.groups import Group, Record, gather, is_anchor
from octprobe.explore.labels import (
    condition_labels,
    environment_label,
    group_label,
    member_label,
    shared_conditions,
    varying_conditions,
)
from octprobe.store.records import Status

# An environment's label has these already.
_IN_LABEL = frozenset({"device_name", "torch"})
# What the figures of calls back to back need beside the hundred columns of the others.
_WIDE = 126


def print_rows(rows: Sequence[Record], console: Console) -> None:
    """Print rows, a block a group, a heading an environment; what all rows share is said once."""
    if not rows:
        console.print(Text("The store holds no rows yet."))
        return
    groups, shared = gather(rows), shared_doubts(rows)
    for members in by_environment(groups).values():
        print_heading(console, members, groups)
        _print_groups(console, members, shared)
        console.print()
    print_shared(rows, console)
    console.print(Text(_totals(rows, shared)))


def by_environment(groups: Iterable[Group]) -> dict[object, list[Group]]:
    """Part groups by environment, in the order met."""
    found: dict[object, list[Group]] = {}
    for group in groups:
        found.setdefault(group.conditions["env_id"], []).append(group)
    return found


def print_heading(console: Console, groups: Sequence[Group], everything: Sequence[Group]) -> None:
    """Print what the groups shown together share: the environment and the conditions."""
    several = len(by_environment(everything)) > 1
    first = groups[0].members[0]
    shared = condition_labels(first, shared_conditions([group.conditions for group in groups]))
    unlike = differences(group.members[0] for group in everything)
    told_apart = [found.of(first["env_id"]) for found in unlike if found.column not in _IN_LABEL]
    parts = [environment_label(first, with_id=several), *told_apart, *shared]
    console.print(cell(", ".join(part for part in parts if part), "bold"), soft_wrap=True)


def outcome_cell(record: Record) -> Text:
    """Give the verdict of a measured row, `vanilla` for an anchor, else the status."""
    if record.get("status") != Status.MEASURED:
        return cell(record.get("status"), "red")
    return cell("vanilla", "dim") if is_anchor(record) else verdict_cell(record.get("verdict"))


def print_shared(rows: Sequence[Record], console: Console) -> None:
    """Print what is said once: the doubts that all rows of an environment share, and how these differ."""
    lines = [f"? {line}" for line in shared_lines(shared_doubts(rows))]
    for line in filter(None, [*lines, incomparable(rows)]):
        console.print(cell(line, "yellow"), soft_wrap=True)


def notes_on(record: Record, shared: SharedDoubts) -> list[Text]:
    """Give a row's reason, where there is one, and the doubts that not every row shares, as lines."""
    label = printable(member_label(record))
    lines = []
    if record.get("status") != Status.MEASURED:
        lines.append(f"! {label}: {record.get('status')}: {record.get('reason') or 'no reason recorded'}")
    elif record.get("reason"):
        lines.append(f"? {label}: {record.get('reason')}")
    lines.extend(f"? {label}: {doubt}" for doubt in own_doubts(record, shared))
    return [cell(line, "red" if line.startswith("!") else "yellow") for line in lines]


def _print_groups(console: Console, groups: Sequence[Group], shared: SharedDoubts) -> None:
    members = [member for group in groups for member in group.members]
    macs, macs_prefix = scale(member.get("macs") for member in members)
    peak, peak_prefix = scale(member.get("peak_memory_allocator_bytes") for member in members)
    columns = [
        Column("alpha", left=True),
        Column("latency", "ms/call"),
        Column("95 % CI", "ms/call"),
        Column("n"),
        Column("time", "/vanilla"),
        Column("95 % CI"),
        Column("pairs"),
        Column("verdict", "or status", left=True),
        Column("MACs", f"{macs_prefix}/item"),
        Column("peak", f"{peak_prefix}B"),
    ]
    is_wide = console.width >= _WIDE
    columns += [Column("back to back", "ms/call"), Column("throughput", "items/s")] if is_wide else []
    varying = varying_conditions([group.conditions for group in groups])
    sections = [
        Section(
            title=group_label(group.conditions, varying),
            rows=[_cells(member, macs, peak, is_wide=is_wide) for member in group.members],
            notes=[note for member in group.members for note in notes_on(member, shared)],
        )
        for group in groups
    ]
    print_blocks(console, columns, sections)


def _cells(record: Record, macs: float, peak: float, *, is_wide: bool) -> list[Text]:
    cells = [
        label_cell("  " + member_label(record).removeprefix("alpha ")),
        number(record.get("latency_ms_median")),
        interval(record.get("latency_ms_ci_low"), record.get("latency_ms_ci_high")),
        cell(record.get("latency_samples")),
        number(record.get("time_ratio_median")),
        interval(record.get("time_ratio_ci_low"), record.get("time_ratio_ci_high")),
        cell(record.get("pairs")),
        outcome_cell(record),
        number(record.get("macs"), macs),
        number(record.get("peak_memory_allocator_bytes"), peak),
    ]
    more = [number(record.get(name)) for name in ("period_ms_median", "throughput")]
    return [*cells, *more] if is_wide else cells


def _totals(rows: Sequence[Record], shared: SharedDoubts) -> str:
    counts = Counter(row["status"] for row in rows)
    endings = ", ".join(f"{count} {printable(status)}" for status, count in counts.most_common())
    doubted = sum(bool(own_doubts(row, shared)) for row in rows)
    own = " of their own" if any(shared.values()) else ""
    return f"{len(rows)} rows: {endings}; {doubted} with doubts{own}."
