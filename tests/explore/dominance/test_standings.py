"""Standings against their definition: ties, equal points, nulls, infinities, intervals and budgets."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from octprobe.explore.dominance import domination, standings
from octprobe.explore.dominance.standings import Standing
from octprobe.explore.front import front_info
from octprobe.explore.objectives import Direction, Objective, objective

LATENCY = ("latency_ms_median", "latency_ms_ci_low", "latency_ms_ci_high")
Line = dict[str, Any]


@dataclass(frozen=True)
class Budget:
    """What `--max` and `--min` become."""

    objective: Objective
    bound: float
    is_upper: bool


def frame_of(lines: Sequence[Line]) -> pd.DataFrame:
    """Give rows with the columns that judging reads; each is known by its point_id."""
    names = ("status", "batch", *LATENCY, "throughput", "macs", "peak_memory_allocator_bytes")
    frame = pd.DataFrame({name: [line.get(name) for line in lines] for name in names})
    frame["point_id"] = [str(place) for place in range(len(lines))]
    for name in ("batch", "macs", "peak_memory_allocator_bytes"):
        frame[name] = frame[name].astype("Int64")
    return frame.astype(dict.fromkeys((*LATENCY, "throughput"), float))


def ends_of(line: Line, goal: Objective) -> tuple[float, float, float]:
    """Give a figure's cost, and the better and the worse end of its interval, by the definition."""
    sign = 1 if goal.direction is Direction.MINIMIZE else -1
    value = line[goal.column]
    ends = [line.get(name) for name in goal.interval or ()]
    known = [value, *(end for end in ends if end is not None)]
    return sign * value, min(sign * v for v in known), max(sign * v for v in known)


def beats(one: Sequence[float], other: Sequence[float]) -> bool:
    """Say whether costs dominate others."""
    pairs = list(zip(one, other, strict=True))
    return all(a <= b for a, b in pairs) and any(a < b for a, b in pairs)


def by_definition(lines: Sequence[Line], goals: Sequence[Objective], budgets: Sequence[Budget]) -> Line:
    """Give each row's standing by comparing it with every other; rows without a place are absent."""
    known = {}
    for place, line in enumerate(lines):
        values = [line.get(goal.column) for goal in goals]
        bounded = [line.get(budget.objective.column) for budget in budgets]
        has_all = all(v is not None and math.isfinite(v) for v in values) and None not in bounded
        if line["status"] == "measured" and has_all:
            known[str(place)] = line
    found = {}
    for name, line in known.items():
        others = [o for o in known.values() if o["batch"] == line["batch"] and is_feasible(o, budgets)]
        if not is_feasible(line, budgets):
            found[name] = Standing.INFEASIBLE
        elif not any(beats(column(o, goals, 0), column(line, goals, 0)) for o in others):
            found[name] = Standing.ON_FRONT
        elif any(beats(column(o, goals, 2), column(line, goals, 1)) for o in others):
            found[name] = Standing.DOMINATED
        else:
            found[name] = Standing.WITHIN_NOISE
    return found


def column(line: Line, goals: Sequence[Objective], which: int) -> list[float]:
    """Give the costs, the better or the worse ends of a row."""
    return [ends_of(line, goal)[which] for goal in goals]


def is_feasible(line: Line, budgets: Sequence[Budget]) -> bool:
    """Hold a row against every budget; at the bound is within."""
    return all(
        line[b.objective.column] <= b.bound if b.is_upper else line[b.objective.column] >= b.bound
        for b in budgets
    )


def judged(lines: Sequence[Line], names: Sequence[str], budgets: Sequence[Budget] = ()) -> Line:
    """Give each point's standing."""
    info = front_info(frame_of(lines), *names, budgets=budgets)
    return {point.record["point_id"]: point.standing for front in info.fronts for point in front.points}


