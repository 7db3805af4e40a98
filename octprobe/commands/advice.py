"""A recommendation as text: the choice and its figures, what binds, what was close, how to build it."""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.text import Text

from octprobe.commands.terminal import (
    Column,
    Section,
    bar,
    cell,
    draws_unicode,
    print_blocks,
    print_indented,
)
from octprobe.explore.advice.binding import NearMiss
from octprobe.explore.advice.chosen import Figure, Margin, Point
from octprobe.explore.quantity import exact_quantity, show_difference, show_figure
from octprobe.explore.recommend import Recommendation
from octprobe.store.accuracy_run import Split
from octprobe.units import show_number

# The strongest ones tell the story; the rest fill a screen.
_MOST_REASONS = 4
_BAR_WIDTH = 16


def print_advice(advice: Recommendation, console: Console) -> None:
    """Print a recommendation, the answer first."""
    _print_answer(advice, console)
    _print_conditions(advice, console)
    if advice.choice:
        _print_figures(advice.choice, console)
        _print_binding(advice, console)
        _print_alternatives(advice, console)
    _print_misses(advice, console)
    _print_vanilla(advice, console)
    for caveat in advice.caveats:
        print_indented(console, cell(f"? {caveat.text}", "yellow"), 0)
    _print_python(advice, console)


def _print_answer(advice: Recommendation, console: Console) -> None:
    wish = f"{advice.request.goal.direction} {advice.request.goal.name}"
    asked = ", ".join([wish, *map(_bound, advice.request.budgets)])
    if advice.choice:
        _say(console, f"Choice: {advice.choice.label}", "bold green")
    else:
        _say(console, "Nothing is feasible: no point meets every budget.", "bold red")
    _say(console, f"Asked: {asked}")


def _bound(budget: object) -> str:
    return str(budget).removeprefix("--").replace("=", " ")


def _print_conditions(advice: Recommendation, console: Console) -> None:
    given, counts = advice.given, advice.considered
    _say(
        console,
        f"Given: {given['device']}, {given['resolution']} px, batch {given['batch']}, {given['dtype']}, "
        f"{given['mode']}, threads {given['threads']}, env {given['environment']}",
    )
    _say(
        console,
        f"Compared: {counts['compared']} of {counts['measured']} measured points, "
        f"{counts['feasible']} meet every budget{_left_out(advice)}",
    )


def _left_out(advice: Recommendation) -> str:
    counts = advice.considered
    parts = [f"{count} without {name}" for name, count in counts["without_figure"].items()]
    parts += [f"{count} {status}" for status, count in counts["not_measured"].items()]
    parts += [f"{counts['layers']} of layers"] if counts["layers"] else []
    parts += [f"{counts['other_flags']} under other flags"] if counts["other_flags"] else []
    return f"; left out: {', '.join(parts)}" if parts else ""


def _print_figures(point: Point, console: Console) -> None:
    margins = {margin.budget.objective: margin for margin in point.margins}
    columns = [
        Column("  figure", left=True),
        Column("value"),
        Column("95 %", "interval"),
        Column("n", "samples"),
        Column("source", left=True),
        Column("budget", "and room in it", left=True),
    ]
    rows = [
        [
            cell(f"  {figure.objective.name}"),
            cell(figure),
            cell(_interval(figure)),
            cell(figure.count),
            cell(_source(point, figure)),
            cell(_room(margins[figure.objective]) if figure.objective in margins else ""),
        ]
        for figure in point.figures
    ]
    print_blocks(console, columns, [Section("", rows)])
    _print_split(point, console)


def _print_split(point: Point, console: Console) -> None:
    """Say which images an accuracy is on, and what is known of the test images beside."""
    split, test = point.record.get("accuracy_split"), point.record.get("test_top1_percent")
    if split == Split.VALIDATION:
        beside = "" if test is None else f"; its top-1 on test images is {test:.2f} %"
        _say(console, f"Accuracy: on validation images, by which choices are made{beside}")


def _interval(figure: Figure) -> str | None:
    if figure.ci_low is None or figure.ci_high is None:
        return None
    return (
        f"[{show_figure(figure.objective, figure.ci_low)}, {show_figure(figure.objective, figure.ci_high)}]"
    )


def _source(point: Point, figure: Figure) -> str | None:
    if figure.source is None or figure.source == point.record.get("accuracy_kind"):
        family, match = point.record.get("accuracy_family"), point.record.get("accuracy_match")
        return f"{figure.source} ({family}, {match})" if figure.source else None
    return figure.source


