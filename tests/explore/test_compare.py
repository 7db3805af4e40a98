"""Two sides of the same points: ratios, corrected verdicts, what else differs, and what is refused."""

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fakes_store import (
    ENVIRONMENT,
    OTHER_ENVIRONMENT,
    cost_of,
    ended,
    latency_of,
    layer_point,
    measured,
    network_point,
    row,
)
from octprobe.errors import UsageError
from octprobe.explore.compare import EXACT_COLUMNS, Comparison, PointChange, compare
from octprobe.explore.comparison.change import Basis, Change, Tolerance, change_of
from octprobe.explore.comparison.record import comparison_record
from octprobe.explore.comparison.sides import Side, read_side, sides_of
from octprobe.stats import holm, independent_ratio_interval, independent_ratio_p_value
from octprobe.store.records import Doubt, Latency, Status
from octprobe.store.row import Row
from octprobe.store.schema import SCHEMA
from octprobe.store.store import Store

OLD_STORE = Path(__file__).parents[1] / "store/version_1.parquet"


def frame_of(path: Path, rows: Sequence[Row], **choice: Any) -> pd.DataFrame:
    """Write rows to a new store and read them as a side."""
    store = Store.create(path)
    if rows:
        store.append(rows)
    return read_side(Side(name="A", store=path, **choice)).frame


def compared(path: Path, a: Sequence[Row], b: Sequence[Row], **options: Any) -> Comparison:
    """Compare two stores of these rows."""
    return compare(frame_of(path / "a", a), frame_of(path / "b", b), **options)


def samples_frame(series: dict[str, Sequence[float]]) -> pd.DataFrame:
    """Give a side that has raw samples by point and little else."""
    rows = [
        {
            "point_id": point_id,
            "group_id": point_id,
            "env_id": "here",
            "status": "measured",
            "latency_ms_median": float(np.median(samples)),
            "latency_ms_samples": tuple(samples),
            "latency_samples": len(samples),
        }
        for point_id, samples in series.items()
    ]
    return pd.DataFrame(rows)


def noisy(seed: int, points: int, spread: float, slower: dict[int, float] | None = None) -> pd.DataFrame:
    """Give a side of points of 20 ms with normal noise; `slower` multiplies some."""
    generator = np.random.default_rng(seed)
    series = {
        f"p{index:03}": 20 * (slower or {}).get(index, 1.0) * (1 + spread * generator.normal(size=41))
        for index in range(points)
    }
    return samples_frame({name: values.tolist() for name, values in series.items()})


def one(found: Comparison) -> PointChange:
    """Give the only joined point."""
    (point,) = found.points
    return point


def test_a_points_change_is_the_ratio_of_its_medians_with_its_interval(tmp_path: Path) -> None:
    """Every figure against the statistics of the raw samples."""
    a, b = latency_of(80.0, 0.9), latency_of(88.0, 0.99, count=51)
    found = compared(
        tmp_path,
        [row(network_point("0.5"), measured(80.0, 0.9, latency=a))],
        [row(network_point("0.5"), measured(88.0, 0.99, latency=b))],
    )
    interval = independent_ratio_interval(a.samples_ms, b.samples_ms)
    p_value = independent_ratio_p_value(a.samples_ms, b.samples_ms, 0.99, 1.01)
    assert one(found).latency == Change(
        a=pytest.approx(80.0),
        b=pytest.approx(88.0),
        count_a=41,
        count_b=51,
        ratio=pytest.approx(1.1),
        low=interval.low,
        high=interval.high,
        p_value=p_value,
    )
    assert (one(found).verdict, one(found).p_adjusted) == ("SLOWER", p_value)
    assert (one(found).time_ratio.a, one(found).time_ratio.b) == (pytest.approx(0.9), pytest.approx(0.99))
    assert one(found).time_ratio.ratio == pytest.approx(1.1)


