"""What a sweep may take, before a clock is read."""

from dataclasses import replace
from decimal import Decimal

import pytest

from engine_helpers import points
from fakes import COST
from octprobe.engine.estimate import CORE_GMACS_PER_SECOND, estimate_group, total_seconds
from octprobe.errors import ConversionError
from octprobe.plan.point import Conditions, DesignPoint
from octprobe.plan.space import Group
from octprobe.plan.spec import Measure
from octprobe.store.records import Cost

SETTINGS = Measure(min_seconds=0.5, max_seconds=10)
HEAVY = replace(COST, macs_executed=int(CORE_GMACS_PER_SECOND * 1e9))


def group(**conditions: object) -> Group:
    """Give a group of two points on one thread."""
    members = tuple(
        replace(p, conditions=Conditions(threads=1, **conditions)) for p in points("n", ["0", "0.5"])
    )
    return Group(members[0], members)


def estimated(cost: Cost, kind: str = "cpu", **conditions: object) -> float:
    """Give the seconds of the first point."""
    return estimate_group(group(**conditions), SETTINGS, lambda _: cost, kind).points[0].seconds


def test_a_second_long_call_is_sampled_up_to_the_cap_in_pairs() -> None:
    """10 s of samples beside 10 s of the anchor's, 16 other calls, 4 s of building."""
    assert estimated(HEAVY) == pytest.approx(2 * 10 + 16 + 4)


def test_a_fast_call_is_sampled_for_the_least_time() -> None:
    """Half a second and its pair's, and the building."""
    assert estimated(replace(COST, macs_executed=0)) == pytest.approx(2 * 0.5 + 4)


def test_batch_multiplies_work_and_activations_but_not_weights() -> None:
    """Eight items of a tenth of a second are 0.8 s a call."""
    tenth = replace(HEAVY, macs_executed=HEAVY.macs_executed // 10)
    assert estimated(tenth, batch=8) == pytest.approx(2 * 10 + 16 * 0.8 + 4)
    figures = estimate_group(group(batch=8), SETTINGS, lambda _: COST, "cpu").points[0]
    assert figures.activation_bytes == 8 * (COST.peak_live_bytes + COST.input_bytes)
    assert figures.weights_bytes == COST.weights_bytes


def test_half_precision_halves_the_bytes() -> None:
    """Counts are for float32."""
    figures = estimate_group(group(dtype="bfloat16"), SETTINGS, lambda _: COST, "cpu").points[0]
    assert figures.weights_bytes == COST.weights_bytes // 2


def test_an_accelerator_is_assumed_faster() -> None:
    """The assumed rate is another."""
    assert estimated(HEAVY, "cuda") < estimated(HEAVY, "cpu")


def test_a_group_holds_all_its_models_and_the_largest_activations() -> None:
    """Interleaving keeps every model in memory."""
    estimate = estimate_group(group(), SETTINGS, lambda _: COST, "cpu")
    assert estimate.memory_bytes == 2 * COST.weights_bytes + COST.peak_live_bytes + COST.input_bytes
    assert total_seconds([estimate]) == pytest.approx(15 + estimate.seconds)


def test_a_point_that_cannot_be_built_has_its_reason_and_takes_no_time() -> None:
    """It will be a skipped row."""

    def cost_of(point: DesignPoint) -> Cost:
        if point.is_anchor:
            return COST
        raise ConversionError("no such alpha")

    _, octave = estimate_group(group(), SETTINGS, cost_of, "cpu").points
    assert (octave.cost, octave.reason, octave.seconds) == (None, "no such alpha", 0.0)
    assert octave.point.subject.alpha == Decimal("0.5")


@pytest.mark.parametrize(
    ("conditions", "words"),
    [({"execution": "cudagraph"}, "needs a CUDA device"), ({"threads": 4096}, "threads is 4096")],
)
def test_what_cannot_run_here_is_told_before_it_is_built(conditions: dict[str, object], words: str) -> None:
    """A plan names the rows that will be skipped."""
    members = tuple(replace(p, conditions=Conditions(**conditions)) for p in points("n", ["0"]))
    estimate = estimate_group(
        Group(members[0], members), SETTINGS, lambda _: pytest.fail("it was built"), "cpu"
    )
    assert words in (estimate.points[0].reason or "")


def test_a_network_that_breaks_costs_its_own_estimate_only() -> None:
    """Whatever building raises is that point's reason."""

    def cost_of(_: DesignPoint) -> Cost:
        raise RuntimeError("Calculated padded input size is too small\nmore")

    estimate = estimate_group(group(), SETTINGS, cost_of, "cpu")
    assert {p.reason for p in estimate.points} == {"RuntimeError: Calculated padded input size is too small"}
