"""Ranges are counted as they are listed."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from octprobe.plan.ranges import Range


@pytest.mark.parametrize(
    ("given_range", "values"),
    [
        (Range(1, 8, None), [1, 2, 4, 8]),
        (Range(3, 20, None), [3, 6, 12]),
        (Range(1, 1, None), [1]),
        (Range(1, 4, 1), [1, 2, 3, 4]),
        (Range(32, 225, 64), [32, 96, 160, 224]),
        (Range(Decimal("0.125"), Decimal(1), None), [Decimal(v) for v in ("0.125", "0.25", "0.5", "1")]),
        (Range(Decimal(0), Decimal("0.3"), Decimal("0.1")), [Decimal(v) for v in ("0", "0.1", "0.2", "0.3")]),
    ],
)
def test_values(given_range: Range, values: list[int | Decimal]) -> None:
    """Doubling or adding from start, stop included where it is hit; decimals stay exact."""
    assert list(given_range) == values
    assert len(given_range) == len(values)


@given(st.integers(1, 300), st.integers(0, 300), st.none() | st.integers(1, 40))
def test_count_is_length(start: int, more: int, step: int | None) -> None:
    """The arithmetic count equals the number of values listed, which ascend and end at or before stop."""
    values = list(Range(start, start + more, step))
    assert len(Range(start, start + more, step)) == len(values)
    assert values[0] == start
    assert values[-1] <= start + more < (values[-1] * 2 if step is None else values[-1] + step)


def test_a_vast_range_is_counted_at_once() -> None:
    """Nothing is listed to count a range of 10^12 values."""
    assert len(Range(Decimal(0), Decimal(1), Decimal("1e-12"))) == 10**12 + 1
