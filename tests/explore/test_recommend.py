"""The recommendation against a brute force over random rows and budgets, and each answer by itself."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes_store import (
    OTHER_ENVIRONMENT,
    breakdown_of,
    ended,
    layer_point,
    measured,
    network_point,
    resnet_rows,
    row,
)
from octprobe.errors import OctprobeError, StoreError, UsageError
from octprobe.explore.advice.request import make_request
from octprobe.explore.advice.runner_up import Apart
from octprobe.explore.recommend import Recommendation, recommend
from octprobe.plan.variant import Variant
from octprobe.store.accuracy import Accuracy
from octprobe.store.query import load_frame
from octprobe.store.records import Doubt, Status
from octprobe.store.row import Row
from octprobe.store.store import Store

NETWORKS = ("one", "two")
FORMATS = ("contiguous", "channels_last")
ALPHAS = (0.0, 0.25, 0.5)


def accuracy(network: str, alpha: float, top1: float, family: str = "ours", **fields: Any) -> Accuracy:
    """Give an accuracy on ImageNet at 224 pixels."""
    usual = {
        "architecture": network,
        "dataset": "imagenet1k",
        "resolution": 224,
        "kind": "published",
        "source": "a paper",
    }
    return Accuracy(network=network, alpha=alpha, top1_percent=top1, source_family=family, **(usual | fields))


def frame_of(path: Path, rows: Sequence[Row]) -> pd.DataFrame:
    """Take rows through a store, as a user's rows go."""
    Store.create(path).append(rows)
    return load_frame(path)


def asked(frame: pd.DataFrame, accuracies: Sequence[Accuracy] = (), **request: Any) -> Recommendation:
    """Recommend, the request as on a command line."""
    return recommend(frame, make_request(**request), accuracies)


# A small grid makes ties and figures at their bound common.
present = st.integers(1, 6).map(float)


@st.composite
def random_rows(draw: st.DrawFn, *, with_gaps: bool = True) -> list[dict[str, Any]]:
    """Give rows of a design space; with gaps, absent figures, infinities and failures are among them."""
    rows = []
    figure = present | st.none() if with_gaps else present
    latency = figure | st.just(math.inf) if with_gaps else present
    statuses = st.sampled_from(["measured"] * 5 + ["failed"]) if with_gaps else st.just("measured")
    for network in NETWORKS:
        for memory_format in FORMATS:
            for alpha in ALPHAS:
                if with_gaps and not draw(st.booleans()):
                    continue
                group = f"{network}-{memory_format}-0.0"
                rows.append(
                    {
                        "point_id": f"{network}-{memory_format}-{alpha}",
                        "group_id": group,
                        "env_id": "env",
                        "status": draw(statuses),
                        "subject": "network",
                        "network": network,
                        "alpha": alpha,
                        "memory_format": memory_format,
                        "latency_ms_median": draw(latency),
                        "time_ratio_median": None if alpha == 0 else draw(figure),
                        "peak_memory_allocator_bytes": draw(figure),
                        "macs": draw(figure),
                    }
                )
    return rows


FIXED = {
    "alpha_map": None,
    "kernel": None,
    "exchange": None,
    "downsample": None,
    "octave_kernels": None,
    "return_at": None,
    "execution": "eager",
    "device": "cpu",
    "device_name": "Fake",
    "torch": "2.9",
    "batch": 1,
    "resolution": 224,
    "dtype": "float32",
    "mode": "infer",
    "threads": None,
    "verdict": None,
    "doubts": (),
    "latency_samples": None,
}
COLUMNS = {
    "latency": "latency_ms_median",
    "memory": "peak_memory_allocator_bytes",
    "macs": "macs",
    "ratio": "time_ratio_median",
    "top1": "top1_percent",
}
UNITS = {"latency": "ms", "memory": "B", "macs": "MACs", "ratio": "", "top1": "%"}


def value(known: Mapping[str, Any], name: str, accuracies: Mapping[tuple[str, float], float]) -> float | None:
    """Give a figure by definition; what is absent or infinite is None."""
    if name == "top1":
        return accuracies.get((known["network"], known["alpha"]))
    found = known[COLUMNS[name]]
    if name == "ratio" and known["alpha"] == 0:
        found = 1.0
    return None if found is None or math.isinf(found) else found


