"""How quantities are shown to a person."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from octprobe.units import (
    bytes_in_dtype,
    show_bytes,
    show_count,
    show_duration,
    show_macs,
    show_ms,
    show_number,
)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "-"),
        (0, "0"),
        (4.089184256, "4.089"),
        (81.57, "81.57"),
        (1161, "1161"),
        (12345.6, "12346"),
        (0.5, "0.5"),
        (0.00001234, "0.00001234"),
        (-3.14159, "-3.142"),
        (0.99999, "1"),
    ],
)
def test_numbers_have_four_significant_digits_and_no_exponent(value: float | None, shown: str) -> None:
    """Absent is a dash, never a zero."""
    assert show_number(value) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (show_macs(4089184256), "4.089 GMACs"),
        (show_macs(None), "-"),
        (show_bytes(102_441_032), "102.4 MB"),
        (show_bytes(12), "12.00 B"),
        (show_count(25_557_032), "25.56 M"),
        (show_count(657), "657.0"),
        (show_ms(81.5678), "81.57 ms"),
        (show_ms(None), "-"),
        (show_duration(42.4), "42 s"),
        (show_duration(200), "3 min 20 s"),
        (show_duration(59.7), "1 min 00 s"),
        (show_duration(7500), "2 h 05 min"),
        (show_duration(None), "-"),
    ],
)
def test_quantities_carry_their_unit(text: str, shown: str) -> None:
    """Decimal steps, as disks and networks use them."""
    assert text == shown


@given(st.floats(min_value=1e-6, max_value=1e15))
def test_a_shown_number_is_within_its_last_digit(value: float) -> None:
    """Rounding to four digits moves a number by less than a thousandth of itself."""
    assert float(show_number(value)) == pytest.approx(value, rel=1e-3)
    assert "e" not in show_number(value)


def test_bytes_scale_with_the_number_format() -> None:
    """Half precision takes half of float32's bytes; a format that no axis has is refused."""
    assert [bytes_in_dtype(4000, name) for name in ("float32", "float16", "bfloat16")] == [4000, 2000, 2000]
    with pytest.raises(KeyError):
        bytes_in_dtype(4000, "float8")


def test_what_is_not_finite_is_shown_as_it_is() -> None:
    """An interval may have no upper end."""
    assert [show_number(value) for value in (math.inf, -math.inf, math.nan)] == ["inf", "-inf", "-"]
