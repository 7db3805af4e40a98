"""Break-evens in the terminal: every alpha's time beside its MACs, and why a saving did not become time."""

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
from octprobe.explore.break_even import AlphaSaving, BreakEven
from octprobe.explore.doubts import SharedDoubts, own_doubts, shared_doubts, shared_lines
from octprobe.explore.environments import incomparable
from octprobe.explore.groups import Record
from octprobe.explore.labels import (
    condition_labels,
    environment_label,
    shared_conditions,
    varying_conditions,
)
from octprobe.explore.saving.batches import Batches
from octprobe.store.records import Status

# The strongest reasons; `--json` has them all.
REASONS_SHOWN = 2
_COLUMNS = (
    Column("alpha", left=True),
    Column("time", "/vanilla"),
    Column("95 % CI"),
    Column("pairs"),
    Column("verdict", "or status", left=True),
    Column("MACs", "/vanilla"),
    Column("realised", "saving"),
    Column("95 % CI"),
)
_LEGEND = (
    "realised saving: the share of the MACs saved that became time; 1 is all of it, below 0 is time lost"
)


def print_break_even(findings: Sequence[BreakEven], batches: Sequence[Batches], console: Console) -> None:
    """Print each finding with its alphas, then what holds across batches and how many pay."""
    if not findings:
        print_line(console, "No break-even: the store has no row at an alpha above 0.")
        return
    rows = [each.record for finding in findings for each in finding.alphas]
    shared = shared_doubts(rows)
    conditions = [finding.conditions for finding in findings]
    varying = varying_conditions(conditions)
    several = len({given["env_id"] for given in conditions}) > 1
    same = condition_labels(conditions[0], shared_conditions(conditions))
    place = [] if several else [environment_label(rows[0])]
    print_line(console, ", ".join([*place, *same]), "bold")
    print_line(console, _LEGEND, "dim")
    sections = [_section(finding, varying, shared, with_environment=several) for finding in findings]
    print_blocks(console, _COLUMNS, sections)
    console.print()
    _print_batches(batches, console)
    for line in filter(None, [*(f"? {line}" for line in shared_lines(shared)), incomparable(rows)]):
        print_line(console, line, "yellow")
    paying = sum(finding.smallest is not None for finding in findings)
    print_line(console, f"Some alpha is FASTER than vanilla in {paying} of {len(findings)} cases.", "bold")


def _section(
    finding: BreakEven, varying: Sequence[str], shared: SharedDoubts, *, with_environment: bool
) -> Section:
    parts = [finding.subject, finding.variant, *condition_labels(finding.conditions, varying)]
    if with_environment:
        parts.append(environment_label(finding.alphas[0].record, with_id=True))
    style = "green" if finding.smallest else ""
    notes = [cell(_sentence(finding), style)]
    return Section(
        title=", ".join(part for part in parts if part),
        rows=[_cells(each) for each in finding.alphas],
        notes=[*notes, *(note for each in finding.alphas for note in _notes(each, shared))],
    )


def _sentence(finding: BreakEven) -> str:
    if finding.smallest is None:
        return str(finding.reason)
    lost = f", no longer at {', '.join(finding.lost_at)}" if finding.lost_at else ""
    again = "".join(f"; {each.alpha} is slower again than {each.than}" for each in finding.slower_again)
    return f"FASTER from alpha {finding.smallest.alpha}{lost}{again}"


def _cells(each: AlphaSaving) -> list[Text]:
    ratio, realised = each.time_ratio, each.realised_saving
    return [
        label_cell(f"  {each.alpha}"),
        number(ratio.median if ratio else None),
        interval(ratio.low, ratio.high) if ratio else cell(None),
        cell(ratio.count if ratio else None),
        _outcome(each.record),
        number(each.macs_share),
        number(realised.median if realised else None),
        interval(realised.low, realised.high) if realised else cell(None),
    ]


def _outcome(record: Record) -> Text:
    is_measured = record.get("status") == Status.MEASURED
    return verdict_cell(record.get("verdict")) if is_measured else cell(record.get("status"), "red")


def _notes(each: AlphaSaving, shared: SharedDoubts) -> list[Text]:
    """Give why a saving is not known or did not become time, and the doubts of the row alone."""
    label = printable(each.alpha)
    missing = [f"? {label}: {each.missing}"] if each.missing else []
    reasons = [] if each.is_faster else [f"- {label}: {text}" for text in each.reasons[:REASONS_SHOWN]]
    doubts = [f"? {label}: {doubt}" for doubt in own_doubts(each.record, shared)]
    return [cell(line, "yellow" if line.startswith("?") else "") for line in (*missing, *reasons, *doubts)]


def _print_batches(batches: Sequence[Batches], console: Console) -> None:
    if not batches:
        return
    print_line(console, "Across batches", "bold")
    varying = varying_conditions([found.conditions for found in batches])
    several = len({found.conditions["env_id"] for found in batches}) > 1
    for found in batches:
        parts = [found.subject, found.variant, *condition_labels(found.conditions, varying)]
        parts.append(f"env {found.conditions['env_id']}" if several else "")
        print_line(console, f"  {', '.join(part for part in parts if part)}: {found.sentence()}")