class BruteForce:
    """The definitions of docs/choosing.md, one row at a time."""

    def __init__(
        self,
        rows: Sequence[dict[str, Any]],
        goal: str,
        budgets: Mapping[str, float],
        accuracies: Mapping[tuple[str, float], float],
    ) -> None:
        self.goal, self.budgets = goal, budgets
        names = dict.fromkeys([goal, *budgets])
        self.rows = [
            known | {name: value(known, name, accuracies) for name in (*names, "ratio", *COLUMNS)}
            for known in rows
            if known["status"] == "measured"
        ]
        self.rows = [known for known in self.rows if all(known[name] is not None for name in names)]

    def excess(self, known: Mapping[str, Any], name: str) -> float:
        """Give by how much a budget is missed."""
        bound: float = self.budgets[name]
        return float(bound - known[name] if name == "top1" else known[name] - bound)

    def misses(self, known: Mapping[str, Any]) -> list[str]:
        """Name the budgets that a row misses."""
        return [name for name in self.budgets if self.excess(known, name) > 0]

    def cost(self, known: Mapping[str, Any]) -> float:
        """Give the goal, turned so that less is better."""
        return float(-known[self.goal] if self.goal == "top1" else known[self.goal])

    def is_paired(self, known: Mapping[str, Any]) -> bool:
        """Say whether ratios decide within a row's group."""
        members = [other for other in self.rows if other["group_id"] == known["group_id"]]
        return self.goal == "latency" and all(other["ratio"] is not None for other in members)

    def order(self, known: Mapping[str, Any]) -> tuple[Any, ...]:
        """Give the order among rows, their goal first; an absent figure comes last."""
        ties = [known[name] for name in ("latency", "memory", "macs")]
        return (
            self.cost(known),
            *((tie is None, tie or 0) for tie in ties),
            known["alpha"],
            known["point_id"],
        )

    def chosen_if(self, name: str, excess: float) -> str:
        """Choose anew, with one budget relaxed by so much."""
        return self.ranked({name: excess})[0]

    def ranked(self, relaxed: Mapping[str, float] = MappingProxyType({})) -> list[str]:
        """Rank feasible rows: the best of each paired group's heads, then again without it."""
        left = [
            known
            for known in self.rows
            if all(self.excess(known, name) <= relaxed.get(name, 0) for name in self.budgets)
        ]
        found = []
        while left:
            heads = [
                known
                for known in left
                if not any(
                    other["ratio"] < known["ratio"]
                    for other in left
                    if self.is_paired(known) and other["group_id"] == known["group_id"]
                )
            ]
            best = min(heads, key=self.order)
            found.append(best["point_id"])
            left.remove(best)
        return found

    def binding(self, chosen: str) -> tuple[str, bool] | None:
        """Name the binding budget, and say whether relaxing it alone gives a better choice."""
        if not self.budgets:
            return None
        choice = next(known for known in self.rows if known["point_id"] == chosen)
        relax = {}
        for name in self.budgets:
            missing = [known for known in self.rows if self.misses(known) == [name]]
            excess = {known["point_id"]: self.excess(known, name) for known in missing}
            steps = sorted(set(excess.values()))
            changed = next((s for s in steps if excess.get(self.chosen_if(name, s)) == s), None)
            if changed is not None:
                relax[name] = changed / self.budgets[name]
        if relax:
            return min(relax, key=lambda name: relax[name]), True
        return max(self.budgets, key=lambda name: self.excess(choice, name) / self.budgets[name]), False


some_budgets = st.dictionaries(st.sampled_from(sorted(COLUMNS)), present, max_size=3)
some_accuracies = st.dictionaries(
    st.tuples(st.sampled_from(NETWORKS), st.sampled_from(ALPHAS)), st.integers(1, 6).map(float)
)


