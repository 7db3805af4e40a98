"""What an exporter raises is one line; what others tell stays as it is."""

import pytest

from octprobe.errors import ConversionError, MachineError
from octprobe.export.told import told


def test_the_first_cause_is_told_in_one_line() -> None:
    """The exporter's own wrapping says less."""
    with pytest.raises(ConversionError) as caught, told("it fails"):
        try:
            raise ValueError("no such operator\nand much more")
        except ValueError as cause:
            raise RuntimeError("export failed") from cause
    assert str(caught.value) == "it fails: ValueError: no such operator"


@pytest.mark.parametrize(
    "error", [OSError(28, "No space left"), MemoryError(), MachineError("told"), KeyboardInterrupt()]
)
def test_what_others_tell_goes_its_way(error: BaseException) -> None:
    """Unchanged."""
    with pytest.raises(type(error)) as caught, told("it fails"):
        raise error
    assert caught.value is error
