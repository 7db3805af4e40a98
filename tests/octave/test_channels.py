"""Channels of pairs against index arithmetic: every channel holds its own number, at every position."""

import itertools
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from octprobe.octave.channels import (
    Channels,
    EachInterpolate,
    EachPixelShuffle,
    Pieces,
    attribute_of,
    cat_values,
    shape_of,
    size_of,
)
from octprobe.octave.frequency import Value, low_size, merge_pair
from octprobe.octave.split import ChannelSplit, concatenated, split_channels

SIZES = [(5, 6), (8, 3), (7,), (8,), (3, 4, 5)]


def numbered(split: ChannelSplit, size: tuple[int, ...], first: int = 0) -> Value:
    """Give a value whose channels hold their numbers, counted from `first`; a tensor where none is low."""

    def part(channels: tuple[int, ...], of_size: tuple[int, ...]) -> Tensor:
        numbers = torch.tensor([first + c for c in channels], dtype=torch.float64)
        return numbers.reshape(1, -1, *(1,) * len(of_size)).expand(2, -1, *of_size).clone()

    high = part(split.high, size)
    return high if split.is_plain else (high, part(split.low, low_size(size)))


def numbers_of(value: Value) -> tuple[list[int], list[int]]:
    """Read the channels' numbers back, of the high and of the low part; every position must say the same."""
    parts = (value, value[:, :0]) if isinstance(value, Tensor) else value
    read = []
    for part in parts:
        flat = part.flatten(2)
        assert torch.equal(flat, flat[:1, :, :1].expand_as(flat))
        read.append([int(n) for n in flat[0, :, 0]])
    return read[0], read[1]


def splits(most: int = 8) -> st.SearchStrategy[ChannelSplit]:
    """Draw a value's channels and any of them as low ones."""
    return st.integers(1, most).flatmap(
        lambda n: st.sets(st.integers(0, n - 1)).map(lambda low: ChannelSplit(n, tuple(sorted(low))))
    )


@settings(max_examples=200, deadline=None)
@given(parts=st.lists(splits(5), min_size=1, max_size=4), size=st.sampled_from(SIZES))
def test_a_concatenation_puts_high_beside_high_and_low_beside_low(
    parts: list[ChannelSplit], size: tuple[int, ...]
) -> None:
    """Merged, it is the concatenation of the merged parts: all numbers in order."""
    whole = concatenated(parts)
    if whole.is_plain:
        return
    starts = itertools.accumulate((part.channels for part in parts), initial=0)
    values = [numbered(part, size, start) for part, start in zip(parts, starts, strict=False)]
    high, low = cat_values(values)
    assert numbers_of((high, low)) == (list(whole.high), list(whole.low))
    assert tuple(high.shape[2:]) == size
    assert tuple(low.shape[2:]) == low_size(size)
    assert numbers_of(merge_pair((high, low), whole))[0] == list(range(whole.channels))


@settings(max_examples=200, deadline=None)
@given(data=st.data(), split=splits(), size=st.sampled_from(SIZES))
def test_a_range_of_channels(data: st.DataObject, split: ChannelSplit, size: tuple[int, ...]) -> None:
    """It has the high and the low channels of the range; without low ones it is plain."""
    start = data.draw(st.integers(0, split.channels - 1))
    stop = data.draw(st.integers(start + 1, split.channels))
    if split.is_plain:
        return
    got = Channels(split, start, stop)(numbered(split, size))
    expected = [[c for c in part if start <= c < stop] for part in (split.high, split.low)]
    assert list(numbers_of(got)) == expected
    assert isinstance(got, Tensor) == (not expected[1])
    of_range = ChannelSplit(stop - start, tuple(c - start for c in expected[1]))
    if not isinstance(got, Tensor):
        assert numbers_of(merge_pair(got, of_range))[0] == list(range(start, stop))


@settings(max_examples=200, deadline=None)
@given(split=splits(), widths=st.lists(st.integers(1, 4), max_size=8))
def test_pieces_side_by_side_are_the_whole(split: ChannelSplit, widths: list[int]) -> None:
    """Each has its own range, and together, concatenated, they are the pair that was taken apart."""
    stops = [stop for stop in itertools.accumulate(widths) if stop < split.channels]
    borders = [0, *stops, split.channels]
    if split.is_plain:
        return
    whole = numbered(split, (4, 5))
    pieces = Pieces(split, [b - a for a, b in itertools.pairwise(borders)])(whole)
    ranges = [numbers_of(piece) for piece in pieces]
    assert [sorted(high + low) for high, low in ranges] == [
        list(range(a, b)) for a, b in itertools.pairwise(borders)
    ]
    again = cat_values(pieces)
    assert all(torch.equal(one, other) for one, other in zip(again, whole, strict=True))


def test_a_range_says_what_it_takes() -> None:
    """In a printed network."""
    assert Channels(split_channels(8, 0.5), 2, 5).extra_repr() == "2 to 5 of 8, alpha=1/2"


