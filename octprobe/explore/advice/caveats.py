"""What weakens a recommendation, each with a code for programs and a line for people."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from octprobe.explore.accuracies import EXACT
from octprobe.explore.advice.chosen import Point
from octprobe.explore.advice.family import Coverage
from octprobe.explore.advice.request import Request
from octprobe.explore.advice.runner_up import Apart, RunnerUp
from octprobe.explore.doubts import explained
from octprobe.explore.fastest import estimate
from octprobe.stats import Verdict
from octprobe.store.accuracy_run import Split


@dataclass(frozen=True)
class Caveat:
    """One reason to rely less on the advice."""

    code: str
    text: str


def caveats_of(
    request: Request, choice: Point, second: RunnerUp | None, families: Sequence[Coverage]
) -> tuple[Caveat, ...]:
    """Find what weakens a choice: how it was measured, whose its accuracy is, what is in doubt."""
    return (
        *_straddling(choice),
        *_separable(second),
        *_medians(second),
        *_against_vanilla(choice),
        *_host(choice),
        *_accuracy(request, choice),
        *_families(request, families),
        *_doubts(choice),
    )


def _straddling(choice: Point) -> Iterable[Caveat]:
    for margin in choice.margins:
        figure = choice.figure(margin.budget.objective)
        if margin.straddles:
            yield Caveat(
                "straddles_budget",
                f"the interval of its {margin.budget.objective.name} holds the bound {margin.budget.text}: "
                "it may be over the budget",
            )
        elif margin.straddles is None and margin.budget.objective.interval and figure:
            yield Caveat(
                "no_interval",
                f"its {margin.budget.objective.name} has too few samples for an interval; whether it meets "
                f"{margin.budget.text} rests on {figure.count or 'so few'} of them",
            )


def _separable(second: RunnerUp | None) -> Iterable[Caveat]:
    if second and second.apart in (Apart.OVERLAP, Apart.UNKNOWN):
        why = "intervals overlap" if second.apart is Apart.OVERLAP else "there is no interval to compare"
        yield Caveat("not_separable", f"the runner-up, {second.point.label}, is not separable from it: {why}")


def _medians(second: RunnerUp | None) -> Iterable[Caveat]:
    if second and second.behind < 0:
        yield Caveat(
            "medians_disagree",
            f"by the median the runner-up, {second.point.label}, has the better {second.goal}, by "
            f"{100 * abs(second.behind_share or 0):.1f} %; the ratio, taken in pairs, decides, but the "
            "two do not fit: the machine drifted between rounds, or vanilla was measured at another time; "
            "measure the group anew with --fresh",
        )


def _against_vanilla(choice: Point) -> Iterable[Caveat]:
    record = choice.record
    verdict, ratio = record.get("verdict"), estimate(record, "time_ratio", record.get("pairs"))
    if choice.is_vanilla:
        return
    if verdict == Verdict.AMBIGUOUS:
        yield Caveat(
            "verdict_ambiguous",
            f"it is not shown to beat vanilla: {ratio} of its time, AMBIGUOUS; measure longer to decide",
        )
    elif verdict in (Verdict.SLOWER, Verdict.SAME):
        code = "slower_than_vanilla" if verdict == Verdict.SLOWER else "as_slow_as_vanilla"
        yield Caveat(code, f"it does not beat vanilla: {ratio} of its time, {verdict}")


def _host(choice: Point) -> Iterable[Caveat]:
    if choice.record.get("host_bound") and choice.record.get("execution") != "cudagraph":
        yield Caveat(
            "host_bound",
            "the device waits for the host, so work that octave saves cannot show; try execution cudagraph",
        )


def _accuracy(request: Request, choice: Point) -> Iterable[Caveat]:
    record = choice.record
    if not request.needs_accuracy:
        yield Caveat(
            "accuracy_not_asked",
            "no accuracy was asked for; alpha and the variant change what a network computes: "
            "add --min top1=... or --maximize top1",
        )
        return
    source = f"{record.get('accuracy_family')}, {record.get('accuracy_source')}"
    match = record.get("accuracy_match")
    if match == "pre-activation twin":
        yield Caveat(
            "pre_activation_twin",
            f"its accuracy is that of a pre-activation twin ({source}), not of the network measured here",
        )
    elif match not in (None, EXACT):
        yield Caveat(
            "other_variant", f"its accuracy is that of another network or recipe: {match} ({source})"
        )
    if record.get("accuracy_split") == Split.TEST:
        yield Caveat(
            "chosen_by_test",
            f"its accuracy is on the test images that it was chosen by ({source}): the best of several has "
            "luck in it, so report that of images which chose nothing",
        )
    if record.get("accuracy_kind") == "published":
        yield Caveat(
            "other_recipe",
            f"its accuracy is published ({source}): another recipe or other weights give another",
        )


def _families(request: Request, families: Sequence[Coverage]) -> Iterable[Caveat]:
    if request.accuracy_from is not None or len(families) < 2:
        return
    taken, *others = families
    names = ", ".join(f"{unit.family} ({unit.feasible})" for unit in others)
    yield Caveat(
        "accuracy_family",
        f"accuracies of several families are never mixed: {taken.family} is taken, which has "
        f"{taken.feasible} of the points that meet the other budgets; --accuracy-from takes another: {names}",
    )


def _doubts(choice: Point) -> Iterable[Caveat]:
    return [Caveat("doubt", explained(doubt)) for doubt in choice.doubts]
