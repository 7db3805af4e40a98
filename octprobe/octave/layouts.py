"""Which channels of which values must split alike: runs over leaves, and the leaves joined by union-find."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

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
    """Sets of channels whose last ones are low; one that is joined or cut is made of others from then on."""

    def __init__(self) -> None:
        self._made_of: list[Layout | None] = []
        self._convs: list[set[str]] = []
        self._is_plain: list[bool] = []
        self._is_grouped: list[bool] = []

    def new(self, channels: int, convs: Iterable[str] = (), *, is_plain: bool = False) -> Layout:
        """Give a value of its own leaf.

        Args:
            channels: its channels.
            convs: the convolutions whose output it is.
            is_plain: whether none of its channels can be low.
        """
        self._made_of.append(None)
        self._convs.append(set(convs))
        self._is_plain.append(is_plain)
        self._is_grouped.append(False)
        return (Run(len(self._made_of) - 1, channels),)

    def roots(self, layout: Layout) -> Layout:
        """Give a value in terms of the leaves that its own are made of."""
        found: list[Run] = []
        for run in layout:
            others = self._made_of[run.leaf]
            found.extend([run] if others is None else self.roots(_inside(run, others)))
        return tuple(found)

    def convs(self, leaf: int) -> set[str]:
        """Name the convolutions whose outputs a leaf is in."""
        return self._convs[leaf]

    def is_plain(self, leaf: int) -> bool:
        """Tell whether no channel of a leaf can be low."""
        return self._is_plain[leaf]

    def is_grouped(self, leaf: int) -> bool:
        """Tell whether groups of a convolution ask for the tiles of a leaf."""
        return self._is_grouped[leaf]

    def join(self, a: Layout, b: Layout) -> None:
        """Let two values of as many channels split alike.

        Raises:
            LayoutError: neighbours that one of them keeps together are apart in the other.
        """
        left, right = list(self.roots(a)), list(self.roots(b))
        while left and right:
            if left[0].channels == right[0].channels and self._unite(left[0], right[0]):
                left, right = left[1:], right[1:]
            else:
                channels = min(left[0].channels, right[0].channels)
                left, right = self._cut(left, channels), self._cut(right, channels)
            left, right = list(self.roots(tuple(left))), list(self.roots(tuple(right)))

    def partition(self, layout: Layout, parts: int) -> Layout:
        """Let a value split alike in so many equal parts; give one of them.

        Raises:
            LayoutError: no split does.
        """
        first, *others = self.pieces(layout, [sum(run.channels for run in layout) // parts] * parts)
        for other in others:
            self.join(first, other)
        return self.roots(first)

    def group(self, layout: Layout, groups: int) -> None:
        """Let a value split alike in the groups of a convolution, each with a whole number of low channels.

        Raises:
            LayoutError: no split does.
        """
        for run in self.partition(layout, groups):
            self._is_grouped[run.leaf] = True

    def pieces(self, layout: Layout, widths: Sequence[int]) -> list[Layout]:
        """Give pieces of a value side by side: equal ones are tiles of it, others split by themselves.

        Raises:
            LayoutError: no split leaves each piece a split of its own.
        """
        if len(set(widths)) == 1:
            self._tile(layout, widths[0])
        stops = list(accumulate(widths))
        return [self.slice(layout, stop - width, stop) for width, stop in zip(widths, stops, strict=True)]

    def slice(self, layout: Layout, start: int, stop: int) -> Layout:
        """Give the channels of a range, as a value that splits as its place in the whole says.

        Raises:
            LayoutError: no split leaves the range a split of its own.
        """
        for border in (start, stop):
            self._divide_at(layout, border)
        taken, position = [], 0
        for run in self.roots(layout):
            begin, end = max(start, position), min(stop, position + run.channels)
            if begin < end:
                taken.append(self._tiles_of(run, end - begin))
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
        while unfit := next((run for run in self.roots(layout) if run.repeats % times), None):
            self._refine(unfit, 1, times)
        runs = self.roots(layout)
        return tuple(Run(r.leaf, r.channels // times, r.tiles, r.repeats // times) for r in runs)

    def shuffled(self, layout: Layout, groups: int) -> Layout:
        """Give a value whose channels, of so many equal groups, have been dealt out in turn.

        Raises:
            LayoutError: no split lets the groups split alike.
        """
        return self.repeated(self.partition(layout, groups), groups)

    def split(self, layout: Layout, low_of_leaf: Mapping[int, int]) -> ChannelSplit:
        """Give the channels of a value that are low, from the number of low channels in every leaf."""
        low: list[int] = []
        offset = 0
        for run in self.roots(layout):
            first_low = run.width - low_of_leaf[run.leaf]
            inside = (c for c in range(run.channels) if c // run.repeats % run.width >= first_low)
            low.extend(offset + c for c in inside)
            offset += run.channels
        return ChannelSplit(offset, tuple(low))

    def _cut(self, runs: list[Run], channels: int) -> list[Run]:
        whole = tuple(runs)
        rest = sum(run.channels for run in runs)
        return [*self.slice(whole, 0, channels), *self.slice(whole, channels, rest)]

    def _tile(self, layout: Layout, width: int) -> None:
        """Make tiles of a width of every run that is a multiple of it."""
        while wide := next((run for run in self.roots(layout) if _is_untiled(run, width)), None):
            self._refine(wide, wide.channels // width, 1)

    def _divide_at(self, layout: Layout, border: int) -> None:
        """Cut the leaf that lies over a border in two."""
        position = 0
        for run in self.roots(layout):
            place, period = border - position, run.channels // run.tiles
            if 0 < place < run.channels and place % period:
                self._divide(run, place % period)
            position += run.channels

    def _divide(self, run: Run, place: int) -> None:
        if place % run.repeats:
            raise LayoutError(f"{run.repeats} neighbours that split alike are divided after channel {place}")
        first, second = (self.new(n) for n in (place // run.repeats, run.width - place // run.repeats))
        self._make_of(run.leaf, (*first, *second))

    def _tiles_of(self, run: Run, channels: int) -> Run:
        return Run(run.leaf, channels, channels // (run.channels // run.tiles), run.repeats)

    def _refine(self, run: Run, tiles: int, repeats: int) -> Run:
        """Give a run of at least so many tiles and repeats; its leaf is made of a new one for it."""
        tiles, repeats = math.lcm(run.tiles, tiles), math.lcm(run.repeats, repeats)
        if (tiles, repeats) == (run.tiles, run.repeats):
            return run
        if run.channels % (tiles * repeats):
            raise LayoutError(
                f"{run.channels} channels that split alike do not divide into {tiles} equal parts of "
                f"{repeats} neighbours each"
            )
        new = Run(len(self._made_of), run.channels, tiles, repeats)
        self.new(new.width)
        self._make_of(run.leaf, (Run(new.leaf, run.width, tiles // run.tiles, repeats // run.repeats),))
        return new

    def _unite(self, a: Run, b: Run) -> bool:
        """Make two runs of as many channels one; tell whether they are, or one of them has changed."""
        if (a.tiles, a.repeats) != (b.tiles, b.repeats) and not a.width == b.width == 1:
            tiles, repeats = math.lcm(a.tiles, b.tiles), math.lcm(a.repeats, b.repeats)
            self._refine(a, tiles, repeats)
            if self.roots((b,)) == (b,):
                self._refine(b, tiles, repeats)
            return False
        if a.leaf != b.leaf:
            kept, gone = sorted((a.leaf, b.leaf))
            self._make_of(gone, (Run(kept, a.width),))
        return True

    def _make_of(self, leaf: int, others: Layout) -> None:
        self._made_of[leaf] = others
        for other in others:
            self._convs[other.leaf] |= self._convs[leaf]
            self._is_plain[other.leaf] |= self._is_plain[leaf]
            self._is_grouped[other.leaf] |= self._is_grouped[leaf]


def _is_untiled(run: Run, width: int) -> bool:
    return run.channels % width == 0 and width % (run.channels // run.tiles) != 0


def _inside(run: Run, others: Layout) -> Layout:
    """Give a run in terms of what its leaf is made of."""
    if len(others) == 1:
        (other,) = others
        return (Run(other.leaf, run.channels, run.tiles * other.tiles, run.repeats * other.repeats),)
    tile = (Run(o.leaf, o.channels * run.repeats, o.tiles, o.repeats * run.repeats) for o in others)
    return tuple(tile) * run.tiles
