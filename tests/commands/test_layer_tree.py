"""Device time by module as a tree: sums at every branch, and lines that fit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from octprobe.commands.layer_tree import PATH_STYLES, Branch, draw, grow
from octprobe.store.records import PATHS, PartTime

NAMES = st.lists(st.sampled_from("abc"), max_size=4).map(".".join)


def part(layer: str, path: str, time_ms: float) -> PartTime:
    """Make a part of a processor's breakdown."""
    return PartTime(layer=layer, path=path, time_ms=time_ms, kernels=None)


PARTS = [
    part("stem", "plain", 2.0),
    part("layer1.0.conv1", "h2h", 3.0),
    part("layer1.0.conv1", "l2h", 1.0),
    part("layer1.0.bn1", "norm", 0.5),
    part("layer1.1.conv1", "h2h", 1.5),
    part("layer1", "add", 0.5),
    part("", "other", 1.5),
]


def drawn(root: Branch, width: int, *, unicode: bool = True) -> list[str]:
    """Draw a tree on a terminal of some width and give its lines."""
    console = Console(width=width, color_system=None)
    with console.capture() as capture:
        for piece in draw(root, width, unicode=unicode):
            console.print(piece)
    return capture.get().splitlines()


def branches(branch: Branch) -> list[Branch]:
    """Give a branch and all within."""
    return [branch, *(inner for child in branch.children.values() for inner in branches(child))]


def test_the_tree_letter_for_letter() -> None:
    """Columns align over all levels, shares are of the whole, paths of their branch."""
    assert drawn(grow("small alpha 0.5", PARTS, 2), 80) == [
        "layer                     ms/call of time  paths, % of the layer's time",
        "small alpha 0.5            10.000  100.0%  h2h 45  plain 20  other 15  +3",
        "├── stem                    2.000   20.0%  plain",
        "└── layer1                  6.500   65.0%  h2h 69  l2h 15  norm 8  add 8",
        "    ├── 0                   4.500   45.0%  h2h 67  l2h 22  norm 11",
        "    └── 1                   1.500   15.0%  h2h",
    ]


def test_a_wide_terminal_has_bars() -> None:
    """A tenth of the time is a character."""
    lines = drawn(grow("small", PARTS, 1), 120)
    assert lines[2] == "├── stem                    2.000   20.0%  ██          plain"
    assert drawn(grow("small", PARTS, 1), 120, unicode=False)[2].count("#") == 2


@pytest.mark.parametrize(("depth", "count"), [(0, 1), (1, 3), (2, 5), (3, 8), (9, 8)])
def test_depth_is_the_levels_shown(depth: int, count: int) -> None:
    """What lies deeper is in its ancestor, so the root holds all at any depth."""
    root = grow("small", PARTS, depth)
    assert len(branches(root)) == count
    assert root.time_ms == pytest.approx(10)


@given(
    st.lists(st.builds(part, NAMES, st.sampled_from(PATHS), st.integers(0, 9)), max_size=12),
    st.integers(0, 5),
)
def test_every_branch_holds_the_parts_below_it(parts: list[PartTime], depth: int) -> None:
    """By path, against a search through all parts; and children never exceed their branch."""
    root = grow("root", parts, depth)
    assert root.time_ms == sum(each.time_ms for each in parts)
    for name, child in root.children.items():
        inside = [each for each in parts if each.layer.split(".")[0] == name]
        for path in PATHS:
            expected = sum(each.time_ms for each in inside if each.path == path)
            assert child.times_ms.get(path, 0) == expected
    for branch in branches(root):
        assert sum(child.time_ms for child in branch.children.values()) <= branch.time_ms


@given(
    st.lists(st.builds(part, NAMES, st.sampled_from(PATHS), st.floats(0, 1e4)), min_size=1, max_size=20),
    st.integers(80, 130),
)
def test_no_line_is_wrapped(parts: list[PartTime], width: int) -> None:
    """A line a branch under one heading, whatever the terminal's width."""
    root = grow("a network of a rather long name indeed", parts, 4)
    lines = drawn(root, width)
    assert len(lines) == 1 + len(branches(root))
    assert max(map(len, lines)) <= width


def test_time_that_is_nothing_is_drawn() -> None:
    """A clock too coarse to see a kernel gives shares of 0 %, not an error."""
    assert "0.0%" in drawn(grow("small", [part("a", "add", 0.0), part("a", "pool", 0.0)], 1), 80)[2]


def test_every_path_has_a_colour() -> None:
    """A new path is not forgotten here."""
    assert set(PATH_STYLES) == set(PATHS)
