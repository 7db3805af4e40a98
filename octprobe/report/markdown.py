"""A report as Markdown, to be pasted into a pull request."""

import html
import re
from collections.abc import Sequence
from pathlib import Path

from octprobe.figures.shapes import Cell, Table
from octprobe.figures.text import inert
from octprobe.report.contents import Contents, Failure, read_contents
from octprobe.report.tables import shown, summary_tables

# A comment on a pull request is read in one go; the HTML report and the store have the rest.
MOST_ROWS = 40
# What Markdown, or the site that shows it, would take for markup: a mention, a reference, an address.
_MARKUP = re.compile(r"([\\`*_\[\]{}~|!#@])|(?<=[a-z])(:)(?=//)|(?<=www)(\.)", re.IGNORECASE)
_BROKEN = {"@": "@<!-- -->", "#": "#<!-- -->"}


def markdown_report(store: str | Path) -> str:
    """Write a store's report for a pull request.

    Raises:
        StoreError: there is no store, it was written by a newer octprobe, or it holds no rows.
    """
    return comment(read_contents(store).contents)


def comment(contents: Contents) -> str:
    """Write the headline, verdicts, break-even and environments; details are folded."""
    verdicts, break_even = summary_tables(contents)
    endings = ", ".join(f"{count} {text(status)}" for status, count in contents.statuses)
    warnings = [*contents.damaged, *filter(None, [contents.incomparable])]
    blocks = [
        f"## octprobe: {text(contents.name)}",
        f"**{text(contents.headline)}**",
        f"{contents.points} {'point' if contents.points == 1 else 'points'} ({endings}); "
        f"{text(contents.conditions)}.",
        *(f"> {text(warning)}" for warning in warnings),
        "### Fastest alpha against vanilla",
        _table(verdicts),
        "### From which alpha on it pays",
        _table(break_even),
        "### Environment" if len(contents.environments.rows) == 1 else "### Environments",
        _table(contents.environments),
        *_details(contents),
    ]
    return "\n\n".join(blocks) + "\n"


def text(value: object) -> str:
    """Make text inert: neither Markdown nor HTML, no mention of a person and no address to follow."""
    safe = html.escape(inert(value), quote=False)
    return _MARKUP.sub(_without_meaning, safe)


def _without_meaning(found: re.Match[str]) -> str:
    char = found[0]
    if char in _BROKEN:
        return _BROKEN[char]
    return f"&#{ord(char)};" if char in ":.|" else f"\\{char}"


def _table(table: Table) -> str:
    lines = [
        _line([text(name) for name in table.head]),
        _line(["---:" if _is_figures(table, place) else "---" for place in range(len(table.head))]),
        *(_line([text(shown(value)) for value in row]) for row in table.rows[:MOST_ROWS]),
    ]
    hidden = len(table.rows) - MOST_ROWS
    if hidden > 0:
        lines.append(f"\nand {hidden} more, as `octprobe report STORE -o report.html` lists them")
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _is_figures(table: Table, place: int) -> bool:
    values: list[Cell] = [row[place] for row in table.rows if row[place] is not None]
    return bool(values) and all(isinstance(value, int | float) for value in values)


def _details(contents: Contents) -> list[str]:
    blocks = []
    if contents.doubts:
        blocks.append(_folded("Doubts", "\n".join(f"- {text(line)}" for line in contents.doubts)))
    if contents.failures:
        title = f"{contents.failed} {'point' if contents.failed == 1 else 'points'} not measured"
        blocks.append(_folded(title, "\n".join(map(_failure, contents.failures[:MOST_ROWS]))))
    return blocks


def _failure(failure: Failure) -> str:
    return f"- {text(failure.label)}: {text(failure.status)}: {text(failure.reason)}"


def _folded(title: str, body: str) -> str:
    return f"<details><summary>{title}</summary>\n\n{body}\n\n</details>"
