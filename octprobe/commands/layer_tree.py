"""Device time by module, as a tree: the parts of a breakdown put under the names of their layers."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from rich.text import Text
from rich.tree import Tree

from octprobe.commands.terminal import bar, cell
from octprobe.store.records import PartTime

# Octave paths in one family of colours, exchange apart from what stays within a frequency; glue in others.
PATH_STYLES = {
    "h2h": "blue",
    "l2l": "cyan",
    "h2l": "magenta",
    "l2h": "bright_magenta",
    "plain": "green",
    "pool": "yellow",
    "upsample": "bright_yellow",
    "norm": "bright_black",
    "add": "red",
    "other": "white",
    "backward": "bright_red",
}
# Names, times and shares stand in columns; the guides of a tree take four characters a level.
_NAME_WIDTH = 24
_GUIDE_WIDTH = 4
_BAR_WIDTH = 10
# A narrower terminal needs the bars' room for the paths.
_BARS_FROM_WIDTH = 100
_GAP = "  "


@dataclass
class Branch:
    """A module, the time of each path in it and below it, and the modules within.

    Attributes:
        name: the last part of the module's name.
        times_ms: milliseconds a call, by path.
        children: the modules within, by name, in the order in which they first ran.
    """

    name: str
    times_ms: dict[str, float] = field(default_factory=dict)
    children: dict[str, "Branch"] = field(default_factory=dict)

    @property
    def time_ms(self) -> float:
        """All time in the module, milliseconds a call."""
        return sum(self.times_ms.values())

    def add(self, path: str, time_ms: float) -> None:
        """Add time that a path took."""
        self.times_ms[path] = self.times_ms.get(path, 0.0) + time_ms


def grow(name: str, parts: Iterable[PartTime], depth: int) -> Branch:
    """Put parts under the modules that their layers' names lead through.

    Args:
        name: the name of the root, which holds all.
        parts: in the order in which they ran.
        depth: levels of names that become branches of their own; what lies deeper is in its ancestor.
    """
    root = Branch(name)
    for part in parts:
        branch = root
        branch.add(part.path, part.time_ms)
        for step in part.layer.split(".")[:depth] if part.layer else ():
            branch = branch.children.setdefault(step, Branch(step))
            branch.add(part.path, part.time_ms)
    return root


def draw(root: Branch, width: int, *, unicode: bool) -> Iterator[Text | Tree]:
    """Draw a branch and all within: time, share of the root's time, and the paths' shares of the branch's.

    Args:
        root: what is drawn.
        width: columns of the terminal.
        unicode: whether it has block characters.
    """
    bars = f"{'':{_BAR_WIDTH}}{_GAP}" if width >= _BARS_FROM_WIDTH else ""
    heading = (
        f"{'layer':<{_NAME_WIDTH}} {'ms/call':>8} {'of time':>7}{_GAP}{bars}paths, % of the layer's time"
    )
    yield cell(heading, "bold")
    yield _tree(root, root.time_ms, width, 0, unicode=unicode)


def _tree(branch: Branch, whole_ms: float, width: int, level: int, *, unicode: bool) -> Tree:
    tree = Tree(_line(branch, whole_ms, width, level, unicode=unicode), guide_style="dim")
    for child in branch.children.values():
        tree.children.append(_tree(child, whole_ms, width, level + 1, unicode=unicode))
    return tree


def _line(branch: Branch, whole_ms: float, width: int, level: int, *, unicode: bool) -> Text:
    indent = _GUIDE_WIDTH * level
    name = cell(branch.name, "" if level else "bold")
    name.truncate(max(_NAME_WIDTH - indent, 1), overflow="ellipsis", pad=True)
    share = branch.time_ms / whole_ms if whole_ms else 0.0
    line = Text.assemble(name, f" {branch.time_ms:>8.3f} {share:>7.1%}{_GAP}")
    if width >= _BARS_FROM_WIDTH:
        line.append(f"{bar(share, 1.0, _BAR_WIDTH, unicode=unicode):<{_BAR_WIDTH}}{_GAP}")
    line.append_text(_paths(branch, width - indent - line.cell_len))
    return line


def _paths(branch: Branch, width: int) -> Text:
    """Name the paths, the longest first, as far as there is a percent and room; count the others."""
    shares = sorted(((time_ms, path) for path, time_ms in branch.times_ms.items()), reverse=True)
    if len(shares) == 1:
        return Text(shares[0][1], style=PATH_STYLES[shares[0][1]])
    line, left = Text(), len(shares)
    for time_ms, path in shares:
        percent = round(time_ms / branch.time_ms * 100) if branch.time_ms else 0
        shown = Text(f"{path} {percent}{_GAP}", style=PATH_STYLES[path])
        if not percent or line.cell_len + shown.cell_len + len(f"+{left - 1}") > width:
            break
        line.append_text(shown)
        left -= 1
    if left:
        line.append(f"+{left}", "dim")
    line.rstrip()
    return line