@settings(deadline=None, max_examples=200)
@given(random_rows(), st.sampled_from(sorted(COLUMNS)), some_budgets, some_accuracies)
def test_the_brute_force_says_the_same(
    rows: list[dict[str, Any]],
    goal: str,
    budgets: dict[str, float],
    tops: dict[tuple[str, float], float],
) -> None:
    """Over stores with gaps, ties, nulls, infinities and failures."""
    check_against_brute_force(rows, goal, budgets, tops)


@settings(deadline=None, max_examples=200)
@given(
    random_rows(with_gaps=False),
    st.dictionaries(st.sampled_from(["latency", "memory", "macs"]), present, min_size=1),
)
def test_the_brute_force_says_the_same_of_the_latency(
    rows: list[dict[str, Any]], budgets: dict[str, float]
) -> None:
    """Where every group has all of its ratios, these decide within it."""
    check_against_brute_force(rows, "latency", budgets, {})


def check_against_brute_force(
    rows: list[dict[str, Any]],
    goal: str,
    budgets: dict[str, float],
    tops: dict[tuple[str, float], float],
) -> None:
    """Hold choice, order, binding budget and near misses to the brute force."""
    known = [accuracy(network, alpha, top1) for (network, alpha), top1 in tops.items()]
    brute = BruteForce(rows, goal, budgets, tops)
    frame = pd.DataFrame(
        [FIXED | values for values in rows], columns=[*rows[0], *FIXED] if rows else [*FIXED]
    )
    request = {
        ("maximize" if goal == "top1" else "minimize"): goal,
        "at_most": [f"{name}={bound}{UNITS[name]}" for name, bound in budgets.items() if name != "top1"],
        "at_least": [f"top1={budgets['top1']}"] if "top1" in budgets else [],
        "top": 20,
    }
    if not brute.rows:
        with pytest.raises(OctprobeError):
            asked(frame, known, **request)
        return
    advice = asked(frame, known, **request)
    json.dumps(advice.as_json(), allow_nan=False)
    # As on the command line: bounds from above first.
    brute.budgets = {budget.objective.name: budget.bound for budget in advice.request.budgets}
    ranked = brute.ranked()
    assert [point.record["point_id"] for point in advice.alternatives] == ranked
    assert advice.considered["compared"] == len(brute.rows)
    assert advice.considered["feasible"] == len(ranked)
    if not ranked:
        assert advice.choice is None
        missed = [name for name in brute.budgets if any(brute.excess(r, name) > 0 for r in brute.rows)]
        assert [miss.margin.budget.objective.name for miss in advice.near_misses] == missed
        for miss in advice.near_misses:
            name = miss.margin.budget.objective.name
            missing = [r for r in brute.rows if brute.excess(r, name) > 0]
            fewest = min(len(brute.misses(r)) for r in missing)
            nearest = min(brute.excess(r, name) for r in missing if len(brute.misses(r)) == fewest)
            assert miss.margin.excess == nearest
            assert len(miss.also_misses) == fewest - 1
        return
    assert advice.choice
    assert advice.choice.record["point_id"] == ranked[0]
    assert (advice.runner_up.point.record["point_id"] if advice.runner_up else None) == (
        ranked[1] if len(ranked) > 1 else None
    )
    found = advice.binding_budget
    assert (found and (found.margin.budget.objective.name, found.binds)) == brute.binding(ranked[0])
    for name in brute.budgets:
        expected = sorted(brute.excess(r, name) for r in brute.rows if brute.misses(r) == [name])[:3]
        misses = [m for m in advice.near_misses if m.margin.budget.objective.name == name]
        assert [miss.margin.excess for miss in misses] == expected
        for miss in misses:
            chosen = brute.chosen_if(name, miss.margin.excess)
            assert miss.beats_choice == (chosen == miss.point.record["point_id"])
    if found and found.unlocks:
        chosen = brute.chosen_if(found.margin.budget.objective.name, found.unlocks.margin.excess)
        assert chosen == found.unlocks.point.record["point_id"]


FLAT = [("0", 80.0, None, 400), ("0.25", 84.0, 1.05, 300), ("0.5", 82.0, 1.02, 200)]


def codes(advice: Recommendation) -> list[str]:
    """Name the caveats."""
    return [caveat.code for caveat in advice.caveats]


