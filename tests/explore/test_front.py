"""What stands on which front; what may not be compared is never mixed."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from fakes_store import (
    ENVIRONMENT,
    OTHER_ENVIRONMENT,
    ended,
    layer_point,
    measured,
    network_point,
    resnet_rows,
    row,
)
from octprobe.errors import UsageError
from octprobe.explore.accuracies import with_accuracies
from octprobe.explore.advice.arrays import Places
from octprobe.explore.dominance.standings import Standing
from octprobe.explore.front import front_info
from octprobe.explore.front_record import front_records
from octprobe.explore.objectives import OBJECTIVES, objective
from octprobe.facts.published import published_accuracies
from octprobe.plan.variant import Variant
from octprobe.store.accuracy import Accuracy
from octprobe.store.query import load_frame
from octprobe.store.records import Measurement, Status
from octprobe.store.row import Row
from octprobe.store.store import Store


def frame_of(tmp_path: Path, rows: Sequence[Row]) -> pd.DataFrame:
    """Take rows through a store, as a user's rows go."""
    Store.create(tmp_path).append(rows)
    return load_frame(tmp_path)


def test_a_network_that_is_flat_in_alpha(tmp_path: Path) -> None:
    """Fewer MACs at the same time dominate; the slower alpha is kept and flagged."""
    rows = resnet_rows([("0", 80.0, None, 400), ("0.25", 84.0, 1.05, 300), ("0.5", 80.0, 1.0, 200)])
    info = front_info(frame_of(tmp_path, rows), "latency", "macs")
    assert [(point.x, point.y, point.on_front) for point in info.fronts[0].points] == [
        (80.0, 200, True),
        (80.0, 400, False),
        (84.0, 300, False),
    ]
    assert info.split_by == ()
    assert info.left_out == ()


def test_given_axes_part_the_fronts(tmp_path: Path) -> None:
    """Batch, environment and number format are never mixed; the split is named."""
    rows = [
        *resnet_rows([("0", 80.0, None, 400)], batch=8),
        *resnet_rows([("0", 10.0, None, 400)], batch=1),
        *resnet_rows([("0", 9.0, None, 400)], batch=1, dtype="bfloat16"),
        row(network_point("0.5", batch=1), measured(5.0, macs=100), OTHER_ENVIRONMENT),
    ]
    info = front_info(frame_of(tmp_path, rows), "latency", "macs")
    assert info.split_by == ("env_id", "batch", "dtype")
    assert len(info.fronts) == 4
    assert all(point.on_front for front in info.fronts for point in front.points)
    own = [front.given["batch"] for front in info.fronts if front.given["env_id"] == ENVIRONMENT.env_id]
    assert sorted(own) == [1, 1, 8]


def test_free_axes_share_a_front(tmp_path: Path) -> None:
    """Network, alpha, memory format and execution are what one chooses among."""
    rows = [
        *resnet_rows([("0", 80.0, None, 400)]),
        *resnet_rows([("0", 60.0, None, 400)], memory_format="channels_last"),
        *resnet_rows([("0", 70.0, None, 400)], execution="compiled"),
        *resnet_rows([("0.5", 50.0, 0.9, 300)], network="resnet26"),
    ]
    info = front_info(frame_of(tmp_path, rows), "latency", "macs")
    assert len(info.fronts) == 1
    assert [point.x for point in info.fronts[0].points if point.on_front] == [50.0]


def test_variants_share_a_front_and_are_told_apart(tmp_path: Path) -> None:
    """They are what one chooses among; each record says which it is."""
    variants = [Variant(), Variant(exchange="none"), Variant(octave_kernels="spatial", return_at="layer3")]
    rows = [
        row(network_point("0.5", variant=variant), measured(time, 0.9, macs=macs))
        for variant, time, macs in zip(variants, (50.0, 40.0, 60.0), (300, 200, 350), strict=True)
    ]
    info = front_info(frame_of(tmp_path, rows), "latency", "macs")
    names = ("exchange", "downsample", "octave_kernels", "return_at", "on_front")
    assert [tuple(found[name] for name in names) for found in front_records(info)] == [
        ("none", "average", "all", "policy", True),
        ("both", "average", "all", "policy", False),
        ("both", "average", "spatial", "layer3", False),
    ]


