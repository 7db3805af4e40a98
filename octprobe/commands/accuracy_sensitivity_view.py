"""What alpha groups cost, as a terminal table and as plain values."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.text import Text

from octprobe.commands.terminal import Column, Section, cell, interval, print_blocks, print_line
from octprobe.store.sensitivity import Sensitivity

_COLUMNS = (
    Column("#", left=True),
    Column("alpha"),
    Column("top-1", "%"),
    Column("lost", "% points"),
    Column("95 % CI", "% points"),
    Column("MACs saved", "%"),
    Column("layers", "as an alpha map names them", left=True),
)
_PERCENT = 100


def print_sensitivities(rows: Sequence[Sensitivity], console: Console) -> None:
    """Print what each group costs alone, and which answers that rests on."""
    first = rows[0]
    print_line(console, f"{first.network}, {first.dataset}, {first.split}: one alpha group alone", "bold")
    console.print()
    print_blocks(console, _COLUMNS, [Section("", [_cells(row) for row in rows])])
    console.print()
    print_line(
        console,
        f"n = {first.images} images; top-1 at alpha 0 {first.baseline_top1_percent:.2f} %; one training, "
        f"seed {first.seed}. A loss whose interval holds 0 may be none.",
    )


def as_objects(rows: Sequence[Sensitivity]) -> list[dict[str, Any]]:
    """Give rows as plain values, with what is derived of them."""
    return [asdict(row) | _derived(row) for row in rows]


def _derived(row: Sensitivity) -> dict[str, float | None]:
    lost = row.lost_points
    return {
        "baseline_top1_percent": row.baseline_top1_percent,
        "top1_percent": row.top1_percent,
        "lost_points": lost.median,
        "lost_points_ci_low": lost.low,
        "lost_points_ci_high": lost.high,
    }


def _cells(row: Sensitivity) -> list[Text]:
    lost = row.lost_points
    saved = (1 - row.macs / row.baseline_macs) * _PERCENT
    return [
        cell(row.group_number),
        cell(f"{row.alpha:g}"),
        cell(f"{row.top1_percent:.2f}"),
        cell(f"{lost.median:+.2f}"),
        interval(lost.low, lost.high),
        cell(f"{saved:.1f}"),
        cell(", ".join(row.layers)),
    ]
