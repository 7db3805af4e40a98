"""Rows of a store as terminal tables: interval and n beside each figure, failures and doubts in sight."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

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
from octprobe.explore.groups import Group, Record, gather, is_anchor, plain_records
from octprobe.explore.labels import (
    condition_labels,
    environment_label,
    group_label,
    member_label,
    shared_conditions,
    varying_conditions,
)
from octprobe.store.records import Status

if TYPE_CHECKING:
    import pandas as pd


def print_rows(frame: "pd.DataFrame", console: Console) -> None:
    """Print every row of a store, a block a group, a heading an environment."""
    if frame.empty:
        console.print(Text("The store holds no rows yet."))
        return
    groups = gather(plain_records(frame))
    for members in by_environment(groups).values():
        print_heading(console, members, groups)
        _print_groups(console, members)
        console.print()
    console.print(Text(_totals(frame)))


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
    parts = [environment_label(first, with_id=several), *shared]
    console.print(cell(", ".join(part for part in parts if part), "bold"), soft_wrap=True)


def outcome_cell(record: Record) -> Text:
    """Give the verdict of a measured row, `vanilla` for an anchor, else the status."""
    if record.get("status") != Status.MEASURED:
        return cell(record.get("status"), "red")
    return cell("vanilla", "dim") if is_anchor(record) else verdict_cell(record.get("verdict"))


def notes_on(record: Record) -> list[Text]:
    """Give a row's doubts and its reason, where there is one, as lines."""
    label = printable(member_label(record))
    lines = []
    if record.get("status") != Status.MEASURED:
        lines.append(f"! {label}: {record.get('status')}: {record.get('reason') or 'no reason recorded'}")
    elif record.get("reason"):
        lines.append(f"? {label}: {record.get('reason')}")
    lines.extend(f"? {label}: {doubt}" for doubt in record.get("doubts") or ())
    return [cell(line, "red" if line.startswith("!") else "yellow") for line in lines]


def _print_groups(console: Console, groups: Sequence[Group]) -> None:
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
    varying = varying_conditions([group.conditions for group in groups])
    sections = [
        Section(
            title=group_label(group.conditions, varying),
            rows=[_cells(member, macs, peak) for member in group.members],
            notes=[note for member in group.members for note in notes_on(member)],
        )
        for group in groups
    ]
    print_blocks(console, columns, sections)


def _cells(record: Record, macs: float, peak: float) -> list[Text]:
    return [
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


def _totals(frame: "pd.DataFrame") -> str:
    counts = frame["status"].value_counts()
    endings = ", ".join(f"{count} {printable(status)}" for status, count in counts.items())
    doubted = sum(bool(doubts) for doubts in frame["doubts"])
    return f"{len(frame)} rows: {endings}; {doubted} with doubts."