@pytest.mark.parametrize("factor", [2, 3])
@pytest.mark.parametrize("size", [(4, 6), (5, 3), (1, 2)])
@pytest.mark.parametrize("low", [0, 1, 2])
def test_a_pixel_shuffle_moves_channels_into_space(factor: int, size: tuple[int, int], low: int) -> None:
    """Output (c, i, j) is channel c f^2 + (i mod f) f + j mod f of input (i / f, j / f), in each part."""
    torch.manual_seed(0)
    area = factor**2
    high_part = torch.randn(2, (2 - low) * area, *size)
    low_part = torch.randn(2, low * area, *low_size(size))
    high, got_low = EachPixelShuffle(factor)((high_part, low_part))
    sizes = tuple(side * factor for side in size)
    assert high.shape == (2, 2 - low, *sizes)
    assert got_low.shape == (2, low, *low_size(sizes))
    for part, source in ((high, high_part), (got_low, low_part)):
        for c, i, j in itertools.product(*map(range, part.shape[1:])):
            channel = c * area + i % factor * factor + j % factor
            assert torch.equal(part[:, c, i, j], source[:, channel, i // factor, j // factor])


def test_a_pixel_shuffle_of_a_plain_value_is_torchs() -> None:
    """One module may serve pairs and plain values."""
    x = torch.randn(1, 8, 3, 5)
    assert torch.equal(EachPixelShuffle(2)(x), functional.pixel_shuffle(x, 2))


RESIZES: list[tuple[dict[str, Any], tuple[int, ...], tuple[int, ...]]] = [
    ({"mode": "nearest", "scale_factor": 2}, (5, 6), (10, 12)),
    ({"mode": "nearest", "scale_factor": 0.5}, (9, 6), (4, 3)),
    ({"mode": "bilinear", "scale_factor": 1.5}, (5, 6), (7, 9)),
    ({"mode": "bilinear", "scale_factor": (2.0, 1.0)}, (5, 6), (10, 6)),
    ({"mode": "bilinear", "align_corners": True, "size": (7, 5)}, (5, 6), (7, 5)),
    ({"mode": "bicubic", "align_corners": False, "size": 11}, (5, 6), (11, 11)),
    ({"mode": "area", "size": (3, 2)}, (5, 6), (3, 2)),
    ({"mode": "linear", "scale_factor": 2}, (7,), (14,)),
    ({"mode": "nearest", "scale_factor": 2}, (3, 4, 5), (6, 8, 10)),
    ({"mode": "trilinear", "align_corners": False, "size": (2, 7, 9)}, (3, 4, 5), (2, 7, 9)),
]


@pytest.mark.parametrize(("arguments", "size", "expected"), RESIZES, ids=str)
@pytest.mark.parametrize("low", [(), (1, 2), (0, 1, 2, 3)])
def test_a_resize_keeps_channels_and_the_low_size_half(
    arguments: dict[str, Any], size: tuple[int, ...], expected: tuple[int, ...], low: tuple[int, ...]
) -> None:
    """What is constant over space stays so, as the plain operator says, at the size that it gives."""
    split = ChannelSplit(4, low)
    value = numbered(split, size)
    got = EachInterpolate(**arguments)(value)
    plain = functional.interpolate(torch.zeros(2, 4, *size, dtype=torch.float64), **arguments)
    assert tuple(shape_of(got)) == tuple(plain.shape) == (2, 4, *expected)
    parts = (got,) if isinstance(got, Tensor) else got
    for part, channels in zip(parts, (split.high, split.low), strict=False):
        numbers = torch.tensor(channels, dtype=torch.float64).reshape(1, -1, *(1,) * len(size))
        torch.testing.assert_close(part, numbers.expand_as(part))
    if not isinstance(got, Tensor):
        assert tuple(got[1].shape[2:]) == low_size(expected)


@pytest.mark.parametrize(
    ("mode", "align_corners"), [("nearest", None), ("bilinear", True), ("bilinear", False), ("bicubic", None)]
)
def test_each_frequency_is_resized_as_torch_does(mode: str, align_corners: bool | None) -> None:
    """The high part by the factor, the low one to half of the size that comes of it."""
    torch.manual_seed(0)
    high_part, low_part = torch.randn(2, 3, 5, 6), torch.randn(2, 2, 3, 3)
    resize = EachInterpolate(mode, align_corners, scale_factor=2)
    high, low = resize((high_part, low_part))
    assert torch.equal(
        high, functional.interpolate(high_part, scale_factor=2, mode=mode, align_corners=align_corners)
    )
    assert torch.equal(
        low, functional.interpolate(low_part, size=(5, 6), mode=mode, align_corners=align_corners)
    )
    high, low = EachInterpolate(mode, align_corners)((high_part, low_part), (9, 4))
    assert torch.equal(
        high, functional.interpolate(high_part, size=(9, 4), mode=mode, align_corners=align_corners)
    )
    assert torch.equal(
        low, functional.interpolate(low_part, size=(5, 2), mode=mode, align_corners=align_corners)
    )


@pytest.mark.parametrize("low", [(), (2,), (0, 1, 2)])
@pytest.mark.parametrize("size", SIZES)
def test_a_pair_says_of_its_shape_what_the_plain_value_would(
    size: tuple[int, ...], low: tuple[int, ...]
) -> None:
    """Shape, single sizes, number of dimensions, dtype and device."""
    value, plain = numbered(ChannelSplit(3, low), size), torch.zeros(2, 3, *size, dtype=torch.float64)
    assert shape_of(value) == plain.shape
    assert isinstance(shape_of(value), torch.Size)
    assert size_of(value) == plain.size()
    assert [size_of(value, dim) for dim in (0, 1, 2, -1)] == [plain.size(dim) for dim in (0, 1, 2, -1)]
    for name in ("shape", "ndim", "dtype", "device", "is_cuda", "requires_grad"):
        assert attribute_of(value, name) == getattr(plain, name), name
