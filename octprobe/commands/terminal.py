"""What the terminal gets: aligned blocks under one heading, inert text, bars."""

import errno
import json
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from octprobe.units import ABSENT, show_number

# Rows are laid out for this width; a narrower terminal wraps them rather than lose digits.
WIDTH = 100
VERDICT_STYLES = {"FASTER": "green", "SLOWER": "red", "SAME": "cyan", "AMBIGUOUS": "yellow"}
_EIGHTHS = " ▏▎▍▌▋▊▉"
_LABEL_WIDTH = 30
_STEPS = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


class _Terminal(Console):
    """A console that leaves a closed pipe to the door of the program, which knows the exit code."""

    def on_broken_pipe(self) -> None:
        """Raise what the write raised, in place of ending the program."""
        self.quiet = True
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


def make_console(*, stderr: bool = False) -> Console:
    """Open the terminal: plain and of a fixed width where the output is no terminal."""
    stream = sys.stderr if stderr else sys.stdout
    console = _Terminal(file=stream, highlight=False, markup=False, emoji=False)
    if not console.is_terminal or console.width < WIDTH:
        console.width = WIDTH
    return console


def warn(messages: Iterable[object]) -> None:
    """Write warnings to standard error, so that what is piped on stays clean."""
    console = make_console(stderr=True)
    for message in messages:
        console.print(Text(f"warning: {printable(message)}", style="yellow"), soft_wrap=True)


def say(messages: Iterable[object]) -> None:
    """Write notes to standard error, so that what is piped on stays clean."""
    console = make_console(stderr=True)
    for message in messages:
        console.print(Text(printable(message)), soft_wrap=True)


def print_json(value: object) -> None:
    """Write one JSON value to standard output, for another program to read."""
    sys.stdout.write(json.dumps(value, allow_nan=False, indent=1) + "\n")


def printable(value: object) -> str:
    """Make text from a store inert: control characters and escape sequences are spelled out."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in str(value)
    )


def cell(value: object, style: str = "") -> Text:
    """Give a cell of inert text; absent is a dash."""
    return Text(ABSENT if value is None else printable(value), style=style)


def number(value: float | None, divisor: float = 1) -> Text:
    """Give a figure in the unit of its heading."""
    return cell(None if value is None else show_number(value / divisor))


def interval(low: float | None, high: float | None) -> Text:
    """Give an interval's ends in brackets; a dash where there were too few samples for one."""
    return cell(None if low is None or high is None else f"[{show_number(low)}, {show_number(high)}]")


def verdict_cell(record_verdict: object) -> Text:
    """Give a verdict in its colour."""
    return cell(record_verdict, VERDICT_STYLES.get(str(record_verdict), ""))


def label_cell(text: str) -> Text:
    """Give a row's name, cut where it would push the figures off the screen."""
    label = cell(text)
    label.truncate(_LABEL_WIDTH, overflow="ellipsis")
    return label


def scale(values: Iterable[float | None]) -> tuple[float, str]:
    """Choose the decimal step and its prefix in which the largest figure reads best."""
    largest = max((abs(value) for value in values if value is not None), default=0)
    return next(((size, prefix) for size, prefix in _STEPS if largest >= size), (1, ""))


def bar(value: float, largest: float, width: int, *, unicode: bool) -> str:
    """Draw a bar proportional to a figure, to an eighth of a character where the terminal can."""
    if largest <= 0 or value <= 0:
        return ""
    eighths = round(value / largest * width * 8)
    if not unicode:
        return "#" * max(1, round(eighths / 8))
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def draws_unicode(console: Console) -> bool:
    """Say whether the terminal's encoding has block characters."""
    return console.encoding.lower().replace("-", "").startswith("utf")


def print_line(console: Console, line: object, style: str = "") -> None:
    """Print a line of inert text, which a narrow terminal wraps."""
    console.print(cell(line, style), soft_wrap=True)


def print_indented(console: Console, text: Text, indent: int) -> None:
    """Print text under an indent; what is piped on stays one line."""
    if console.is_terminal:
        console.print(Padding(text, (0, 0, 0, indent)))
    else:
        console.print(Text.assemble(" " * indent, text), soft_wrap=True)


@dataclass(frozen=True)
class Column:
    """A heading of two lines, the second its unit; figures stand to the right."""

    title: str
    unit: str = ""
    left: bool = False


@dataclass(frozen=True)
class Section:
    """A title, the rows under it, and lines that belong to those rows."""

    title: str
    rows: Sequence[Sequence[Text]]
    notes: Sequence[Text] = field(default=())


def print_blocks(console: Console, columns: Sequence[Column], sections: Sequence[Section]) -> None:
    """Print sections under one heading, their columns aligned over all sections."""
    heads = [
        [cell(column.title, "bold") for column in columns],
        [cell(column.unit, "dim") for column in columns],
    ]
    rows = [row for section in sections for row in section.rows]
    widths = [max(row[place].cell_len for row in [*heads, *rows]) for place in range(len(columns))]
    for head in heads:
        _print_row(console, head, widths, columns)
    for section in sections:
        if section.title:
            console.print(cell(section.title, "bold cyan"), soft_wrap=True)
        for row in section.rows:
            _print_row(console, row, widths, columns)
        for note in section.notes:
            print_indented(console, note, 4)


def _print_row(
    console: Console, row: Sequence[Text], widths: Sequence[int], columns: Sequence[Column]
) -> None:
    line = Text()
    for place, (text, width, column) in enumerate(zip(row, widths, columns, strict=True)):
        gap = " " * (width - text.cell_len)
        line.append("  " if place else "")
        line.append_text(Text.assemble(text, gap) if column.left else Text.assemble(gap, text))
    line.rstrip()
    console.print(line, soft_wrap=True)