def test_a_drift_of_the_machine_moves_the_latency_and_not_the_time_ratio(tmp_path: Path) -> None:
    """Both runs have octave at .9 of vanilla; the second ran on a slower machine."""

    def run(speed: float) -> list[Row]:
        octave = replace(
            latency_of(72.0 * speed), pair_ratios=tuple(r / 80 for r in latency_of(72).samples_ms)
        )
        return [
            row(network_point("0"), measured(80.0 * speed)),
            row(network_point("0.5"), measured(0, latency=octave)),
        ]

    by_latency, by_ratio = (compared(tmp_path / basis, run(1), run(1.1), basis=basis) for basis in Basis)
    assert [point.verdict for point in by_latency.points] == ["SLOWER", "SLOWER"]
    assert [point.verdict for point in by_ratio.points] == [None, "SAME"]
    assert by_latency.vanilla_shift == pytest.approx(1.1)
    assert by_ratio.tested == 1
    assert by_ratio.points[0].time_ratio.reason == "no time_ratio_median in A, no time_ratio_median in B"


def test_points_of_one_side_only_are_kept_in_order(tmp_path: Path) -> None:
    """Nothing is dropped in silence."""
    a = [row(network_point(alpha), measured(80.0)) for alpha in ("0.75", "0.5", "0.25")]
    b = [row(network_point(alpha), measured(80.0)) for alpha in ("1", "0.5")]
    found = compared(tmp_path, a, b)
    assert [point.a["alpha"] for point in found.points] == [0.5]
    assert [each["alpha"] for each in found.only_a] == [0.25, 0.75]
    assert [each["alpha"] for each in found.only_b] == [1.0]


def test_a_status_that_changed_is_kept_with_both(tmp_path: Path) -> None:
    """A point that no longer runs has no ratio, and the reason is its status."""
    a = [row(network_point("0.5"), measured(80.0, 0.9))]
    point = one(compared(tmp_path, a, [ended(network_point("0.5"), Status.CRASHED)]))
    assert (point.status_changed, point.verdict, point.p_adjusted) == (True, None, None)
    assert point.latency.reason == point.time_ratio.reason == "crashed in B"
    assert (point.latency.a, point.latency.b, point.latency.ratio) == (pytest.approx(80.0), None, None)


def test_without_raw_samples_there_is_a_ratio_and_no_claim(tmp_path: Path) -> None:
    """Medians alone tell nothing of chance."""
    a = frame_of(tmp_path / "a", [row(network_point("0.5"), measured(80.0, 0.9))])
    b = frame_of(tmp_path / "b", [row(network_point("0.5"), measured(160.0, 0.9))])
    b["latency_ms_samples"] = None
    point = one(compare(a, b, fail_above=0.05))
    assert (point.latency.ratio, point.latency.low, point.latency.p_value) == (pytest.approx(2.0), None, None)
    assert (point.verdict, point.p_adjusted, point.failure) == ("AMBIGUOUS", None, None)
    assert point.latency.reason == (
        "no raw samples in B: latency_ms_samples is absent or holds what is no time"
    )


@pytest.mark.parametrize(
    ("samples", "reason"),
    [
        ((), "no raw samples in B"),
        ((1.0,) * 30 + (None,), "no raw samples in B"),
        ((1.0,) * 30 + (0.0,), "no raw samples in B"),
        ((1.0,) * 19, "too few samples for an interval: 19 in B, not 20"),
        (tuple(1 + place / 100 for place in range(40)), "no interval: the samples move through the run"),
    ],
)
def test_what_cannot_have_an_interval_says_why(samples: tuple[Any, ...], reason: str) -> None:
    """Broken, few or trending samples: the ratio of the medians stands alone."""
    whole = {"status": "measured", "latency_ms_median": 1.0, "latency_samples": 40}
    a = whole | {"latency_ms_samples": (1.0, 1.1) * 20}
    change = change_of(a, whole | {"latency_ms_samples": samples}, Basis.LATENCY, Tolerance(band=0.01))
    assert (change.ratio, change.low, change.high) == (1.0, None, None)
    assert change.reason
    assert change.reason.startswith(reason)


@pytest.mark.parametrize("median", [None, 0.0, -1.0])
def test_a_median_that_no_ratio_can_be_made_of(median: float | None) -> None:
    """Absent and 0 give no ratio rather than an infinite one."""
    whole = {"status": "measured", "latency_ms_median": 1.0}
    change = change_of(whole | {"latency_ms_median": median}, whole, Basis.LATENCY, Tolerance(band=0.01))
    assert (change.ratio, change.reason) == (None, "no latency_ms_median in A")