def test_a_record_says_how_often_its_network_leaves_the_octave_world(tmp_path: Path) -> None:
    """As its MACs are no better than where it is octave; absent is None, as at alpha 0."""
    leaving = measured(50.0, 0.9, macs=300)
    assert leaving.cost
    leaving = replace(leaving, cost=replace(leaving.cost, octave_exits=3))
    rows = [row(network_point("0"), measured(60.0, macs=400)), row(network_point("0.5"), leaving)]
    records = front_records(front_info(frame_of(tmp_path, rows), "latency", "macs"))
    assert [(record["alpha"], record["octave_exits"]) for record in records] == [(0.5, 3), (0.0, None)]


def test_another_layer_is_another_front(tmp_path: Path) -> None:
    """A layer's shape is given; its alphas are free."""
    rows = [
        row(layer_point("0", "0"), measured(2.0, macs=40)),
        row(layer_point("0.5", "0.5"), measured(1.0, 0.5, macs=20)),
        row(layer_point("0", "0", padding="same"), measured(0.5, macs=10)),
        row(layer_point("0", "0", stride=2), measured(0.5, macs=10)),
    ]
    info = front_info(frame_of(tmp_path, rows), "latency", "macs")
    assert info.split_by == ("stride", "padding")
    assert [len(front.points) for front in info.fronts] == [2, 1, 1]


def test_absent_figures_are_left_out_with_count_and_reason(tmp_path: Path) -> None:
    """A failure is on no front, and is not forgotten."""
    rows = [
        *resnet_rows([("0", 80.0, None, 400)]),
        ended(network_point("0.25"), Status.OUT_OF_MEMORY),
        ended(network_point("0.5"), Status.OUT_OF_MEMORY),
        row(network_point("0.75"), measured(70.0, 0.9, peak=None)),
    ]
    info = front_info(frame_of(tmp_path, rows), "latency", "memory")
    assert [(left.count, left.reason) for left in info.left_out] == [
        (2, "status out_of_memory"),
        (1, "peak_memory_allocator_bytes absent"),
    ]
    assert str(info.left_out[1]).startswith("left out: 1 row (peak")
    assert len(info.fronts[0].points) == 1


def test_an_empty_store_has_no_front(tmp_path: Path) -> None:
    """No rows, no fronts, no error."""
    Store.create(tmp_path)
    info = front_info(load_frame(tmp_path), "latency", "macs")
    assert (info.fronts, info.left_out, info.split_by) == ((), (), ())


def test_accuracies_are_never_mixed_and_a_row_stands_on_a_front_for_each(tmp_path: Path) -> None:
    """One front a data set and source family; without an accuracy a row has no place."""
    frame = frame_of(tmp_path, resnet_rows([("0", 80.0, None, 400), ("0.5", 60.0, 0.75, 200)]))
    frame = pd.concat([frame, frame.iloc[[1]], frame.iloc[[1]]], ignore_index=True)
    frame["top1_percent"] = [77.0, 77.5, 76.0, float("nan")]
    frame["dataset"] = ["a", "a", "a", None]
    frame["accuracy_family"] = ["one", "one", "two", None]
    info = front_info(frame, "latency", "top1")
    assert info.split_by == ("accuracy_family",)
    assert [front.given["accuracy_family"] for front in info.fronts] == ["one", "two"]
    assert [[(p.x, p.y, p.on_front) for p in front.points] for front in info.fronts] == [
        [(60.0, 77.5, True), (80.0, 77.0, False)],
        [(60.0, 76.0, True)],
    ]
    assert [str(left) for left in info.left_out] == ["left out: 1 row (top1_percent absent)"]
    assert [record["accuracy_family"] for record in front_records(info)] == ["one", "one", "two"]