def test_no_alpha_beats_vanilla_is_an_answer_with_reasons(tmp_path: Path) -> None:
    """The best octave point, its figures, and what the breakdown says of it."""
    advice = asked(frame_of(tmp_path, resnet_rows(FLAT)), minimize="latency")
    assert advice.choice
    assert advice.choice.is_vanilla
    assert advice.vanilla.beaten is False
    assert advice.vanilla.sentence.startswith(
        "no alpha beats vanilla on this device: the best, alpha 0.5, takes 1.020"
    )
    assert advice.vanilla.sentence.endswith("SLOWER (resnet50, contiguous, eager)")
    assert any("50 % of its MACs" in reason for reason in advice.vanilla.reasons)


def test_an_ambiguous_best_is_not_called_beaten(tmp_path: Path) -> None:
    """Too few pairs for an interval."""
    rows = [
        row(network_point("0"), measured(80.0)),
        row(network_point("0.5"), measured(75.0, 0.94, macs=200, count=8)),
    ]
    advice = asked(frame_of(tmp_path, rows), minimize="latency")
    assert advice.vanilla.beaten is False
    assert "no alpha is shown to beat vanilla" in advice.vanilla.sentence
    assert "verdict_ambiguous" in codes(advice)


def test_only_vanilla_is_nothing_to_compare(tmp_path: Path) -> None:
    """Neither beaten nor not."""
    advice = asked(frame_of(tmp_path, resnet_rows(FLAT[:1])), minimize="latency")
    assert advice.vanilla.beaten is None
    assert advice.runner_up is None
    assert advice.binding_budget is None


def test_within_a_group_the_ratio_decides(tmp_path: Path) -> None:
    """A median that drifted does not; across groups it does."""
    rows = [
        *resnet_rows([("0", 80.0, None, 400), ("0.25", 70.0, 0.9, 300), ("0.5", 71.0, 0.85, 200)]),
        *resnet_rows([("0", 70.5, None, 400)], memory_format="channels_last"),
    ]
    advice = asked(frame_of(tmp_path, rows), minimize="latency", top=4)
    found = [(p.record["memory_format"], p.record["alpha"]) for p in advice.alternatives]
    assert found == [("channels_last", 0.0), ("contiguous", 0.5), ("contiguous", 0.25), ("contiguous", 0.0)]
    assert advice.runner_up
    assert advice.runner_up.behind == 0.5
    assert advice.runner_up.apart is Apart.APART


def test_equal_points_are_settled_in_the_documented_order(tmp_path: Path) -> None:
    """Latency, memory, MACs, alpha, then the id."""
    rows = [
        row(network_point("0", f"net{number}"), measured(latency, macs=macs, peak=peak))
        for number, (latency, macs, peak) in enumerate([(5, 1, 9), (4, 3, 9), (4, 2, 8), (4, 1, 9)])
    ]
    advice = asked(frame_of(tmp_path, rows), minimize="parameters", top=4)
    assert [point.record["network"] for point in advice.alternatives] == ["net2", "net3", "net1", "net0"]
    assert advice.runner_up
    assert advice.runner_up.apart is Apart.EQUAL
    assert "latency, memory, MACs, alpha and id settle it" in advice.runner_up.why


def test_a_budget_that_binds_names_what_it_would_unlock(tmp_path: Path) -> None:
    """The least relaxing that changes the choice, in the unit and as a share of the bound."""
    rows = resnet_rows([("0", 50.0, None, 400), ("0.25", 55.0, 1.1, 300), ("0.5", 60.0, 1.2, 200)])
    advice = asked(frame_of(tmp_path, rows), minimize="macs", at_most=["latency=50ms", "memory=1GB"])
    assert advice.choice
    assert advice.choice.record["alpha"] == 0
    assert advice.binding_budget
    assert advice.binding_budget.binds
    assert advice.binding_budget.unlocks
    assert advice.binding_budget.unlocks.point.record["alpha"] == 0.25
    assert advice.binding_budget.as_json()["unlocks"]["misses_by_percent"] == pytest.approx(10)
    assert [miss.as_json()["misses_by"] for miss in advice.near_misses] == [5.0, 10.0]