def test_counted_figures_that_differ_are_given_exactly(tmp_path: Path) -> None:
    """MACs and peak memory; what is absent on one side is no difference."""
    bare = measured(80.0, macs=100, peak=None)
    a = [row(network_point("0.5"), measured(80.0, macs=101, peak=5000)), row(network_point("1"), bare)]
    b = [
        row(network_point("0.5"), measured(80.0, macs=99, peak=5001)),
        row(network_point("1"), measured(80.0, macs=100)),
    ]
    half, whole = compared(tmp_path, a, b).points
    assert half.exact == {
        "macs": (101, 99),
        "macs_executed": (101, 99),
        "peak_memory_allocator_bytes": (5000, 5001),
    }
    assert whole.exact == {}


def test_exact_columns_are_whole_numbers_of_the_schema() -> None:
    """No float is compared for equality."""
    assert {str(SCHEMA.field(name).type) for name in EXACT_COLUMNS} == {"int64"}


def test_environments_that_differ_are_named(tmp_path: Path) -> None:
    """Another torch is another environment, and the points still join."""
    point = network_point("0.5")
    found = compared(tmp_path, [row(point, measured(80.0))], [row(point, measured(80.0), OTHER_ENVIRONMENT)])
    assert [str(difference) for difference in found.environment_differences] == ["torch 2.9.0 / 2.10.0"]
    same = compared(tmp_path / "same", [row(point, measured(80.0))], [row(point, measured(80.0))])
    assert same.environment_differences == ()


def test_two_hundred_equal_points_are_not_called_different() -> None:
    """Of 10 A/A comparisons with 5 % noise none calls a point FASTER or SLOWER; plain intervals would."""
    plain = 0
    for seed in range(10):
        found = compare(noisy(2 * seed, 200, 0.05), noisy(2 * seed + 1, 200, 0.05), fail_above=0.0)
        assert found.verdicts["FASTER"] + found.verdicts["SLOWER"] == 0
        assert found.failed == ()
        plain += sum((point.latency.p_value or 1) < 0.05 for point in found.points)
    assert plain > 0


def test_a_slowdown_of_ten_percent_is_found_among_two_hundred() -> None:
    """With 3 % noise: those two points and no other, as verdict and as failure above 5 %."""
    found = compare(noisy(1, 200, 0.03), noisy(2, 200, 0.03, {7: 1.1, 150: 0.9}), fail_above=0.05)
    words = {point.a["point_id"]: point.verdict for point in found.points}
    assert {name: word for name, word in words.items() if word in ("SLOWER", "FASTER")} == {
        "p007": "SLOWER",
        "p150": "FASTER",
    }
    failing = compare(noisy(1, 200, 0.02), noisy(2, 200, 0.02, {7: 1.12, 150: 0.9}), fail_above=0.05)
    assert [point.a["point_id"] for point in failing.failed] == ["p007"]


def test_the_correction_is_over_all_tested_points_against_brute_force() -> None:
    """Holm over the p-values of the raw samples; a word needs it below .05."""
    a, b = noisy(3, 30, 0.04), noisy(4, 30, 0.04, {2: 1.04, 3: 1.06, 4: 1.08})
    found = compare(a, b)
    pairs = list(zip(a["latency_ms_samples"], b["latency_ms_samples"], strict=True))
    p_values = [independent_ratio_p_value(before, after, 0.99, 1.01) for before, after in pairs]
    adjusted = holm([p_value for p_value in p_values if p_value is not None])
    assert [point.p_adjusted for point in found.points] == adjusted
    outside = [
        point
        for point in found.points
        if point.latency.low is not None
        and point.latency.high is not None
        and (point.latency.low > 1.01 or point.latency.high < 0.99)
    ]
    called = [point for point in found.points if point.verdict in ("FASTER", "SLOWER")]
    assert [point for point in outside if (point.p_adjusted or 0) < 0.05] == called
    assert 0 < len(called) < len(outside)
    assert all(point.verdict == "AMBIGUOUS" for point in outside if point not in called)