def test_rows_without_a_column_of_accuracies_are_left_out(tmp_path: Path) -> None:
    """A frame to which none was joined has no front over them."""
    frame = frame_of(tmp_path, resnet_rows([("0", 80.0, None, 400)]))
    assert [left.reason for left in front_info(frame, "latency", "top1").left_out] == ["top1_percent absent"]


def test_infinite_figures_have_no_place(tmp_path: Path) -> None:
    """They are told apart from absent ones, and counted with them where both are."""
    frame = frame_of(tmp_path, resnet_rows([("0", 80.0, None, 400), ("0.5", 60.0, 0.75, 200)]))
    frame["throughput"] = [float("inf"), float("nan")]
    frame.loc[0, "macs"] = pd.NA
    reasons = [left.reason for left in front_info(frame, "throughput", "macs").left_out]
    assert reasons == ["macs absent, throughput infinite", "throughput absent"]


def test_three_objectives(tmp_path: Path) -> None:
    """What two do not tell apart the third does."""
    rows = [
        row(network_point(alpha), measured(time, None, macs=400, peak=peak))
        for alpha, time, peak in (("0", 80.0, 10), ("0.25", 90.0, 5), ("0.5", 90.0, 20))
    ]
    info = front_info(frame_of(tmp_path, rows), "latency", "macs", "memory")
    assert [(point.values, point.on_front) for point in info.fronts[0].points] == [
        ((80.0, 400, 10), True),
        ((90.0, 400, 5), True),
        ((90.0, 400, 20), False),
    ]


@pytest.mark.parametrize("names", [("latency",), ("latency", "latency_ms_median"), ("latency",) * 4, ()])
def test_a_front_is_over_two_or_three_objectives(tmp_path: Path, names: tuple[str, ...]) -> None:
    """The same under two names is one."""
    with pytest.raises(UsageError, match="two or three objectives, each named once"):
        front_info(frame_of(tmp_path, resnet_rows([("0", 80.0, None, 400)])), *names)


def test_hypervolume_reaches_to_the_worst_of_the_fronts_own_rows(tmp_path: Path) -> None:
    """The dominated included; another reference may be given, in the objectives' units."""
    rows = resnet_rows([("0", 80.0, None, 400), ("0.25", 84.0, 1.05, 300), ("0.5", 60.0, 0.75, 200)])
    frame = frame_of(tmp_path, rows)
    (front,) = front_info(frame, "latency", "macs").fronts
    assert (front.hypervolume.value, front.hypervolume.reference) == (24.0 * 200, (84.0, 400.0))
    (front,) = front_info(frame, "latency", "macs", reference={"macs": 300, "latency": 61.0}).fronts
    assert front.hypervolume.value == 100.0
    (front,) = front_info(frame, "throughput", "macs").fronts
    best, worst = front.points[0].x, front.points[-1].x
    assert front.hypervolume.reference == (worst, 400.0)
    assert front.hypervolume.value == pytest.approx((best - worst) * 200)


def test_a_front_of_vanilla_alone_has_no_hypervolume(tmp_path: Path) -> None:
    """It is on the front, and its own reference."""
    (front,) = front_info(frame_of(tmp_path, resnet_rows([("0", 80.0, None, 400)])), "latency", "macs").fronts
    assert front.standings == (Standing.ON_FRONT,)
    assert front.hypervolume.value == 0


@pytest.mark.parametrize("reference", [{"latency": 1.0}, {"latency": 1.0, "memory": 1.0}])
def test_a_reference_is_of_all_objectives_and_no_other(tmp_path: Path, reference: dict[str, float]) -> None:
    """Half a reference would be a guess."""
    with pytest.raises(
        UsageError, match="a value for each objective of the front and no other: latency, macs"
    ):
        front_info(
            frame_of(tmp_path, resnet_rows([("0", 80.0, None, 4)])), "latency", "macs", reference=reference
        )