def test_without_a_better_choice_the_tightest_budget_is_told(tmp_path: Path) -> None:
    """It does not bind."""
    advice = asked(
        frame_of(tmp_path, resnet_rows(FLAT)), minimize="latency", at_most=["latency=90ms", "memory=60MB"]
    )
    assert advice.binding_budget
    assert not advice.binding_budget.binds
    assert advice.binding_budget.margin.budget.text == "latency=90ms"


def test_nothing_feasible_names_the_nearest_miss_on_each_budget(tmp_path: Path) -> None:
    """And what each of them misses too."""
    advice = asked(
        frame_of(tmp_path, resnet_rows(FLAT)), minimize="latency", at_most=["latency=79ms", "macs=100MACs"]
    )
    assert advice.choice is None
    assert advice.python == ()
    found = [(m.margin.budget.text, m.point.record["alpha"], m.margin.excess) for m in advice.near_misses]
    assert found == [("latency=79ms", 0.0, 1.0), ("macs=100MACs", 0.5, 100.0)]
    assert advice.near_misses[0].also_misses == ("macs=100MACs",)
    assert advice.as_json()["choice"] is None


def test_an_interval_about_the_bound_is_a_caveat_and_marks_a_miss(tmp_path: Path) -> None:
    """The point estimate decides; the noise is told."""
    rows = [
        row(network_point("0", "one"), measured(49.9, spread=0.05, macs=300)),
        row(network_point("0", "two"), measured(50.1, spread=0.05, macs=200)),
    ]
    advice = asked(frame_of(tmp_path, rows), minimize="macs", at_most=["latency=50ms"])
    assert advice.choice
    assert advice.choice.record["network"] == "one"
    assert "straddles_budget" in codes(advice)
    assert advice.near_misses[0].as_json()["within_noise"] is True
    assert advice.near_misses[0].beats_choice


def test_a_runner_up_within_noise_is_not_separable(tmp_path: Path) -> None:
    """Intervals overlap."""
    rows = [row(network_point("0", n), measured(ms, spread=0.05)) for n, ms in (("one", 50.0), ("two", 50.1))]
    advice = asked(frame_of(tmp_path, rows), minimize="latency")
    assert advice.runner_up
    assert advice.runner_up.apart is Apart.OVERLAP
    assert "not_separable" in codes(advice)


def test_doubts_and_a_waiting_device_are_told(tmp_path: Path) -> None:
    """With what to do about each."""
    waiting = replace(breakdown_of(10.0), host_bound=True, kernels=561)
    doubts = (Doubt.UNSTABLE,)
    rows = [row(network_point("0"), measured(50.0, breakdown=waiting, doubts=doubts))]
    advice = asked(frame_of(tmp_path, rows), minimize="latency")
    texts = {caveat.code: caveat.text for caveat in advice.caveats}
    assert "try execution cudagraph" in texts["host_bound"]
    assert "--retry unstable" in texts["doubt"]
    assert "accuracy_not_asked" in texts


def test_a_published_twin_is_no_accuracy_of_this_network(tmp_path: Path) -> None:
    """Said, with its source."""
    known = [
        accuracy("resnet50", alpha, top1, variant="preact", baseline_top1_percent=77.0)
        for alpha, top1 in ((0.0, 77.0), (0.25, 78.0), (0.5, 77.4))
    ]
    advice = asked(frame_of(tmp_path, resnet_rows(FLAT)), known, maximize="top1", at_most=["latency=83ms"])
    assert advice.choice
    assert advice.choice.record["alpha"] == 0.5
    assert {"pre_activation_twin", "other_recipe", "slower_than_vanilla"} <= set(codes(advice))
    figure = advice.as_json()["choice"]["figures"]["top1"]
    assert (figure["value"], figure["unit"], figure["source"]) == (77.4, "%", "published")
    assert advice.as_json()["choice"]["accuracy_match"] == "pre-activation twin"
    assert advice.binding_budget
    assert advice.binding_budget.unlocks
    assert advice.binding_budget.unlocks.point.record["alpha"] == 0.25


