"""Sliders: their ends hold every figure, and what they say `octprobe recommend` reads."""

from pathlib import Path

import pytest

import octprobe
from demo_store import write_demo
from fakes_store import measured, network_point, row
from octprobe.explore.advice import sliders
from octprobe.explore.quantity import parse_budget
from octprobe.facts.published import published_accuracies
from octprobe.store.store import Store


def test_the_ends_hold_every_figure(tmp_path: Path) -> None:
    """Rounded outwards to the step, so that the open end leaves nothing out."""
    frame = octprobe.load(write_demo(tmp_path / "store"))
    rows, _ = sliders.given_of(frame)
    for slider in sliders.sliders_of(rows, published_accuracies()):
        if slider.goal.is_accuracy:
            continue
        unit = sliders._UNITS[slider.goal.name][1]
        figures = rows[slider.goal.column].dropna() / unit
        assert slider.low <= figures.min() <= figures.max() <= slider.high
        assert (slider.high - slider.low) / slider.step <= 203


def test_what_takes_one_value_has_no_slider(tmp_path: Path) -> None:
    """There is nothing to bound."""
    Store.create(tmp_path).append([row(network_point("0"), measured(90.0))])
    assert [one.goal.name for one in sliders.sliders_of(octprobe.load(tmp_path), published_accuracies())] == [
        "top1"
    ]


def test_a_bound_is_read_back(tmp_path: Path) -> None:
    """In the column's unit, on the side the figure is good on; the open end is no bound."""
    rows, _ = sliders.given_of(octprobe.load(write_demo(tmp_path / "store")))
    by_name = {slider.name: slider for slider in sliders.sliders_of(rows, published_accuracies())}
    memory = by_name["max_memory"]
    read = parse_budget(memory.budget(40.5), "max")
    assert (read.bound, read.is_upper) == (40_500_000, True)
    assert parse_budget(by_name["min_top1"].budget(77.0), "min").bound == 77
    assert memory.budget(memory.high) is None
    assert by_name["min_top1"].budget(by_name["min_top1"].low) is None


def test_the_most_frequent_value_is_taken(tmp_path: Path) -> None:
    """Of each given axis one, and what was taken is said."""
    rows, taken = sliders.given_of(octprobe.load(write_demo(tmp_path / "store")))
    assert set(rows["batch"]) == {1}
    assert taken == ["batch 1 (of 1, 8; the sidebar takes another)"]
    assert set(rows["status"]) == {"measured"}


@pytest.mark.parametrize(("step", "nice"), [(0.3, 0.5), (0.02, 0.02), (7, 10), (1, 1), (1200, 2000)])
def test_steps_are_round(step: float, nice: float) -> None:
    """One, two and five times a power of ten, never finer than asked."""
    assert sliders._nice(step) == pytest.approx(nice)
