"""Alphas of a group: those it allows, the nearest of them, and how they are written."""

from decimal import Decimal
from fractions import Fraction

import pytest

from octprobe.cost.design_group import DesignGroup, written


def group(smallest: Fraction, multiple_of: Fraction | None = None) -> DesignGroup:
    """Make a group of one convolution."""
    return DesignGroup(
        number=1,
        convs=("conv",),
        followers=(),
        named_with=(),
        patterns=("conv",),
        channels=(64,),
        sizes=((8, 8),),
        macs=1,
        is_octave=True,
        smallest_alpha=smallest,
        multiple_of=multiple_of,
    )


@pytest.mark.parametrize(("parts", "count"), [(1, 1), (4, 4), (16, 16), (17, None), (32, None)])
def test_alphas_are_listed_where_they_are_few(parts: int, count: int | None) -> None:
    """Sixteen are few; 0 is always allowed and not listed."""
    step = Fraction(1, parts)
    allowed = group(step, step).allowed
    assert allowed == (None if count is None else tuple(step * k for k in range(1, count + 1)))
    assert group(step).allowed is None


@pytest.mark.parametrize(
    ("found", "wanted", "nearest"),
    [
        (group(Fraction(1, 64)), Fraction(3, 7), Fraction(3, 7)),
        (group(Fraction(1, 4)), Fraction(1, 100), Fraction(1, 4)),
        (group(Fraction(1, 3), Fraction(1, 3)), Fraction(1, 2), Fraction(2, 3)),
        (group(Fraction(1, 3), Fraction(1, 3)), Fraction(1, 100), Fraction(1, 3)),
        (group(Fraction(1, 4), Fraction(1, 4)), Fraction(1), Fraction(1)),
    ],
)
def test_the_nearest_alpha_is_one_that_makes_channels_low(
    found: DesignGroup, wanted: Fraction, nearest: Fraction
) -> None:
    """The one asked for where any will do."""
    assert found.nearest(wanted) == nearest


@pytest.mark.parametrize(
    ("alpha", "decimal"),
    [(Fraction(1, 4), "0.25"), (Fraction(1, 1024), "0.0009765625"), (Fraction(1, 3), "0.333334")],
)
def test_a_fraction_is_written_so_that_as_many_channels_are_low(alpha: Fraction, decimal: str) -> None:
    """Exactly where it ends, else rounded up."""
    assert written(alpha) == Decimal(decimal)
    assert all(
        int(Fraction(written(alpha)) * channels) == alpha * channels
        for channels in range(alpha.denominator, 4096, alpha.denominator)
    )
