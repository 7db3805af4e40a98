"""Which network and alpha for my budget?"""

from collections.abc import Sequence

import charts
import data
import state
import streamlit as st

from octprobe.errors import UsageError
from octprobe.explore.advice.binding import NearMiss
from octprobe.explore.advice.chosen import Point
from octprobe.explore.advice.request import Request, make_request
from octprobe.explore.advice.sliders import Slider, given_of, sliders_of
from octprobe.explore.objectives import OBJECTIVES, Direction, Objective, objective
from octprobe.explore.quantity import show_difference
from octprobe.explore.recommend import Recommendation, recommend
from octprobe.figures.shapes import Table

# What comparing takes, whatever the goal and the budgets are.
_COLUMNS = tuple(dict.fromkeys(name for goal in OBJECTIVES for name in Request(goal=goal).columns()))


def page() -> None:
    """Show the goal and the budgets to choose, and the recommendation that they give."""
    store = data.current()
    frame = data.filtered(data.rows(store, _COLUMNS), state.filters(store))
    rows, taken = given_of(frame)
    if rows.empty:
        st.info("No network was measured among these rows, so there is nothing to choose from.")
        return
    charts.bullets(taken)
    accuracies = data.accuracies(store)
    request = _request(sliders_of(rows, accuracies), state.family(store))
    try:
        advice = recommend(rows, request, accuracies)
    except UsageError as error:
        charts.say(str(error))
        return
    _told(advice)


def _request(sliders: Sequence[Slider], family: str | None) -> Request:
    """Read the goal and the budgets off the page."""
    goal = objective(state.choice("What is to be best", "goal", [g.name for g in OBJECTIVES], "latency"))
    bounds: dict[bool, list[str]] = {True: [], False: []}
    columns = st.columns(2)
    for place, slider in enumerate(sliders):
        with columns[place % 2]:
            value = state.slider(
                slider.label, slider.name, slider.low, slider.high, slider.open_end, slider.step
            )
        bound = slider.budget(value)
        if bound is not None:
            bounds[slider.is_upper].append(bound)
    largest = goal.direction is Direction.MAXIMIZE
    return make_request(
        maximize=goal.name if largest else None,
        minimize=None if largest else goal.name,
        at_most=bounds[True],
        at_least=bounds[False],
        accuracy_from=family,
        top=5,
    )


def _told(advice: Recommendation) -> None:
    st.subheader("Recommendation")
    if advice.choice is None:
        st.warning("Nothing meets these budgets.")
    else:
        charts.say(advice.choice.label)
        charts.show_table(_figures(advice.choice), "Figures of the choice")
    charts.say(advice.vanilla.sentence)
    charts.bullets(advice.vanilla.reasons)
    _binds(advice)
    _others(advice)
    if advice.caveats:
        st.subheader("Caveats")
        charts.bullets(caveat.text for caveat in advice.caveats)
    if advice.python:
        st.subheader("The Python that builds it")
        st.code("\n".join(advice.python), language="python", wrap_lines=True)


def _figures(point: Point) -> Table:
    head = ("figure", "value", "unit", "CI low", "CI high", "n", "source")
    return Table(
        head,
        tuple(
            (f.objective.name, f.value, f.objective.unit or "1", f.ci_low, f.ci_high, f.count, f.source)
            for f in point.figures
        ),
    )


def _binds(advice: Recommendation) -> None:
    st.subheader("What binds")
    found = advice.binding_budget
    if found is None:
        st.caption(
            "No budget is set, so none binds."
            if not advice.request.budgets
            else "Nothing is feasible, so there is no choice that a budget binds."
        )
    elif found.unlocks is None:
        charts.say(f"No budget binds; the least room is in {found.margin.budget}.")
    else:
        goal = advice.request.goal
        better = found.unlocks.point.figure(goal)
        told = f" ({goal.name} {better})" if better else ""
        excess = show_difference(found.margin.budget.objective, found.unlocks.margin.excess)
        charts.say(
            f"{found.margin.budget} binds: {excess} more would give {found.unlocks.point.label}{told}."
        )
    if advice.near_misses:
        charts.show_table(_misses(advice.near_misses, advice.request.goal), "Near misses")


def _misses(misses: Sequence[NearMiss], goal: Objective) -> Table:
    head = (
        "near miss",
        "budget",
        "misses by",
        "within noise",
        f"{goal.name}, {goal.unit or '1'}",
        "beats the choice",
    )
    rows = []
    for miss in misses:
        figure = miss.point.figure(goal)
        rows.append(
            (
                miss.point.label,
                miss.margin.budget.text,
                show_difference(miss.margin.budget.objective, miss.margin.excess),
                _yes_no(miss.margin.straddles),
                figure.value if figure else None,
                _yes_no(miss.beats_choice),
            )
        )
    return Table(head, tuple(rows))


def _others(advice: Recommendation) -> None:
    if advice.runner_up is not None:
        st.subheader("Runner-up")
        charts.say(f"{advice.runner_up.point.label}: {advice.runner_up.why}")
    if len(advice.alternatives) > 1:
        goals = advice.request.shown
        head = ("choice", *(f"{goal.name}, {goal.unit or '1'}" for goal in goals), "doubts")
        rows = tuple(
            (
                point.label,
                *((found.value if (found := point.figure(goal)) else None) for goal in goals),
                ", ".join(point.doubts) or None,
            )
            for point in advice.alternatives
        )
        charts.show_table(Table(head, rows), "The best and the next best")
    counts = advice.considered
    charts.say(f"{counts['compared']} of {counts['rows']} rows compared, {counts['feasible']} feasible.")


def _yes_no(value: bool | None) -> str | None:
    return None if value is None else ("yes" if value else "no")


page()