def test_one_family_is_taken_and_the_others_named(tmp_path: Path) -> None:
    """The one that covers most feasible points, or the one asked for."""
    known = [
        *(accuracy("resnet50", alpha, 70.0) for alpha in (0.0, 0.5)),
        *(accuracy("resnet50", alpha, 60.0, "wide") for alpha in (0.0, 0.25, 0.5)),
    ]
    frame = frame_of(tmp_path, resnet_rows(FLAT))
    advice = asked(frame, known, minimize="macs", at_least=["top1=50"])
    assert [(unit.family, unit.feasible) for unit in advice.families] == [("wide", 3), ("ours", 2)]
    assert "accuracy_family" in codes(advice)
    assert advice.considered["compared"] == 3
    other = asked(frame, known, minimize="macs", at_least=["top1=50"], accuracy_from="ours")
    assert other.choice
    assert other.choice.record["top1_percent"] == 70.0
    assert other.considered["without_figure"] == {"top1": 1}
    assert "accuracy_family" not in codes(other)
    with pytest.raises(UsageError, match=r"--accuracy-from wid: .* Did you mean wide\?"):
        asked(frame, known, minimize="macs", at_least=["top1=50"], accuracy_from="wid")


def test_an_unusual_variant_has_no_accuracy(tmp_path: Path) -> None:
    """It is another network."""
    rows = [
        *resnet_rows(FLAT),
        row(network_point("0.5", variant=Variant(exchange="none")), measured(10.0, 0.5, macs=100)),
    ]
    known = [accuracy("resnet50", 0.5, 77.4)]
    advice = asked(frame_of(tmp_path, rows), known, minimize="latency", at_least=["top1=70"])
    assert advice.choice
    assert advice.choice.record["exchange"] == "both"
    assert advice.considered["without_figure"] == {"top1": 3}


def test_given_axes_with_several_values_are_listed(tmp_path: Path) -> None:
    """All of them at once, each value with its rows."""
    rows = [
        *resnet_rows(FLAT, batch=1),
        *resnet_rows(FLAT[:2], batch=8),
        *resnet_rows(FLAT[:1], batch=8, threads=2),
    ]
    frame = frame_of(tmp_path, rows)
    with pytest.raises(UsageError) as refused:
        asked(frame, minimize="latency")
    assert str(refused.value).endswith(
        "--batch 1 (3 rows) or 8 (3 rows); --threads 2 (1 row) or default (5 rows)"
    )
    where = {"batch": 8, "threads": "default"}
    assert asked(frame, minimize="latency", where=where).considered["compared"] == 2
    assert asked(frame, minimize="latency", where=where).given["threads"] == "default"
    with pytest.raises(UsageError, match=r"--batch 4: no measured row .* there are 1 \(3 rows\) and 8"):
        asked(frame, minimize="latency", where={"batch": 4})


def test_environments_are_told_apart_by_torch_and_devices_by_name(tmp_path: Path) -> None:
    """A flag takes the beginning of an id."""
    rows = [*resnet_rows(FLAT), row(network_point("0"), measured(9.0), OTHER_ENVIRONMENT)]
    frame = frame_of(tmp_path, rows)
    with pytest.raises(UsageError, match=r"--environment .*\(1 row, torch 2.10.0\)"):
        asked(frame, minimize="latency")
    env_id = OTHER_ENVIRONMENT.env_id
    for where in ({"environment": env_id[:6]}, {"environment": env_id, "device": "fake cpu 3000"}):
        assert asked(frame, minimize="latency", where=where).given["environment"] == env_id
    with pytest.raises(UsageError, match="--device cuda: no measured row"):
        asked(frame, minimize="latency", where={"device": "cuda"})


def test_flags_narrow_the_free_axes(tmp_path: Path) -> None:
    """Network, execution and memory format."""
    rows = [
        *resnet_rows(FLAT),
        *resnet_rows([("0", 8.0, None, 40)], network="resnet26", execution="compiled"),
    ]
    frame = frame_of(tmp_path, rows)
    for where in ({"network": "resnet50"}, {"execution": "eager"}):
        advice = asked(frame, minimize="latency", where=where)
        assert advice.choice
        assert advice.choice.record["network"] == "resnet50"
        assert advice.considered["other_flags"] == 1


