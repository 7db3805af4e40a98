"""The front against its definition, point by point; what may not be compared is never mixed."""

import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

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
from octprobe.explore.front import front_info, front_records, undominated
from octprobe.explore.objectives import OBJECTIVES, Direction, Objective, objective
from octprobe.plan.variant import Variant
from octprobe.store.query import load_frame
from octprobe.store.records import Status
from octprobe.store.row import Row
from octprobe.store.store import Store


def frame_of(tmp_path: Path, rows: Sequence[Row]) -> pd.DataFrame:
    """Take rows through a store, as a user's rows go."""
    Store.create(tmp_path).append(rows)
    return load_frame(tmp_path)


def by_definition(costs: list[tuple[float, float]]) -> list[bool]:
    """Compare every pair with every other."""
    return [not any(a <= x and b <= y and (a < x or b < y) for a, b in costs) for x, y in costs]


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=40))
def test_undominated_is_the_definition(costs: list[tuple[float, float]]) -> None:
    """A small grid makes ties and duplicates common."""
    assert undominated(costs) == by_definition(costs)


@given(st.lists(st.tuples(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9)), max_size=30))
def test_undominated_holds_for_any_numbers(costs: list[tuple[float, float]]) -> None:
    """Signed zeros and tiny differences included."""
    assert undominated(costs) == by_definition(costs)


@pytest.mark.parametrize(
    ("costs", "flags"),
    [
        ([], []),
        ([(1, 1)], [True]),
        ([(1, 1), (1, 1)], [True, True]),
        ([(1, 2), (1, 1)], [False, True]),
        ([(2, 1), (1, 1)], [False, True]),
        ([(1, 2), (2, 1), (2, 2)], [True, True, False]),
        ([(2, 2), (2, 2), (1, 1)], [False, False, True]),
    ],
)
def test_ties_and_duplicates(costs: list[tuple[float, float]], flags: list[bool]) -> None:
    """Equal points share their fate; a tie on one objective is decided by the other."""
    assert undominated(costs) == flags


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


def test_an_objective_to_maximise_is_turned_round() -> None:
    """Larger is better: its cost falls as it grows."""
    top = Objective("top1", "top1", Direction.MAXIMIZE)
    assert undominated([(1.0, top.cost(70.0)), (1.0, top.cost(75.0))]) == [False, True]


@pytest.mark.parametrize(("name", "column"), [("latency", "latency_ms_median"), ("latency_ms_median",) * 2])
def test_short_names_and_columns_name_the_same(name: str, column: str) -> None:
    """Either spelling is understood."""
    assert objective(name).column == column


def test_every_objective_is_a_column_of_the_row() -> None:
    """The table cannot drift from the schema, and no name is taken twice."""
    columns = Row.__dataclass_fields__
    assert all(known.column in columns for known in OBJECTIVES)
    assert all(
        name in columns for known in OBJECTIVES if known.interval for name in (*known.interval, known.count)
    )
    assert len({known.name for known in OBJECTIVES}) == len(OBJECTIVES)
    assert objective("latency").unit == "ms/call"


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
