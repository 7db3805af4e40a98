"""Ctrl-C, once and twice."""

import signal

import pytest

from octprobe.commands.interrupt import Interrupt


def test_the_first_signal_sets_the_flag_and_the_second_stops() -> None:
    """One line is told; the handlers are given back."""
    before = signal.getsignal(signal.SIGINT)
    told: list[str] = []
    with Interrupt(told.append) as stop:
        assert not stop.is_set()
        signal.raise_signal(signal.SIGINT)
        assert stop.is_set()
        assert len(told) == 1
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_a_polite_kill_ends_after_the_round_too() -> None:
    """SIGTERM, as schedulers send it, saves what is measured."""
    with Interrupt(lambda _: None) as stop:
        signal.raise_signal(signal.SIGTERM)
        assert stop.is_set()
