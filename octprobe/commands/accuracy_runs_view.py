"""The accuracies of a store as a terminal table, a block a source family and network."""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.text import Text

from octprobe.commands.terminal import Column, Section, cell, number, print_blocks, print_line
from octprobe.store.accuracy import Accuracy
from octprobe.store.accuracy_run import AccuracyRun, RunStatus
from octprobe.store.accuracy_runs import TEST, answered, family_of
from octprobe.store.own_accuracies import own_accuracies
from octprobe.units import show_duration

_COLUMNS = (
    Column("alpha"),
    Column("kind", left=True),
    Column("top-1", "%"),
    Column("95 % CI", "%"),
    Column("to alpha 0", "% points"),
    Column("top-5", "%"),
    Column("seeds"),
    Column("images"),
    Column("MACs", "M/item"),
    Column("took", "a training"),
    Column("seen", "images"),
)
_MEGA = 1e6


def print_runs(rows: Sequence[AccuracyRun], console: Console, split: str = TEST) -> None:
    """Print accuracies over seeds with what a training took, and trainings that gave none."""
    known = answered(rows, split)
    found = sorted(own_accuracies(rows, split), key=_order)
    titles = dict.fromkeys(_title(each) for each in found)
    sections = [
        Section(title, [_cells(each, _runs_of(each, known)) for each in found if _title(each) == title])
        for title in titles
    ]
    print_blocks(console, _COLUMNS, sections)
    for row in _faults(rows):
        at = row.alpha_map or f"{row.alpha:g}"
        print_line(
            console,
            f"{row.kind} {row.network} alpha {at}, seed {row.seed}: {row.status}: {row.reason}",
            "bold red",
        )
    print_line(
        console,
        f"{split} images; the interval is over seeds and images, of one seed over images. "
        "Compare within one family: recipes differ.",
    )


def _order(accuracy: Accuracy) -> tuple[str, str, bool, float, str]:
    alpha = accuracy.alpha
    return accuracy.source_family, accuracy.network, alpha is None, alpha or 0.0, accuracy.alpha_map or ""


def _title(accuracy: Accuracy) -> str:
    return f"{accuracy.source_family}: {accuracy.network}, {accuracy.resolution} px"


def _faults(rows: Iterable[AccuracyRun]) -> list[AccuracyRun]:
    return [row for row in rows if row.status in {RunStatus.DIVERGED, RunStatus.FAILED}]


def _runs_of(accuracy: Accuracy, rows: Iterable[AccuracyRun]) -> list[AccuracyRun]:
    """Give the rows behind an accuracy."""
    names = ("network", "resolution", "alpha", "alpha_map", "images")
    return [
        row
        for row in rows
        if family_of(row) == accuracy.source_family
        and all(getattr(row, name) == getattr(accuracy, name) for name in names)
    ]


def _cells(accuracy: Accuracy, runs: Sequence[AccuracyRun]) -> list[Text]:
    return [
        cell(accuracy.alpha_map if accuracy.alpha is None else f"{accuracy.alpha:g}"),
        cell(accuracy.kind),
        _percent(accuracy.top1_percent),
        _ends(accuracy),
        _percent(accuracy.delta_top1_percent, sign="+"),
        _percent(accuracy.top5_percent),
        cell(accuracy.seeds),
        cell(accuracy.images),
        number(accuracy.macs, _MEGA),
        cell(show_duration(_mean([row.seconds for row in runs]))),
        number(_mean([row.images_seen for row in runs])),
    ]


def _ends(accuracy: Accuracy) -> Text:
    low, high = accuracy.top1_ci_low_percent, accuracy.top1_ci_high_percent
    return cell(None if low is None or high is None else f"[{low:.2f}, {high:.2f}]")


def _percent(value: float | None, sign: str = "") -> Text:
    """Give two decimals: a hundredth of a percent is one image of ten thousand."""
    return cell(None if value is None else f"{value:{sign}.2f}")


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
