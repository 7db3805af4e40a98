"""Which channels of which values must split alike: runs over leaves, and the leaves joined by union-find."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from octprobe.octave.split import ChannelSplit


class LayoutError(Exception):
    """Two values cannot split alike; the message says why."""


@dataclass(frozen=True)
class Run:
    """Neighbouring channels that split as a leaf does.

    Channel c of the run is channel `c // repeats % width` of the leaf, whose width is
    `channels / tiles / repeats`: a grouped convolution asks for tiles, a pixel shuffle for repeats.
    """

    leaf: int
    channels: int
    tiles: int = 1
    repeats: int = 1

    @property
    def width(self) -> int:
        """Give the leaf's number of channels."""
        return self.channels // (self.tiles * self.repeats)


# A value's channels: one run for a convolution's output, several for a concatenation.
Layout = tuple[Run, ...]


class Leaves:
    """Sets of channels whose last ones are low; joined ones become one, one that is cut tiles of another."""

    def __init__(self) -> None:
        self._as_other: list[Run | None] = []
        self._convs: list[set[str]] = []
        self._is_plain: list[bool] = []

    def new(self, channels: int, convs: Iterable[str] = (), *, is_plain: bool = False) -> Layout:
        """Give a value of its own leaf.

        Args:
            channels: its channels.
            convs: the convolutions whose output it is.
            is_plain: whether none of its channels can be low.
        """
        self._as_other.append(None)
        self._convs.append(set(convs))
        self._is_plain.append(is_plain)
        return (Run(len(self._as_other) - 1, channels),)

    def root(self, run: Run) -> Run:
        """Give a run in terms of the leaf that its own has become."""
        while (other := self._as_other[run.leaf]) is not None:
            run = Run(other.leaf, run.channels, run.tiles * other.tiles, run.repeats * other.repeats)
        return run

    def convs(self, leaf: int) -> set[str]:
        """Name the convolutions whose outputs are made of a leaf."""
        return self._convs[leaf]

    def is_plain(self, leaf: int) -> bool:
        """Tell whether no channel of a leaf can be low."""
        return self._is_plain[leaf]

    def join(self, a: Layout, b: Layout) -> None:
        """Let two values of as many channels split alike.

        Raises:
            LayoutError: no split does.
        """
        left, right = list(a), list(b)
        while left and right:
            channels = min(left[0].channels, right[0].channels)
            (first, *left), (second, *right) = self._cut(left, channels), self._cut(right, channels)
            self._unite(first, second)

    def partition(self, layout: Layout, parts: int) -> Layout:
        """Let a value split alike in so many equal parts; give one of them.

        Raises:
            LayoutError: no split does.
        """
        width = sum(run.channels for run in layout) // parts
        first = self.slice(layout, 0, width)
        for part in range(1, parts):
            self.join(first, self.slice(layout, part * width, (part + 1) * width))
        return first

    def slice(self, layout: Layout, start: int, stop: int) -> Layout:
        """Give the channels of a range, as a value that splits as its place in the whole says.

        Raises:
            LayoutError: no split leaves the range a split of its own.
        """
        taken, position = [], 0
        for run in layout:
            begin, end = max(start, position), min(stop, position + run.channels)
            if begin < end:
                taken.append(self._piece(run, begin - position, end - position))
            position += run.channels
        return tuple(taken)

    def repeated(self, layout: Layout, times: int) -> Layout:
        """Give a value in which every channel has become so many neighbours, as a depth multiplier does."""
        return tuple(Run(r.leaf, r.channels * times, r.tiles, r.repeats * times) for r in layout)

    def folded(self, layout: Layout, times: int) -> Layout:
        """Give a value in which so many neighbours have become one channel, as a pixel shuffle does.

        Raises:
            LayoutError: no split keeps the neighbours together.
        """
        runs = [self._refine(run, 1, times) for run in layout]
        return tuple(Run(r.leaf, r.channels // times, r.tiles, r.repeats // times) for r in runs)

    def shuffled(self, layout: Layout, groups: int) -> Layout:
        """Give a value whose channels, of so many equal groups, have been dealt out in turn.

        Raises:
            LayoutError: no split lets the groups split alike.
        """
        return self.repeated(self.partition(layout, groups), groups)

    def split(self, layout: Layout, low_of_leaf: dict[int, int]) -> ChannelSplit:
        """Give the channels of a value that are low, from the number of low channels in every leaf."""
        low: list[int] = []
        offset = 0
        for run in map(self.root, layout):
            first_low = run.width - low_of_leaf[run.leaf]
            inside = (c for c in range(run.channels) if c // run.repeats % run.width >= first_low)
            low.extend(offset + c for c in inside)
            offset += run.channels
        return ChannelSplit(offset, tuple(low))

    def _cut(self, runs: list[Run], channels: int) -> list[Run]:
        run, *others = runs
        if run.channels == channels:
            return runs
        pieces = [self._piece(run, 0, channels), self._piece(run, channels, run.channels)]
        return [*pieces, *others]

    def _piece(self, run: Run, start: int, stop: int) -> Run:
        """Give a range of a run; its leaf becomes narrow enough to lie within the range in whole."""
        if (start, stop) == (0, run.channels):
            return run
        run = self.root(run)
        period = math.gcd(run.channels // run.tiles, start, stop)
        run = self._refine(run, run.channels // period, 1)
        return Run(run.leaf, stop - start, (stop - start) // period, run.repeats)

    def _refine(self, run: Run, tiles: int, repeats: int) -> Run:
        """Give a run of at least so many tiles and repeats; its leaf is derived from a new one for it."""
        run = self.root(run)
        tiles, repeats = math.lcm(run.tiles, tiles), math.lcm(run.repeats, repeats)
        if (tiles, repeats) == (run.tiles, run.repeats):
            return run
        if run.channels % (tiles * repeats):
            raise LayoutError(
                f"{run.channels} channels do not divide into {tiles} equal parts of {repeats} neighbours each"
            )
        new = Run(len(self._as_other), run.channels, tiles, repeats)
        self.new(new.width)
        self._derive(run.leaf, Run(new.leaf, run.width, tiles // run.tiles, repeats // run.repeats))
        return new

    def _unite(self, a: Run, b: Run) -> None:
        a, b = self.root(a), self.root(b)
        while (a.tiles, a.repeats) != (b.tiles, b.repeats) and not a.width == b.width == 1:
            tiles, repeats = math.lcm(a.tiles, b.tiles), math.lcm(a.repeats, b.repeats)
            self._refine(a, tiles, repeats)
            self._refine(b, tiles, repeats)
            a, b = self.root(a), self.root(b)
        if a.leaf != b.leaf:
            kept, gone = sorted((a.leaf, b.leaf))
            self._derive(gone, Run(kept, a.width))

    def _derive(self, leaf: int, other: Run) -> None:
        self._as_other[leaf] = other
        self._convs[other.leaf] |= self._convs[leaf]
        self._is_plain[other.leaf] |= self._is_plain[leaf]
