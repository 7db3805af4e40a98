"""The index sets against brute force in whole numbers."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from octprobe.errors import ConversionError, UnrealisableAlphaError
from octprobe.octave.split import ChannelSplit, concatenated, exact_alpha, low_channels, split_channels


def test_low_channels_are_exact_for_every_two_decimal_alpha() -> None:
    """floor(alpha * C) in whole numbers of hundredths, for every channel count from 1 to 512."""
    for hundredths in range(101):
        alphas = (
            hundredths / 100,
            f"{hundredths / 100:.2f}",
            Decimal(hundredths) / 100,
            Fraction(hundredths, 100),
        )
        for channels in range(1, 513):
            assert low_channels(channels, alphas[0]) == hundredths * channels // 100
        assert {low_channels(511, alpha) for alpha in alphas} == {hundredths * 511 // 100}


def test_split_is_the_tail_for_every_two_decimal_alpha() -> None:
    """Without partitions the last floor(alpha * C) channels are low."""
    for hundredths in range(101):
        for channels in (*range(1, 40), 511, 512):
            split = split_channels(channels, hundredths / 100)
            low = hundredths * channels // 100
            assert split.low == tuple(range(channels - low, channels))
            assert split.high == tuple(range(channels - low))


@given(partitions=st.integers(1, 16), width=st.integers(1, 16), hundredths=st.integers(0, 100))
def test_partitioned_split_is_a_tail_in_every_part_or_refused(
    partitions: int, width: int, hundredths: int
) -> None:
    """Each of G equal parts has its last channels low, or the alphas that would do are named."""
    channels = partitions * width
    low = hundredths * channels // 100
    if low % partitions:
        with pytest.raises(UnrealisableAlphaError) as caught:
            split_channels(channels, hundredths / 100, partitions)
        assert caught.value.allowed == tuple(Fraction(k, width) for k in range(width + 1))
        return
    expected = [
        p * width + c for p in range(partitions) for c in range(width) if c >= width - low // partitions
    ]
    split = split_channels(channels, hundredths / 100, partitions)
    assert list(split.low) == expected
    assert split.within_groups(partitions) == split_channels(width, Fraction(low, channels))


@given(channels=st.integers(1, 64), a=st.integers(0, 100), b=st.integers(0, 100))
def test_splits_are_nested_in_alpha(channels: int, a: int, b: int) -> None:
    """A smaller alpha has a subset of the low channels."""
    smaller, larger = sorted((a, b))
    low = set(split_channels(channels, smaller / 100).low)
    assert low <= set(split_channels(channels, larger / 100).low)


def test_unrealisable_alpha_says_what_would_do() -> None:
    """128 channels in 32 groups take multiples of a quarter."""
    with pytest.raises(
        UnrealisableAlphaError, match=r"use a multiple of 1/4: 0, 0\.25, 0\.5, 0\.75, 1"
    ) as caught:
        split_channels(128, 0.125, 32)
    assert caught.value.allowed == tuple(Fraction(k, 4) for k in range(5))


def test_partitions_that_do_not_divide_the_channels_are_refused() -> None:
    """Ten channels have no four equal parts."""
    with pytest.raises(UnrealisableAlphaError, match="4 does not divide 10"):
        split_channels(10, 0.5, 4)


@pytest.mark.parametrize(
    "alpha", [-0.1, 1.01, "half", "nan", "inf", "1e999999999", "-1e999999999", "1/0", "", None]
)
def test_what_is_no_share_is_refused(alpha: object) -> None:
    """Alpha is a number in [0, 1]; absurd exponents are refused before they are expanded."""
    with pytest.raises(ConversionError, match=r"alpha is .*\[0, 1\]"):
        exact_alpha(alpha)  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize("alpha", ["1e-13", 1e-13, "1e-999999999"])
def test_a_share_too_small_for_any_layer_is_refused_for_what_it_is(alpha: object) -> None:
    """It is a number in [0, 1], but one that can only be meant as 0."""
    with pytest.raises(ConversionError, match=r"alpha is 1[eE]-\d+; alpha must be 0 or at least 1e-12"):
        exact_alpha(alpha)  # type: ignore[arg-type]  # parametrised
    assert exact_alpha("1e-12") == Fraction(1, 10**12)


def test_alpha_is_what_its_author_wrote() -> None:
    """0.7 of ten channels is seven; the nearest double would give six."""
    assert exact_alpha(0.7) == Fraction(7, 10)
    assert low_channels(10, 0.7) == 7
    assert exact_alpha("1/3") == Fraction(1, 3)


def test_concatenation_offsets_the_parts() -> None:
    """Low sets are moved by the channels before them; a plain part is all high."""
    parts = [ChannelSplit(4, (3,)), ChannelSplit(2), ChannelSplit(3, (1, 2))]
    assert concatenated(parts) == ChannelSplit(9, (3, 7, 8))


def test_runs_and_repeats_of_a_split() -> None:
    """Ranges cover the channels, and a depth multiplier repeats each."""
    split = ChannelSplit(6, (1, 2, 5))
    assert split.low_runs == ((1, 3), (5, 6))
    assert split.high_runs == ((0, 1), (3, 5))
    assert split.repeat_each(2).low == (2, 3, 4, 5, 10, 11)
    assert split.alpha == Fraction(1, 2)
    assert split.within_groups(2) is None
    assert split.within_groups(4) is None


@given(st.integers(1, 40), st.sets(st.integers(0, 39)), st.data())
def test_parts_and_folds_agree_with_the_channels_themselves(
    channels: int, low: set[int], data: st.DataObject
) -> None:
    """A part is low where the whole is; what was repeated folds back, and unlike neighbours do not fold."""
    split = ChannelSplit(channels, tuple(sorted(c for c in low if c < channels)))
    start = data.draw(st.integers(0, channels - 1))
    stop = data.draw(st.integers(start + 1, channels))
    assert split.part(start, stop).low == tuple(c - start for c in range(start, stop) if c in split.low)
    assert split.repeat_each(3).fold_each(3) == split
    alike = all((c in split.low) == (c + 1 in split.low) for c in range(0, channels - 1, 2))
    if channels % 2 == 0:
        assert (split.fold_each(2) is not None) == alike
