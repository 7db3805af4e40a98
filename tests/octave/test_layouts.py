"""Layouts against brute force: every channel a variable, and every relation a set of equations."""

import itertools
import signal
from collections.abc import Iterator, Sequence
from types import FrameType
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from octprobe.octave.layouts import Layout, LayoutError, Leaves, Run

# Sizes with many divisors, so that tiles and neighbours meet; small enough to try every split of every leaf.
WIDTHS = (1, 2, 3, 4, 6, 8, 12)
MOST_CHANNELS = 24
# A walk over this few channels takes milliseconds; what takes longer than this goes round in circles.
SECONDS = 60


@pytest.fixture(autouse=True)
def no_endless_loop() -> Iterator[None]:
    """Fail what does not come to an end, instead of waiting for it."""

    def stop(signum: int, frame: FrameType | None) -> None:
        raise TimeoutError("the layouts go round in circles")

    former = signal.signal(signal.SIGALRM, stop)
    signal.alarm(SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, former)


class Known(NamedTuple):
    """A value under test, and the variable that each of its channels is."""

    layout: Layout
    channels: list[int]


class Equations:
    """Variables that are 0 or 1, some of them equal."""

    def __init__(self) -> None:
        self.parent: list[int] = []

    def new(self, number: int) -> list[int]:
        """Give new variables."""
        first = len(self.parent)
        self.parent += range(first, first + number)
        return list(range(first, first + number))

    def root(self, variable: int) -> int:
        """Give the one variable that stands for all that are equal to one."""
        while self.parent[variable] != variable:
            variable = self.parent[variable]
        return variable

    def equal(self, left: list[int], right: list[int]) -> None:
        """Let variables be equal one by one."""
        for a, b in zip(left, right, strict=True):
            self.parent[self.root(a)] = self.root(b)

    def alike(self, channels: list[int], parts: int) -> None:
        """Let so many equal parts be equal."""
        width = len(channels) // parts
        for part in range(1, parts):
            self.equal(channels[:width], channels[part * width : (part + 1) * width])

    def classes(self, channels: list[int]) -> list[int]:
        """Give the variables that stand for some."""
        return [self.root(c) for c in channels]


