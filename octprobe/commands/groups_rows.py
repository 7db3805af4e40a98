"""The groups of a design space as rows of a table, those alike in one where they are many."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from octprobe.commands.terminal import Column, Section, bar, cell, draws_unicode, number, print_blocks, scale
from octprobe.cost.design_group import DesignGroup, DesignSpace, written

# More rows than this are a wall: groups alike, as those of a stage's blocks, share one.
_ROWS_AT_MOST = 40
# A narrower terminal needs the room for the layers.
_WIDE = 100
_BAR_WIDTHS = {False: 5, True: 10}
# So many alphas are written out; more are said by what they are multiples of.
_ALPHAS_SHOWN = 4
# Shares are shown to a tenth of a percent.
_LEAST_SHARE = 0.0005
_GAP = 2
# Beside the number of a group that an alpha map cannot name alone.
MEETS = "+"


@dataclass(frozen=True)
class Row:
    """Groups shown as one, and what an alpha map says to speak of them."""

    groups: Sequence[DesignGroup]
    patterns: Sequence[str]

    @property
    def label(self) -> str:
        """Give the number of the group, or the first and last one and how many groups they are."""
        first, last = self.groups[0], self.groups[-1]
        several = f"..{last.number} ({len(self.groups)})" if len(self.groups) > 1 else ""
        return f"{first.number}{several}{MEETS if first.named_with else ''}"

    @property
    def macs(self) -> int:
        """Give the MACs of all of them, an item of the batch."""
        return sum(group.macs for group in self.groups)


def rows_of(space: DesignSpace, *, show_all: bool) -> list[Row]:
    """Give the groups that are shown: each in a row, or those alike in one where the policy's are many."""
    shown = space.groups if show_all else space.of_policy
    is_folded = not show_all and len(shown) > _ROWS_AT_MOST
    alike: dict[object, list[DesignGroup]] = {}
    for group in shown:
        alike.setdefault(_kind(group) if is_folded else group.number, []).append(group)
    return [
        Row(groups, space.patterns(groups) if len(groups) > 1 else groups[0].patterns)
        for groups in alike.values()
    ]


def _kind(group: DesignGroup) -> object:
    """Give what groups that share a row have in common; one of several layers has a row of its own."""
    if len(group.convs) > 1 or group.named_with:
        return group.number
    block, _, layer = group.convs[0].rpartition(".")
    stage = block.partition(".")[0]
    return stage, layer, group.channels, group.sizes, group.multiple_of, group.smallest_alpha


def has_room(console: Console) -> bool:
    """Tell whether a terminal has room for MACs and for what is said of alphas in full."""
    return console.width >= _WIDE


def print_rows(console: Console, space: DesignSpace, rows: Sequence[Row]) -> None:
    """Print rows as a table as wide as the terminal."""
    is_wide = has_room(console)
    divisor, prefix = scale(row.macs for row in rows)
    columns = [
        Column("#", left=True),
        Column("of MACs", left=True),
        Column(""),
        *([Column("MACs", f"{prefix}/item")] if is_wide else []),
        Column("channels"),
        Column("size", "px"),
        Column("alpha", "allowed", left=True),
        Column("layers", "as an alpha map names them", left=True),
    ]
    largest = max(space.share(row.groups) for row in rows)
    figures = []
    for row in rows:
        share = space.share(row.groups)
        drawn = bar(share, largest, _BAR_WIDTHS[is_wide], unicode=draws_unicode(console))
        weight = [cell(row.label), cell(drawn, "blue"), cell(percent(share))]
        macs = [number(row.macs, divisor)] if is_wide else []
        figures.append([*weight, *macs, *_shape_cells(row.groups, is_wide=is_wide)])
    room = console.width - _taken(figures, columns)
    lines = [
        line for row, cells in zip(rows, figures, strict=True) for line in _lines(cells, row.patterns, room)
    ]
    print_blocks(console, columns, [Section("", lines)])


def _shape_cells(groups: Sequence[DesignGroup], *, is_wide: bool) -> list[Text]:
    return [
        cell(_distinct(channels for group in groups for channels in group.channels)),
        cell(_distinct(size_text(size) for group in groups for size in group.sizes)),
        cell(_alphas(groups[0], is_wide=is_wide)),
    ]


def _taken(figures: Sequence[Sequence[Text]], columns: Sequence[Column]) -> int:
    """Give the width of all columns but the last, with the gaps after them."""
    taken = 0
    for place, column in enumerate(columns[:-1]):
        cells = max(row[place].cell_len for row in figures)
        taken += max(len(column.title), len(column.unit), cells) + _GAP
    return taken


def _lines(cells: Sequence[Text], patterns: Iterable[str], room: int) -> Iterator[list[Text]]:
    """Give the lines of a row; a pattern is never cut, as it is there to be copied."""
    before = list(cells)
    for line in wrapped(patterns, room):
        yield [*before, cell(line)]
        before = [Text()] * len(before)


def wrapped(words: Iterable[str], room: int) -> list[str]:
    """Put words with commas between them on lines of so many characters; one that is longer has its own."""
    lines: list[str] = []
    for word in words:
        if lines and len(lines[-1]) + len(f", {word},") <= room:
            lines[-1] += f", {word}"
        else:
            lines[-1:] = [f"{lines[-1]},", word] if lines else [word]
    return lines


def _alphas(group: DesignGroup, *, is_wide: bool) -> str:
    if group.multiple_of is None:
        return f"any; steps of {group.smallest_alpha}" if is_wide else "any"
    if not is_wide:
        return f"n/{group.multiple_of.denominator}"
    if group.allowed is not None and len(group.allowed) <= _ALPHAS_SHOWN:
        return ", ".join(str(written(alpha)) for alpha in group.allowed)
    return f"multiples of {group.multiple_of}"


def size_text(size: Sequence[int]) -> str:
    """Give a size: one side of a square, else all."""
    return str(size[0]) if len(size) == 2 and len(set(size)) == 1 else "x".join(map(str, size))


def _distinct(values: Iterable[object]) -> str:
    return ", ".join(dict.fromkeys(map(str, values)))


def percent(share: float, digits: int = 1) -> str:
    """Give a share in percent; little is not nothing."""
    return "<0.1 %" if digits == 1 and 0 < share < _LEAST_SHARE else f"{share * 100:.{digits}f} %"
