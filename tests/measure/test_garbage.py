"""The garbage collector within and after a held stretch."""

import gc

import pytest

from octprobe.measure.garbage import garbage_held


def test_nothing_is_collected_while_it_is_held() -> None:
    """It is off within, what was alive is frozen, and it is on again after."""
    with garbage_held():
        assert not gc.isenabled()
        assert gc.get_freeze_count() > 0
    assert gc.isenabled()
    gc.unfreeze()


def test_an_error_within_turns_it_on_again() -> None:
    """Whatever a subject raises."""
    with pytest.raises(RuntimeError, match="broken"), garbage_held():
        raise RuntimeError("broken")
    assert gc.isenabled()
    gc.unfreeze()