SMALL = st.integers(1, 5)
FIGURE = st.one_of(st.none(), SMALL.map(float), st.just(math.inf))
LINES = st.lists(
    st.fixed_dictionaries(
        {
            "status": st.sampled_from(["measured"] * 6 + ["failed"]),
            "batch": st.integers(1, 2),
            LATENCY[0]: FIGURE,
            LATENCY[1]: FIGURE,
            LATENCY[2]: FIGURE,
            "throughput": FIGURE,
            "macs": st.one_of(st.none(), SMALL),
            "peak_memory_allocator_bytes": SMALL,
        }
    ),
    max_size=14,
)
NAMES = st.sampled_from(
    [
        ("latency", "macs"),
        ("throughput", "macs"),
        ("latency", "throughput"),
        ("latency", "macs", "memory"),
        ("throughput", "memory", "latency"),
    ]
)
BUDGETS = st.lists(
    st.one_of(
        st.builds(Budget, st.just(objective("latency")), SMALL.map(float), st.just(True)),
        st.builds(Budget, st.just(objective("throughput")), SMALL.map(float), st.just(False)),
        st.builds(Budget, st.just(objective("memory")), SMALL.map(float), st.just(True)),
    ),
    max_size=2,
)


@pytest.mark.parametrize("few", [0, domination.FEW])
@settings(deadline=None)
@given(lines=LINES, names=NAMES, budgets=BUDGETS)
def test_standings_are_their_definition(
    few: int, lines: list[Line], names: tuple[str, ...], budgets: list[Budget]
) -> None:
    """Every row that has a place, and no other, has the standing that comparing all pairs gives."""
    goals = [objective(name) for name in names]
    with patch.multiple(domination, FEW=few, BLOCK=3), patch.multiple(standings, FEW=few, BLOCK=3):
        found = judged(lines, names, budgets)
    assert found == by_definition(lines, goals, budgets)


@settings(deadline=None)
@given(lines=LINES, names=NAMES)
def test_every_row_is_a_point_or_counted(lines: list[Line], names: tuple[str, ...]) -> None:
    """None is lost."""
    info = front_info(frame_of(lines), *names)
    assert info.size + sum(left.count for left in info.left_out) == len(lines)


def line(latency: float, macs: int, low: float | None = None, high: float | None = None) -> Line:
    """Give a measured row."""
    return {"status": "measured", "batch": 1, "macs": macs} | dict(
        zip(LATENCY, (latency, low, high), strict=True)
    )


@pytest.mark.parametrize(
    ("better", "worse", "standing"),
    [
        (line(10, 5, 9, 11), line(12, 5, 11.5, 13), Standing.DOMINATED),
        (line(10, 5, 9, 11), line(12, 5, 11, 13), Standing.WITHIN_NOISE),
        (line(10, 5, 9, 11), line(12, 6, 11, 13), Standing.DOMINATED),
        (line(10, 5, 9, 12), line(12, 6, 11, 13), Standing.WITHIN_NOISE),
        (line(10, 5), line(10.001, 5), Standing.DOMINATED),
        (line(10, 5, None, math.inf), line(99, 6), Standing.WITHIN_NOISE),
        (line(10, 5), line(99, 6, -math.inf, None), Standing.WITHIN_NOISE),
        (line(10, 5, 10.5, 10.2), line(10.4, 5), Standing.WITHIN_NOISE),
    ],
)
def test_within_noise_is_what_none_surely_beats(better: Line, worse: Line, standing: Standing) -> None:
    """Ends that touch are not apart on that objective; another may still decide."""
    assert judged([better, worse], ("latency", "macs")) == {"0": Standing.ON_FRONT, "1": standing}


def test_a_third_point_decides_what_the_nearest_leaves_open() -> None:
    """Within noise of one point, and surely beaten by another."""
    lines = [line(10, 5, 8, 12), line(11, 6, 10, 12), line(9.5, 6, 9.4, 9.6)]
    assert judged(lines, ("latency", "macs"))["1"] is Standing.DOMINATED


def test_infeasible_points_dominate_nothing() -> None:
    """The next best takes their place, and a figure at the bound is within it."""
    budget = Budget(objective("latency"), 11.0, is_upper=True)
    found = judged([line(12, 1), line(11, 5), line(10, 6)], ("latency", "macs"), [budget])
    assert found == {"0": Standing.INFEASIBLE, "1": Standing.ON_FRONT, "2": Standing.ON_FRONT}