def test_a_check_fails_exactly_where_the_corrected_bound_is_above_the_margin() -> None:
    """Of one point: where its interval's lower end lies above 1.05."""
    outcomes = set()
    for factor in np.linspace(1.03, 1.1, 15):
        found = compare(noisy(5, 1, 0.03), noisy(6, 1, 0.03, {0: factor}), fail_above=0.05)
        point = one(found)
        assert point.latency.low is not None
        assert bool(point.failure) == (point.latency.low > 1.05)
        outcomes.add(bool(point.failure))
    assert outcomes == {True, False}


def test_a_point_that_no_longer_runs_fails_a_check(tmp_path: Path) -> None:
    """What failed before and still does is not the check's concern; nor is what runs now."""
    points = [network_point(alpha) for alpha in ("0.25", "0.5", "0.75")]
    a = [row(points[0], measured(80.0)), ended(points[1], Status.FAILED), ended(points[2], Status.FAILED)]
    b = [ended(points[0], Status.TIMED_OUT), ended(points[1], Status.FAILED), row(points[2], measured(80.0))]
    found = compared(tmp_path, a, b, fail_above=0.05)
    assert [point.failure for point in found.points] == ["measured in A, timed_out in B", None, None]
    assert all(point.failure is None for point in compared(tmp_path / "free", a, b).points)


def test_a_part_of_an_older_schema_is_compared_with_nulls(tmp_path: Path) -> None:
    """Version 1 has fewer columns: against itself all is the same, and JSON holds no NaN."""
    for side in "ab":
        Store.create(tmp_path / side)
        (tmp_path / side / "parts/old.parquet").write_bytes(OLD_STORE.read_bytes())
    sides = sides_of(tmp_path / "a", tmp_path / "b")
    found = compare(*(read_side(side).frame for side in sides))
    assert found.points
    assert {point.verdict for point in found.points} <= {"SAME", "AMBIGUOUS", None}
    assert all(point.exact == {} for point in found.points)
    json.dumps(comparison_record(found), allow_nan=False)


@pytest.mark.parametrize("name", sorted(set(SCHEMA.names) - {"point_id", "group_id", "env_id"}))
def test_a_null_in_any_column_is_no_crash(tmp_path: Path, name: str) -> None:
    """Of status too: a row that says not how it ended was not measured."""
    rows = [row(network_point(alpha), measured(80.0, ratio)) for alpha, ratio in (("0", None), ("0.5", 0.9))]
    whole = frame_of(tmp_path, rows)
    holed = whole.assign(**{name: None})
    for found in (compare(whole, holed, fail_above=0.05), compare(holed, whole), compare(holed, holed)):
        assert len(found.points) == 2
        json.dumps(comparison_record(found), allow_nan=False)


def test_the_record_has_both_changes_doubts_and_totals(tmp_path: Path) -> None:
    """One object; doubts of each side stay with it."""
    a = [row(network_point("0.5"), measured(80.0, 0.9)), row(network_point("1"), measured(80.0))]
    b = [row(network_point("0.5"), measured(96.0, 0.9, doubts=(Doubt.UNSTABLE,)))]
    record = comparison_record(compared(tmp_path, a, b, fail_above=0.05))
    assert record["totals"] == {
        "joined": 1,
        "tested": 1,
        "only_a": 1,
        "only_b": 0,
        "status_changes": 0,
        "failed": 1,
    }
    assert record["verdicts"] == {"FASTER": 0, "SLOWER": 1, "SAME": 0, "AMBIGUOUS": 0}
    (point,) = record["points"]
    assert (point["doubts_a"], point["doubts_b"], point["alpha"]) == ([], ["unstable"], 0.5)
    assert point["latency_ms_change"] == pytest.approx(1.2)
    assert point["latency_ms_change_ci_low"] > 1.19
    assert (point["latency_ms_count_a"], point["time_ratio_median_b"]) == (41, pytest.approx(0.9))
    assert record["failed"][0]["point_id"] == point["point_id"]
    assert record["failed"][0]["reason"].startswith("1.200 times A's, above 1.05 (p ")
    assert [only["label"] for only in record["only_a"]] == [
        "resnet50 alpha 1, 224 px, batch 1, float32, infer, contiguous, eager"
    ]