def test_stores_without_a_measured_network_are_refused(tmp_path: Path) -> None:
    """Empty, layers only, failures only."""
    Store.create(tmp_path / "empty")
    with pytest.raises(StoreError, match="no rows yet"):
        asked(load_frame(tmp_path / "empty"), minimize="latency")
    layers = frame_of(tmp_path / "layers", [row(layer_point("0", "0"), measured(1.0))])
    with pytest.raises(StoreError, match=r"layers only \(1 row\)"):
        asked(layers, minimize="latency")
    failures = frame_of(tmp_path / "failed", [ended(network_point("0"), Status.OUT_OF_MEMORY)])
    with pytest.raises(StoreError, match="1 out_of_memory"):
        asked(failures, minimize="latency")


def test_a_figure_that_no_row_has_is_no_want_of_room(tmp_path: Path) -> None:
    """An error, not an empty answer."""
    frame = frame_of(tmp_path, resnet_rows(FLAT))
    with pytest.raises(UsageError, match="none of the 3 measured rows compared has kernels"):
        asked(frame, minimize="kernels")
    with pytest.raises(UsageError, match="has top1; `octprobe accuracy published`"):
        asked(frame, maximize="top1")


@pytest.mark.parametrize(
    ("goal", "words"),
    [
        ({}, "neither is given"),
        ({"minimize": "latency", "maximize": "top1"}, "both are given"),
        ({"minimize": "latenzy"}, "Did you mean latency?"),
        ({"maximize": "latency"}, "write --minimize latency"),
        ({"minimize": "latency", "at_most": ["latency=5ms", "latency_ms_median=6ms"]}, "bounded twice"),
    ],
)
def test_goals_are_one_and_turned_the_right_way(goal: dict[str, Any], words: str) -> None:
    """Each fault in one line."""
    with pytest.raises(UsageError) as refused:
        make_request(**goal)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def test_every_column_may_be_null(tmp_path: Path) -> None:
    """All that the schema lets be absent, but what tells networks, times and states."""
    frame = frame_of(tmp_path, resnet_rows(FLAT))
    kept = {"point_id", "group_id", "env_id", "status", "subject", "latency_ms_median", "attempt"}
    for name in frame.columns.difference(list(kept)):
        frame[name] = None
    advice = asked(frame, minimize="latency", at_most=["latency=81ms"])
    assert advice.choice
    assert advice.choice.figures[0].value == 80.0
    json.dumps(advice.as_json(), allow_nan=False)


def test_the_lines_of_python_are_literals(tmp_path: Path) -> None:
    """What a store holds cannot become code."""
    rows = [
        row(
            network_point(
                "0.5",
                variant=Variant(exchange="none"),
                memory_format="channels_last",
                execution="compiled",
                threads=2,
            ),
            measured(5.0, 0.9),
        )
    ]
    frame = frame_of(tmp_path, rows)
    lines = asked(frame, minimize="latency").python
    assert "network = octavize(network, 0.5, example[:1], on_unknown=\"merge\", exchange='none')" in lines
    assert "torch.set_num_threads(2)" in lines
    assert "network = torch.compile(network, dynamic=False)" in lines
    frame["network"] = 'x"); import os; os.system("'
    assert asked(frame, minimize="latency").python == ()


def test_a_choice_by_ratio_against_the_medians_says_so(tmp_path: Path) -> None:
    """As where vanilla was measured at another time than its pairs."""
    fits = resnet_rows([("0", 80.0, None, 400), ("0.5", 70.0, 0.9, 200)])
    unfit = resnet_rows([("0", 80.0, None, 400), ("0.5", 88.0, 0.9, 200)])
    assert "medians_disagree" not in codes(asked(frame_of(tmp_path / "a", fits), minimize="latency"))
    advice = asked(frame_of(tmp_path / "b", unfit), minimize="latency")
    assert "medians_disagree" in codes(advice)
    assert "has the better latency, by 9.1 %" in " ".join(caveat.text for caveat in advice.caveats)