def test_whole_rows_are_fetched_of_shown_points_only(tmp_path: Path) -> None:
    """Judging takes few columns; the labels are those of the frame."""
    rows = resnet_rows([("0", 80.0, None, 400), ("0.25", 84.0, 1.05, 300), ("0.5", 60.0, 0.75, 200)])
    whole = frame_of(tmp_path, rows).set_index(pd.Index([7, 8, 9]))
    asked = []

    def fetch(labels: Places) -> pd.DataFrame:
        asked.append(labels.tolist())
        return whole.loc[labels]

    few = whole[["status", "batch", "latency_ms_median", "macs"]]
    info = front_info(few, "latency", "macs", fetch=fetch)
    ((front, points),) = info.drawn(leading=True)
    assert asked == [[9]]
    assert [point.record["alpha"] for point in points] == [0.5]
    assert front.counts == {"on_front": 1, "within_noise": 0, "dominated": 2, "infeasible": 0}
    assert [point.record["alpha"] for point in front.points] == [0.5, 0.0, 0.25]


@pytest.mark.parametrize(("name", "column"), [("latency", "latency_ms_median"), ("latency_ms_median",) * 2])
def test_short_names_and_columns_name_the_same(name: str, column: str) -> None:
    """Either spelling is understood."""
    assert objective(name).column == column


def test_every_objective_is_a_column_of_the_row() -> None:
    """The table cannot drift from the schemas, and no name is taken twice."""
    columns = Row.__dataclass_fields__ | Accuracy.__dataclass_fields__
    assert all(known.column in columns for known in OBJECTIVES)
    assert all(
        name in columns for known in OBJECTIVES if known.interval for name in (*known.interval, known.count)
    )
    assert len({known.name for known in OBJECTIVES}) == len(OBJECTIVES)
    assert objective("latency").unit == "ms/call"
    assert (objective("top1").unit, objective("delta_top1").unit) == ("%", "% points")
    assert [known.name for known in OBJECTIVES if known.is_accuracy] == ["top1", "top5", "delta_top1"]
    assert all(known.cost(1.0) == -1.0 for known in OBJECTIVES if known.is_accuracy)


def test_an_unknown_objective_is_answered_with_the_nearest(tmp_path: Path) -> None:
    """The message gives what was written, the nearest, and all choices."""
    Store.create(tmp_path)
    with pytest.raises(UsageError) as caught:
        front_info(load_frame(tmp_path), "latancy", "macs")
    assert str(caught.value).startswith(
        "'latancy' cannot stand on an axis of the front. Did you mean latency? Choose from: latency, period, "
    )


def test_front_records_are_plain(tmp_path: Path) -> None:
    """One object a point: axes, figures by column, intervals, flag, doubts."""
    rows = resnet_rows([("0", 80.0, None, 400), ("0.5", 84.0, 1.05, 200)])
    found = front_records(front_info(frame_of(tmp_path, rows), "latency", "macs"))
    json.dumps(found, allow_nan=False)
    assert [(item["alpha"], item["latency_ms_median"], item["macs"], item["on_front"]) for item in found] == [
        (0.0, 80.0, 400, True),
        (0.5, 84.0, 200, True),
    ]
    assert found[1]["latency_samples"] == 41
    assert (found[1]["verdict"], found[1]["doubts"], found[1]["network"]) == ("SLOWER", [], "resnet50")


def test_a_row_beside_several_accuracies_is_left_out_once(tmp_path: Path) -> None:
    """It would have been one point a family."""
    rows = [
        ended(network_point("0.5"), Status.CRASHED),
        row(network_point("0.25"), measured(70.0)),
        row(network_point("0"), Measurement(status=Status.MEASURED)),
    ]
    frame = with_accuracies(frame_of(tmp_path, rows), published_accuracies())
    found = front_info(frame, "latency", "top1")
    assert sorted(map(str, found.left_out)) == [
        "left out: 1 row (latency_ms_median absent)",
        "left out: 1 row (status crashed)",
    ]
