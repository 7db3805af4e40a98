"""Budgets with units: what is read, what is refused in which words; what is shown is read back."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from octprobe.errors import UsageError
from octprobe.explore.objectives import OBJECTIVES, Direction
from octprobe.explore.quantity import (
    exact_quantity,
    known_objective,
    parse_budget,
    show_figure,
    units_of,
)


@pytest.mark.parametrize(
    ("text", "column", "bound"),
    [
        ("latency=5ms", "latency_ms_median", 5.0),
        ("latency=5000us", "latency_ms_median", 5.0),
        ("latency=.005s", "latency_ms_median", 5.0),
        ("latency_ms_median=5ms", "latency_ms_median", 5.0),
        (" latency = 5 ms ", "latency_ms_median", 5.0),
        ("compile=5ms", "compile_seconds", 0.005),
        ("memory=800MB", "peak_memory_allocator_bytes", 800e6),
        ("memory=800kB", "peak_memory_allocator_bytes", 800e3),
        ("memory=1.5GiB", "peak_memory_allocator_bytes", 1.5 * 2**30),
        ("memory=12B", "peak_memory_allocator_bytes", 12.0),
        ("memory=1KiB", "peak_memory_allocator_bytes", 1024.0),
        ("macs=2G", "macs", 2e9),
        ("macs=2GMACs", "macs", 2e9),
        ("macs=2e9MACs", "macs", 2e9),
        ("parameters=25M", "parameters", 25e6),
        ("parameters=25557032parameters", "parameters", 25557032.0),
        ("ratio=0.9", "time_ratio_median", 0.9),
        ("kernels=172", "kernels", 172.0),
        ("operators=120", "operators", 120.0),
    ],
)
def test_units_are_read(text: str, column: str, bound: float) -> None:
    """Each in the column's own unit."""
    budget = parse_budget(text, "max")
    assert (budget.objective.column, budget.bound, budget.is_upper) == (column, bound, True)


@pytest.mark.parametrize(
    ("text", "bound"),
    [("throughput=100/s", 100.0), ("throughput=100items/s", 100.0), ("top1=75", 75.0), ("top1=75%", 75.0)],
)
def test_bounds_from_below(text: str, bound: float) -> None:
    """An accuracy alone may be a bare number: its unit is percent."""
    budget = parse_budget(text, "min")
    assert (budget.bound, budget.is_upper, budget.text) == (bound, False, text)
    assert str(budget) == f"--min {text}"


def test_a_loss_of_accuracy_lies_below_nothing() -> None:
    """The one bound that may be negative."""
    assert parse_budget("delta_top1=-0.5", "min").bound == -0.5


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("latency=5", "max", ["has a unit", "us, ms, s", "latency=5ms"]),
        ("memory=800", "max", ["has a unit", "MB", "GiB"]),
        ("macs=2", "max", ["has a unit", "GMACs"]),
        ("parameters=25", "max", ["has a unit", "parameters"]),
        ("throughput=100", "min", ["has a unit", "items/s"]),
        ("latency=5MB", "max", ["'MB' is no unit of latency", "us, ms, s"]),
        ("memory=5mb", "max", ["'mb' is no unit of memory", "MB"]),
        ("top1=75ms", "min", ["'ms' is no unit of top1", "bare number", "%"]),
        ("ratio=0.9ms", "max", ["ratio has no unit", "bare number"]),
        ("latenzy=5ms", "max", ["'latenzy' is no objective", "Did you mean latency?", "Choose from"]),
        ("latency=nan", "max", ["finite"]),
        ("latency=inf", "max", ["finite"]),
        ("latency=-inf", "max", ["finite"]),
        ("latency=1e999ms", "max", ["finite"]),
        ("latency=1e99999999999ms", "max", ["finite"]),
        ("latency=-5ms", "max", ["never below 0"]),
        ("top1=-5", "min", ["never below 0"]),
        ("latency=five", "max", ["'five' is no figure", "ms"]),
        ("latency=5,5ms", "max", ["no unit of latency"]),
        ("latency=\u0665ms", "max", ["no figure"]),
        ("latency", "max", ["NAME=FIGURE"]),
        ("latency=", "max", ["NAME=FIGURE"]),
        ("=5ms", "max", ["NAME=FIGURE"]),
        ("latency=5ms", "min", ["better when smaller", "--max latency=5ms"]),
        ("top1=75", "max", ["better when larger", "--min top1=75"]),
    ],
)
def test_what_is_no_budget_is_refused_in_one_line(text: str, kind: str, words: list[str]) -> None:
    """Place, value, rule and way out."""
    with pytest.raises(UsageError) as refused:
        parse_budget(text, kind)
    said = str(refused.value)
    assert said.startswith(f"--{kind} {text}: ")
    assert "\n" not in said
    assert all(word in said for word in words), said


def test_every_unit_named_by_an_error_is_read() -> None:
    """What the error offers is taken."""
    for goal in OBJECTIVES:
        kind = "max" if goal.direction is Direction.MINIMIZE else "min"
        for unit in units_of(goal):
            assert parse_budget(f"{goal.name}=3{unit}", kind).bound > 0


@given(
    st.sampled_from(OBJECTIVES),
    st.floats(0, 1e15, allow_nan=False, allow_infinity=False) | st.integers(0, 2**60).map(float),
)
def test_what_is_shown_is_read_back(goal: object, value: float) -> None:
    """To the last digit, whatever the unit it is shown in."""
    objective = next(known for known in OBJECTIVES if known == goal)
    kind = "max" if objective.direction is Direction.MINIMIZE else "min"
    text = exact_quantity(objective, value)
    assert parse_budget(f"{objective.name}={text}", kind).bound == value
    assert "e" not in text.removesuffix("parameters").removesuffix("items/s")


def test_figures_are_rounded_with_their_unit() -> None:
    """As a person reads them."""
    shown = {"latency": "5.321 ms", "memory": "5.321 B", "ratio": "5.321", "parameters": "5.321 parameters"}
    assert {name: show_figure(known_objective(name, name), 5.32149) for name in shown} == shown
    assert show_figure(known_objective("latency", "x"), 0.0123) == "12.30 us"
    assert show_figure(known_objective("memory", "x"), 812_000_000) == "812.0 MB"
    assert show_figure(known_objective("latency", "x"), None) == "-"
    assert show_figure(known_objective("latency", "x"), 0.0) == "0 ms"


def test_excess_and_share() -> None:
    """Above an upper bound and below a lower one is over; of a bound of 0 there is no share."""
    upper, lower = parse_budget("latency=5ms", "max"), parse_budget("throughput=100/s", "min")
    assert (upper.excess(6.0), upper.share(1.0)) == (1.0, 0.2)
    assert (lower.excess(90.0), lower.share(10.0)) == (10.0, 0.1)
    assert parse_budget("latency=0ms", "max").share(1.0) is None
    assert math.copysign(1, upper.excess(4.0)) == -1
