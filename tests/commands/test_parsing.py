"""What people type."""

from decimal import Decimal

import pytest

from octprobe.commands.parsing import parse_alpha, parse_names
from octprobe.errors import UsageError


def test_alpha_is_a_number_or_ordered_pairs() -> None:
    """Both forms are exact decimals."""
    assert parse_alpha("0.125") == Decimal("0.125")
    assert parse_alpha("layer1=0.5, layer2.*=0.25") == (
        ("layer1", Decimal("0.5")),
        ("layer2.*", Decimal("0.25")),
    )


@pytest.mark.parametrize(
    "text", ["1.5", "half", "-0.1", "nan", "layer1=2", "=0.5", "layer1=", "0.5,layer1=0.5"]
)
def test_a_wrong_alpha_is_one_line_with_a_way_out(text: str) -> None:
    """The message shows what was typed and what would do."""
    with pytest.raises(UsageError) as fault:
        parse_alpha(text)
    assert str(fault.value).startswith(f"--alpha {text}: ")
    assert "give 0.5, or layer1=0.5,layer2=0.25" in str(fault.value)


def test_names_are_split_at_commas() -> None:
    """Blanks and nothing are no names."""
    assert parse_names("failed, crashed,,") == {"failed", "crashed"}
    assert parse_names(None) == frozenset()
