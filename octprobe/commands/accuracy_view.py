"""Accuracies as a terminal table, a block a source family."""

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from octprobe.commands.terminal import Column, Section, cell, number, print_blocks
from octprobe.store.accuracy import Accuracy

_COLUMNS = (
    Column("network", left=True),
    Column("variant", left=True),
    Column("alpha"),
    Column("data set", left=True),
    Column("top-1", "%"),
    Column("to alpha 0", "% points"),
    Column("top-5", "%"),
    Column("MACs", "G/item"),
    Column("source", left=True),
)
_GIGA = 1e9


def print_accuracies(accuracies: Sequence[Accuracy], console: Console) -> None:
    """Print accuracies; what each figure may be compared with is said once, below."""
    families = dict.fromkeys(each.source_family for each in accuracies)
    sections = [
        Section(family, [_cells(each) for each in accuracies if each.source_family == family])
        for family in families
    ]
    print_blocks(console, _COLUMNS, sections)
    console.print(
        Text(
            "Published, not measured here: n and intervals are not given. Compare within one family only: "
            "recipes differ."
        ),
        soft_wrap=True,
    )


def _cells(accuracy: Accuracy) -> list[Text]:
    return [
        cell(f"  {accuracy.network}"),
        cell(accuracy.variant),
        cell(None if accuracy.alpha is None else f"{accuracy.alpha:g}"),
        cell(accuracy.dataset),
        _printed(accuracy.top1_percent),
        _printed(accuracy.delta_top1_percent, sign="+"),
        _printed(accuracy.top5_percent),
        number(accuracy.macs, _GIGA),
        cell(accuracy.source),
    ]


def _printed(percent: float | None, sign: str = "") -> Text:
    """Give as many digits as the source prints, one decimal at least."""
    if percent is None:
        return cell(None)
    shown = f"{percent:{sign}g}"
    return cell(shown if "." in shown else f"{shown}.0")