def _room(margin: Margin) -> str:
    side = "at most" if margin.budget.is_upper else "at least"
    bound = exact_quantity(margin.budget.objective, margin.budget.bound)
    return f"{side} {bound}, {_amount(margin)} {'to spare' if margin.is_met else 'too much'}"


def _amount(margin: Margin) -> str:
    """Give the distance to a bound in its unit and in percent of it."""
    share = "" if margin.excess_share is None else f" ({show_number(100 * abs(margin.excess_share), 2)} %)"
    return f"{show_difference(margin.budget.objective, margin.excess)}{share}"


def _print_binding(advice: Recommendation, console: Console) -> None:
    binding = advice.binding_budget
    if binding is None:
        return
    text = binding.margin.budget.text
    if binding.unlocks is None:
        _say(
            console,
            f"No budget binds: relaxing one alone gives no better choice; the tightest is {text}, "
            f"{_amount(binding.margin)} to spare",
        )
        return
    unlocked = binding.unlocks
    step = "more" if unlocked.margin.budget.is_upper else "less asked for"
    _say(
        console,
        f"Binding budget: {text}. {_amount(unlocked.margin)} {step} would give "
        f"{unlocked.point.label}{_goal_of(advice, unlocked.point)}",
    )


def _goal_of(advice: Recommendation, point: Point) -> str:
    figure = point.figure(advice.request.goal)
    return f": {figure.objective.name} {figure}" if figure else ""


def _print_alternatives(advice: Recommendation, console: Console) -> None:
    if advice.runner_up:
        _say(console, f"Runner-up: {advice.runner_up.point.label}: {advice.runner_up.why}")
    if len(advice.alternatives) > 1:
        _print_points(advice, advice.alternatives, console)


def _print_points(advice: Recommendation, points: Sequence[Point], console: Console) -> None:
    """Print points as rows, with a bar of the goal's figure."""
    goals = advice.request.objectives
    largest = max(abs(figure.value) for point in points if (figure := point.figure(goals[0])))
    unicode = draws_unicode(console)
    columns = [Column("", left=True), Column("", left=True), *(Column(goal.name) for goal in goals)]
    columns.append(Column("verdict", left=True))
    rows = []
    for place, point in enumerate(points, start=1):
        figure = point.figure(goals[0])
        drawn = bar(abs(figure.value), largest, _BAR_WIDTH, unicode=unicode) if figure else ""
        verdict = "vanilla" if point.is_vanilla else point.record.get("verdict")
        figures = [cell(point.figure(goal)) for goal in goals]
        rows.append([cell(f"  {place} {point.label}"), Text(drawn, style="blue"), *figures, cell(verdict)])
    print_blocks(console, columns, [Section("", rows)])


def _print_misses(advice: Recommendation, console: Console) -> None:
    if not advice.near_misses:
        return
    _say(console, "Near misses:" if advice.choice else "Nearest miss on each budget:", "bold")
    for miss in advice.near_misses:
        print_indented(console, cell(", ".join(_told(advice, miss))), 2)


def _told(advice: Recommendation, miss: NearMiss) -> Iterable[str]:
    budget = miss.margin.budget
    yield (
        f"{budget.text} missed by {_amount(miss.margin)}: {miss.point.label}"
        f" ({budget.objective.name} {miss.point.figure(budget.objective)})"
    )
    if miss.margin.straddles:
        yield "within noise: its interval holds the bound"
    if miss.beats_choice:
        yield f"would be chosen{_goal_of(advice, miss.point)}"
    if miss.also_misses:
        yield f"misses {' and '.join(miss.also_misses)} too"


def _print_vanilla(advice: Recommendation, console: Console) -> None:
    said = advice.vanilla.sentence
    _say(console, f"{said[:1].upper()}{said[1:]}", "bold" if advice.vanilla.beaten is False else "")
    for reason in advice.vanilla.reasons[:_MOST_REASONS]:
        print_indented(console, cell(f"because {reason}"), 2)
    hidden = len(advice.vanilla.reasons) - _MOST_REASONS
    if hidden > 0:
        print_indented(console, cell(f"and {hidden} smaller ones: --json has them"), 2)


def _print_python(advice: Recommendation, console: Console) -> None:
    if advice.python:
        _say(console, "Python:", "bold")
        for line in advice.python:
            print_indented(console, cell(line), 2)


def _say(console: Console, text: str, style: str = "") -> None:
    console.print(cell(text, style), soft_wrap=True)