@pytest.mark.parametrize(("kept", "reason"), [(0, "A and B hold no rows"), (1, "A holds no rows")])
def test_a_side_of_which_no_row_is_left_is_named(tmp_path: Path, kept: int, reason: str) -> None:
    """As where a date leaves none on one side."""
    frame = frame_of(tmp_path, [row(network_point("0.5"), measured(80.0))])
    with pytest.raises(UsageError, match=reason):
        compare(frame.iloc[:0], frame.iloc[:kept])


@pytest.mark.parametrize(
    ("a", "b", "reason"),
    [
        ([network_point("0.5")], [network_point("0.5", batch=8)], "batch is 1 in A, 8 in B"),
        (
            [network_point("0.5")],
            [network_point("0.5", "vgg16", threads=2)],
            "network is resnet50 in A, vgg16 in B; threads is none in A, 2 in B",
        ),
        (
            [network_point("0.5"), network_point("1", batch=8)],
            [network_point("1"), network_point("0.5", batch=8)],
            "no two points agree on all axes",
        ),
        (
            [network_point("0.5", batch=n) for n in range(1, 7)],
            [network_point("0.5", batch=9)],
            "batch is 1, 2, 3, 4, ... in A, 9 in B",
        ),
    ],
)
def test_sides_with_nothing_in_common_say_in_what_they_differ(
    tmp_path: Path, a: list[Any], b: list[Any], reason: str
) -> None:
    """One line with the axes of which they share no value."""
    with pytest.raises(UsageError) as caught:
        compared(tmp_path, [row(p, measured(80.0)) for p in a], [row(p, measured(80.0)) for p in b])
    assert str(caught.value) == f"no point is in both A and B: {reason}"


def test_another_protocol_or_sweep_or_other_rules_is_the_reason(tmp_path: Path) -> None:
    """What the axes do not show."""
    whole = frame_of(tmp_path, [row(network_point("0.5"), measured(80.0))])
    other = whole.assign(point_id="0" * 16)
    for changed, reason in (
        (other.assign(protocol=9), "protocol is 1 in A, 9 in B"),
        (
            other.assign(batch=8, sweep="mine"),
            "batch is 1 in A, 8 in B (sweep is quickstart in A, mine in B)",
        ),
        (other, "points with equal axes have other ids, so other conversion rules made their networks"),
    ):
        with pytest.raises(UsageError) as caught:
            compare(whole, changed)
        assert str(caught.value) == f"no point is in both A and B: {reason}"


def test_layers_join_by_shape(tmp_path: Path) -> None:
    """Another stride is another point."""
    a = [row(layer_point("0.5", "0.5", stride=stride), measured(2.0)) for stride in (1, 2)]
    b = [row(layer_point("0.5", "0.5", stride=2), measured(1.0))]
    found = compared(tmp_path, a, b)
    assert [(point.a["stride"], point.verdict) for point in found.points] == [(2, "FASTER")]


def test_infinite_medians_are_absent(tmp_path: Path) -> None:
    """A file that holds infinities gives no figure of them."""
    whole = frame_of(tmp_path, [row(network_point("0.5"), measured(80.0))])
    found = compare(whole, whole.assign(latency_ms_median=math.inf))
    assert one(found).latency.reason == "no latency_ms_median in B"


def test_latency_stands_where_a_side_has_no_pairs(tmp_path: Path) -> None:
    """Measured alone: no ratio to vanilla, and the latency is compared all the same."""
    alone: Latency = replace(latency_of(80.0), pair_ratios=())
    b = [row(network_point("0.5"), measured(80.0, latency=alone))]
    point = one(compared(tmp_path, [row(network_point("0.5"), measured(80.0, 0.9), ENVIRONMENT)], b))
    assert (point.verdict, point.time_ratio.reason) == ("SAME", "no time_ratio_median in B")


def test_the_cost_does_not_enter_the_time(tmp_path: Path) -> None:
    """A point with other MACs is still joined: the id is the work asked for."""
    b = [row(network_point("0.5"), measured(80.0, cost=cost_of(7)))]
    assert one(compared(tmp_path, [row(network_point("0.5"), measured(80.0))], b)).verdict == "SAME"
