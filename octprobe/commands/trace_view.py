"""A trace's summary as terminal tables and as a JSON object."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.text import Text

from octprobe.commands.terminal import Column, Section, cell, print_blocks
from octprobe.trace.summary import OperatorUse, TraceSummary
from octprobe.units import ABSENT

# The groups of kernels that are told apart, and what a person calls them.
_GROUPS = {
    "communication": "communication (NCCL)",
    "layout_conversion": "layout conversion",
    "unattributed": "unattributed (no aten:: operator)",
}
# Names of autograd's nodes can be longer than a line of figures has room for.
_NAME_WIDTH = 50


def gaps(summary: TraceSummary) -> Iterator[str]:
    """Say what the trace does not hold, and how to record it."""
    if not summary.kernels:
        yield "the trace holds no kernels: record it with ProfilerActivity.CUDA"
    if summary.unlinked_kernels:
        unlinked = _number(summary.unlinked_kernels, "kernel")
        yield f"the launch of {unlinked} is not in the trace: record whole steps, with ProfilerActivity.CPU"
    if summary.damaged_events:
        damaged = _number(summary.damaged_events, "event")
        yield f"{damaged} without an end left out: stop the profiler between steps"
    if not summary.operators:
        yield "the trace holds no operators: record it with ProfilerActivity.CPU"


def as_object(summary: TraceSummary) -> dict[str, Any]:
    """Give the figures as JSON has them, times in microseconds, shares of the kernels' sum, 0 to 1."""
    figures = asdict(summary)
    operators = {name: _plain(use) for name, use in figures.pop("by_operator").items()}
    for name in _GROUPS:
        group = figures.pop(name)
        figures[f"{name}_us"] = group["time_us"]
        figures |= {f"{name}_{key}": group[key] for key in ("kernels", "share")}
    return _plain(figures) | {"by_operator": operators}


def print_summary(console: Console, file: str, summary: TraceSummary, top: int) -> None:
    """Print the totals, then the operators that took longest.

    Args:
        console: the terminal.
        file: the trace's name, for the heading.
        summary: the figures.
        top: how many operators to show at most.
    """
    console.print(cell(f"{file}: {_extent(summary)}", "bold"), soft_wrap=True)
    if summary.kernels:
        console.print()
        columns = [
            Column("device", left=True),
            Column("time", "us"),
            Column("kernels"),
            Column("of sum", "%"),
        ]
        print_blocks(console, columns, [Section("", list(_totals(summary)))])
    if summary.by_operator:
        console.print()
        _print_operators(console, summary, top)


def _extent(summary: TraceSummary) -> str:
    kernels = _number(summary.kernels, "kernel") if summary.kernels else "no kernels"
    parts = [kernels, _number(summary.operators, "operator call")]
    if summary.kernels:
        parts += [_number(summary.devices, "device"), _number(summary.streams, "stream")]
    if summary.window_us is not None:
        parts.append(f"{_us(summary.window_us)} us from first to last")
    return ", ".join(parts)


def _totals(summary: TraceSummary) -> Iterator[list[Text]]:
    yield _row("kernel sum", _us(summary.kernel_sum_us), _count(summary.kernels), ABSENT)
    yield _row("busy (union over streams)", _us(summary.busy_union_us), ABSENT, ABSENT)
    yield _row("first kernel to last", _us(summary.kernel_window_us), ABSENT, ABSENT)
    for name, title in _GROUPS.items():
        group = getattr(summary, name)
        yield _row(title, _us(group.time_us), _count(group.kernels), _percent(group.share))


def _print_operators(console: Console, summary: TraceSummary, top: int) -> None:
    name, calls = Column("operator", left=True), Column("calls")
    on_device = [name, Column("time", "us"), Column("kernels"), calls, Column("of sum", "%")]
    on_host = [name, Column("host, own", "us"), calls]
    rows = [
        _row(name, *_operator_figures(use, summary.kernel_sum_us))
        for name, use in list(summary.by_operator.items())[:top]
    ]
    print_blocks(console, on_device if summary.kernels else on_host, [Section("", rows)])
    every = len(summary.by_operator)
    if every > top:
        console.print(cell(f"and {_number(every - top, 'operator')} more; --top {every} shows all"))


def _operator_figures(use: OperatorUse, kernel_sum_us: Decimal | None) -> tuple[str, ...]:
    if use.time_us is None:
        return _us(use.host_self_us), _count(use.calls)
    share = use.time_us / kernel_sum_us if kernel_sum_us else None
    return _us(use.time_us), _count(use.kernels), _count(use.calls), _percent(share)


def _row(name: str, *figures: str) -> list[Text]:
    title = cell(name)
    title.truncate(_NAME_WIDTH, overflow="ellipsis")
    return [title, *map(cell, figures)]


def _plain(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Make decimals floats, which hold every digit that a trace's microseconds have."""
    return {name: float(value) if isinstance(value, Decimal) else value for name, value in figures.items()}


def _us(time_us: Decimal | None) -> str:
    return ABSENT if time_us is None else f"{time_us:,.1f}"


def _count(count: int | None) -> str:
    return ABSENT if count is None else f"{count:,}"


def _percent(share: Decimal | None) -> str:
    return ABSENT if share is None else f"{share * 100:.1f}"


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