class Walk:
    """A random walk: the same relations asked of the layouts and written down as equations."""

    def __init__(self, data: st.DataObject) -> None:
        self.data, self.leaves, self.equations = data, Leaves(), Equations()
        self.values: list[Known] = []
        self.asked, self.parts = Known((), []), 1
        self.sources: list[Known] = []
        self.plain: set[int] = set()
        self.grouped: list[int] = []

    def draw(self, strategy: st.SearchStrategy) -> object:
        """Draw one thing."""
        return self.data.draw(strategy)

    def keep(self, layout: Layout, channels: list[int]) -> None:
        """Keep a value to go on with."""
        self.values.append(Known(layout, channels))

    def value(self) -> Known:
        """Choose a value that there is."""
        self.asked = self.draw(st.sampled_from(self.values))
        return self.asked

    def new(self) -> None:
        """A convolution's output, or what is always plain."""
        width, is_plain = self.draw(st.sampled_from(WIDTHS)), self.draw(st.integers(0, 7)) == 7
        layout = self.leaves.new(width, [f"conv{len(self.sources)}"], is_plain=is_plain)
        channels = self.equations.new(width)
        self.plain |= set(channels) if is_plain else set()
        self.sources.append(Known(layout, channels))
        self.keep(layout, channels)

    def concatenate(self) -> None:
        """Two values side by side."""
        a, b = self.value(), self.value()
        if len(a.channels) + len(b.channels) <= MOST_CHANNELS:
            self.keep((*a.layout, *b.layout), [*a.channels, *b.channels])

    def slice(self) -> None:
        """A range of a value: no equation."""
        layout, channels = self.value()
        start = self.draw(st.integers(0, len(channels) - 1))
        stop = self.draw(st.integers(start + 1, len(channels)))
        self.keep(self.leaves.slice(layout, start, stop), channels[start:stop])

    def repeat(self) -> None:
        """Every channel becomes several neighbours."""
        layout, channels = self.value()
        times = self.draw(st.sampled_from((2, 3)))
        if len(channels) * times <= MOST_CHANNELS:
            repeated = [c for c in channels for _ in range(times)]
            self.keep(self.leaves.repeated(layout, times), repeated)

    def join(self) -> None:
        """Two values of one width become equal."""
        a = self.value()
        b = self.draw(st.sampled_from([v for v in self.values if len(v.channels) == len(a.channels)]))
        self.equations.equal(a.channels, b.channels)
        self.leaves.join(a.layout, b.layout)

    def part(self) -> None:
        """Equal parts become equal; go on with one of them."""
        layout, channels = self.value()
        parts = self.divisor(channels)
        self.equations.alike(channels, parts)
        self.keep(self.leaves.partition(layout, parts), channels[: len(channels) // parts])

    def pieces(self) -> None:
        """All of several ranges at once; of one width they are equal within each run that they divide."""
        layout, channels = self.value()
        width = len(channels) // self.divisor(channels)
        start = 0
        for run in self.leaves.roots(layout):
            if run.channels % width == 0:
                self.equations.alike(channels[start : start + run.channels], run.channels // width)
            start += run.channels
        for i, piece in enumerate(self.leaves.pieces(layout, [width] * (len(channels) // width))):
            self.keep(piece, channels[i * width : (i + 1) * width])

    def group(self) -> None:
        """As parts, and all of the channels are of groups from then on."""
        layout, channels = self.value()
        parts = self.divisor(channels)
        self.equations.alike(channels, parts)
        self.leaves.group(layout, parts)
        self.grouped += channels

    def shuffle(self) -> None:
        """Groups become equal, and their channels are dealt out in turn."""
        layout, channels = self.value()
        groups = self.divisor(channels)
        self.equations.alike(channels, groups)
        width = len(channels) // groups
        dealt = [channels[g * width + i] for i in range(width) for g in range(groups)]
        self.keep(self.leaves.shuffled(layout, groups), dealt)

    def fold(self) -> None:
        """Neighbours become equal, and then one."""
        layout, channels = self.value()
        times = self.divisor(channels)
        for i in range(0, len(channels), times):
            self.equations.equal(channels[i : i + times], [channels[i]] * times)
        self.keep(self.leaves.folded(layout, times), channels[::times])

    def divisor(self, channels: list[int]) -> int:
        """Draw a number of equal parts."""
        divisors = [n for n in range(1, len(channels) + 1) if len(channels) % n == 0]
        self.parts = self.draw(st.sampled_from(divisors))
        return self.parts

    def by_run(self, known: Known) -> list[set[int]]:
        """Give the classes of the channels of each run of a value."""
        classes, stops = self.equations.classes(known.channels), [0]
        for run in self.leaves.roots(known.layout):
            stops.append(stops[-1] + run.channels)
        assert stops[-1] == len(classes)
        return [set(classes[start:stop]) for start, stop in itertools.pairwise(stops)]

    def widths(self) -> dict[int, int]:
        """Give the channels of every leaf that a value is made of now."""
        runs = (run for value in self.values for run in self.leaves.roots(value.layout))
        return {run.leaf: run.width for run in runs}

    def low(self, layout: Layout, low_of_leaf: dict[int, int]) -> list[bool]:
        """Tell of each channel whether it is low."""
        split = self.leaves.split(layout, low_of_leaf)
        return [c in split.low for c in range(split.channels)]


RELATIONS = (
    "new", "concatenate", "slice", "repeat", "join", "join", "part", "pieces", "group", "shuffle", "fold",
)  # fmt: skip


class Refusal(NamedTuple):
    """Which relation the layouts refused, and what they said."""

    relation: str
    message: str


def walked(data: st.DataObject, relations: Sequence[str], steps: int) -> tuple[Walk, Refusal | None]:
    """Walk at most so many steps, until the layouts refuse."""
    walk = Walk(data)
    walk.new()
    walk.new()
    for name in data.draw(st.lists(st.sampled_from(relations), max_size=steps)):
        try:
            getattr(walk, name)()
        except LayoutError as error:
            return walk, Refusal(name, str(error))
    return walk, None


def lowness(walk: Walk, low_of_leaf: dict[int, int]) -> dict[int, bool]:
    """Tell which variables are low in a split; what is equal must be low together, in every value."""
    found: dict[int, bool] = {}
    for layout, channels in walk.values:
        for variable, is_low in zip(
            walk.equations.classes(channels), walk.low(layout, low_of_leaf), strict=True
        ):
            assert found.setdefault(variable, is_low) == is_low
    return found


@settings(max_examples=500, deadline=None)
@given(st.data())
def test_every_split_satisfies_every_relation_and_no_other(data: st.DataObject) -> None:
    """Two channels are low together in every split if and only if what was asked makes them equal."""
    walk, refusal = walked(data, RELATIONS, 12)
    if refusal is not None:
        return
    widths = walk.widths()
    splits = [dict.fromkeys(widths, 0) | {leaf: low} for leaf in widths for low in range(widths[leaf] + 1)]
    seen = [lowness(walk, split) for split in splits]
    patterns = {tuple(found[variable] for found in seen) for variable in seen[0]}
    assert len(patterns) == len(seen[0]) == sum(widths.values())
    lowness(walk, {leaf: data.draw(st.integers(0, width)) for leaf, width in widths.items()})


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_leaf_knows_its_convolutions_and_what_was_said_of_it(data: st.DataObject) -> None:
    """It names those with one of its channels; it is plain, and of groups, if any of its channels is."""
    walk, refusal = walked(data, RELATIONS, 12)
    if refusal is not None:
        return
    classes, leaves = walk.equations.classes, walk.leaves
    plain, grouped = set(classes(list(walk.plain))), set(classes(walk.grouped))
    for value in walk.values:
        for run, inside in zip(leaves.roots(value.layout), walk.by_run(value), strict=True):
            convs = {
                f"conv{i}" for i, source in enumerate(walk.sources) if inside & set(classes(source.channels))
            }
            assert leaves.convs(run.leaf) == convs
            assert leaves.is_plain(run.leaf) == bool(inside & plain)
            assert leaves.is_grouped(run.leaf) == bool(inside & grouped)


@settings(max_examples=500, deadline=None)
@given(st.data())
def test_a_refusal_has_its_reason_in_the_relations(data: st.DataObject) -> None:
    """Only all or none could be low, or the border of a range lies between two that are low together."""
    walk, refusal = walked(data, [name for name in RELATIONS if name != "pieces"], 8)
    if refusal is None:
        return
    asked, runs = walk.equations.classes(walk.asked.channels), walk.leaves.roots(walk.asked.layout)
    if "neighbours that split alike are divided" in refusal.message:
        assert any(a == b for a, b in itertools.pairwise(asked))
        return
    assert "do not divide into" in refusal.message
    if refusal.relation == "fold" and len(runs) > 1:
        # Neighbours that are of several leaves have no layout, though there may be a split.
        is_cut = any(run.channels % walk.parts for run in runs)
        assert is_cut or any(len(inside) == 1 for inside in walk.by_run(walk.asked))
    else:
        assert len(set(asked)) == 1


def low_of(leaves: Leaves, layout: Layout, *low: int) -> list[int]:
    """Give the low channels of a value whose leaves, in the order of its channels, have so many of them."""
    order = dict.fromkeys(run.leaf for run in leaves.roots(layout))
    return list(leaves.split(layout, dict(zip(order, low, strict=True))).low)


def test_the_last_channels_of_a_leaf_are_low() -> None:
    """A value of its own, and a concatenation of two and of itself."""
    leaves = Leaves()
    a, b = leaves.new(4), leaves.new(3)
    assert low_of(leaves, a, 1) == [3]
    assert low_of(leaves, (*a, *b), 1, 2) == [3, 5, 6]
    assert low_of(leaves, (*b, *a, *b), 1, 2) == [2, 5, 6, 9]
    assert leaves.split((*a, *b), {0: 0, 1: 0}).is_plain


def test_tiles_and_neighbours_meet_in_one_value() -> None:
    """Twelve channels in two groups, of which a pixel shuffle folds every three: 3-5 and 9-11 are low."""
    leaves = Leaves()
    value = leaves.new(12, ["conv"])
    part, folded = leaves.partition(value, 2), leaves.folded(value, 3)
    assert low_of(leaves, value, 1) == [3, 4, 5, 9, 10, 11]
    assert low_of(leaves, part, 1) == [3, 4, 5]
    assert low_of(leaves, folded, 1) == [1, 3]
    assert leaves.roots(value) == (Run(leaves.roots(part)[0].leaf, 12, 2, 3),)


def test_a_concatenation_added_to_a_value_cuts_it() -> None:
    """Three and five channels, then eight: the eight have the two leaves, and a range of them cuts both."""
    leaves = Leaves()
    a, b, whole = leaves.new(3, ["a"]), leaves.new(5, ["b"]), leaves.new(8, ["whole"])
    leaves.join((*a, *b), whole)
    assert low_of(leaves, whole, 1, 2) == [2, 6, 7]
    assert (low_of(leaves, a, 1), low_of(leaves, b, 2)) == ([2], [3, 4])
    assert [leaves.convs(run.leaf) for run in leaves.roots(whole)] == [{"a", "whole"}, {"b", "whole"}]
    middle = leaves.slice(whole, 2, 7)
    assert [run.channels for run in leaves.roots(whole)] == [2, 1, 4, 1]
    assert low_of(leaves, whole, 1, 1, 2, 0) == [1, 2, 5, 6]
    assert (low_of(leaves, middle, 1, 2), low_of(leaves, b, 2, 0)) == ([0, 3, 4], [2, 3])


def test_a_tile_that_is_cut_is_cut_in_every_tile() -> None:
    """Two groups of six channels, and of the first one two channels taken: leaves of two and of four."""
    leaves = Leaves()
    value = leaves.new(12)
    leaves.partition(value, 2)
    taken = leaves.slice(value, 0, 2)
    assert low_of(leaves, value, 1, 1) == [1, 5, 7, 11]
    assert low_of(leaves, taken, 1) == [1]


def test_what_is_all_low_or_all_high_may_be_added_to_another_such_value() -> None:
    """Four groups of one channel, and one channel that became four neighbours."""
    leaves = Leaves()
    groups, neighbours = leaves.new(4, ["a"]), leaves.new(1, ["b"])
    leaves.partition(groups, 4)
    leaves.join(groups, leaves.repeated(neighbours, 4))
    assert (low_of(leaves, groups, 1), low_of(leaves, neighbours, 1)) == ([0, 1, 2, 3], [0])
    assert leaves.convs(leaves.roots(groups)[0].leaf) == {"a", "b"}
