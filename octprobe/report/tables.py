"""The tables of a report's summary: verdicts and break-even, the same in both formats."""

from collections.abc import Iterable, Sequence

from octprobe.explore.break_even import AlphaSaving, BreakEven
from octprobe.explore.fastest import Estimate, Fastest
from octprobe.explore.groups import Record
from octprobe.explore.labels import environment_label, group_label, varying_conditions
from octprobe.figures.shapes import Cell, Table
from octprobe.report.contents import Contents
from octprobe.units import show_number

# The strongest reasons; `octprobe break-even --json` has them all.
MOST_REASONS = 3
_Interval = tuple[Cell, Cell, Cell]


def verdicts_table(findings: Sequence[Fastest], places: Sequence[str]) -> Table:
    """Give the fastest alpha of each group with its verdict.

    Args:
        findings: one a group.
        places: what each is called, as `place_names` gives it.
    """
    head = (
        "network or layer",
        "fastest alpha",
        "verdict",
        "time / vanilla",
        "CI low",
        "CI high",
        "pairs",
        "MACs, % of vanilla",
        "latency, ms/call",
        "doubts or reason",
    )
    rows = []
    for finding, place in zip(findings, places, strict=True):
        share = None if finding.macs_share is None else 100 * finding.macs_share
        rows.append(
            (
                place,
                finding.alpha and finding.alpha.removeprefix("alpha "),
                finding.verdict,
                *_interval(finding.time_ratio),
                finding.time_ratio.count if finding.time_ratio else None,
                share,
                finding.latency.median if finding.latency else None,
                finding.reason or ", ".join(finding.doubts) or None,
            )
        )
    return Table(head, tuple(rows))


def break_even_table(findings: Sequence[BreakEven], places: Sequence[str]) -> Table:
    """Give the smallest alpha that is FASTER, how much of its MACs saving became time, and why not all.

    Where no alpha is FASTER the figures are those of the alpha that came nearest.

    Args:
        findings: one a group and variant.
        places: what each is called.
    """
    head = (
        "network or layer",
        "break-even alpha",
        "realised saving, %",
        "CI low",
        "CI high",
        "pairs",
        "of alpha",
        "why not all",
    )
    rows = []
    for finding, place in zip(findings, places, strict=True):
        best = finding.smallest or _nearest(finding)
        saving = best.realised_saving if best else None
        rows.append(
            (
                " ".join(filter(None, [place, finding.variant])),
                finding.smallest.alpha if finding.smallest else "none",
                *_interval(saving, 100),
                saving.count if saving else None,
                best.alpha if best else None,
                _why(finding, best),
            )
        )
    return Table(head, tuple(rows))


def _nearest(finding: BreakEven) -> AlphaSaving | None:
    """Give the alpha of the smallest time ratio; None where none has one."""
    paired = [(each.time_ratio.median, place) for place, each in enumerate(finding.alphas) if each.time_ratio]
    return finding.alphas[min(paired)[1]] if paired else None


def _why(finding: BreakEven, best: AlphaSaving | None) -> str | None:
    """Say why not all of the saving became time, the strongest reasons first."""
    reasons = best.reasons if best else ()
    more = f"and {len(reasons) - MOST_REASONS} more" if len(reasons) > MOST_REASONS else None
    why = [finding.reason, best.missing if best else None, *reasons[:MOST_REASONS], more]
    return "; ".join(filter(None, why)) or None


def place_names(conditions: Sequence[Record], environments: Iterable[Record]) -> list[str]:
    """Name groups by their subject and what tells them apart, the environment too where there are several."""
    labels = {place["env_id"]: place for place in environments}
    varying = varying_conditions(conditions)
    names = []
    for each in conditions:
        place = environment_label(labels[each["env_id"]], with_id=True) if len(labels) > 1 else ""
        names.append(", ".join(filter(None, [group_label(each, varying), place])))
    return names


def summary_tables(contents: Contents) -> tuple[Table, Table]:
    """Give the tables of verdicts and of break-even."""
    places = contents.environment_records
    verdicts = place_names([finding.conditions for finding in contents.findings], places)
    points = place_names([finding.conditions for finding in contents.break_evens], places)
    return verdicts_table(contents.findings, verdicts), break_even_table(contents.break_evens, points)


def _interval(value: Estimate | None, factor: float = 1) -> _Interval:
    if value is None:
        return None, None, None
    ends = (None if end is None else factor * end for end in (value.low, value.high))
    low, high = ends
    return factor * value.median, low, high


def shown(value: Cell) -> str:
    """Show a cell as both formats print it: a figure to four digits, absent as a dash."""
    if isinstance(value, float) or value is None:
        return show_number(value)
    return str(value)
