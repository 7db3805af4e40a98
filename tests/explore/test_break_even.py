"""From which alpha and batch on OctConv pays, and which share of the MACs saving became time."""

import itertools
import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes_store import (
    OTHER_ENVIRONMENT,
    ended,
    layer_point,
    measured,
    network_point,
    resnet_rows,
    row,
)
from octprobe.explore.break_even import BreakEven, SlowerAgain, break_even, realised_saving, without_order
from octprobe.explore.fastest import Estimate
from octprobe.explore.saving.batches import across_batches
from octprobe.explore.saving.record import break_even_records
from octprobe.plan.point import DesignPoint, NetworkSubject
from octprobe.plan.variant import Variant
from octprobe.store.query import load_frame
from octprobe.store.records import Status
from octprobe.store.row import Row
from octprobe.store.schema import SCHEMA
from octprobe.store.store import Store

OLD_STORE = Path(__file__).parents[1] / "store/version_1.parquet"
TIMES = [
    ("0", 80.0, None, 400),
    ("0.25", 84.0, 1.05, 300),
    ("0.5", 60.0, 0.75, 200),
    ("0.75", 64.0, 0.8, 100),
]


def frame_of(path: Path, rows: Sequence[Row]) -> pd.DataFrame:
    """Write rows to a new store and load them."""
    store = Store.create(path)
    if rows:
        store.append(rows)
    return load_frame(path)


def found_in(path: Path, rows: Sequence[Row]) -> list[BreakEven]:
    """Write rows to a new store and find its break-evens."""
    return break_even(frame_of(path, rows))


def test_the_smallest_alpha_that_is_faster_and_every_alphas_realised_saving(tmp_path: Path) -> None:
    """A quarter of the MACs saved and time lost; half saved, half of it won; then less again."""
    (finding,) = found_in(tmp_path, resnet_rows(TIMES))
    assert finding.smallest is finding.alphas[1]
    assert [each.alpha for each in finding.alphas] == ["0.25", "0.5", "0.75"]
    assert [each.macs_share for each in finding.alphas] == [0.75, 0.5, 0.25]
    realised = [each.realised_saving for each in finding.alphas]
    assert [each.median for each in realised if each] == pytest.approx([-0.2, 0.5, 0.2 / 0.75])
    assert [each.missing for each in finding.alphas] == [None, None, None]
    assert (finding.reason, finding.lost_at) == (None, ())
    assert finding.slower_again == (SlowerAgain("0.75", "0.5"),)


def test_the_interval_is_the_ratios_turned_round() -> None:
    """The faster end of the time is the larger saving."""
    found, missing = realised_saving(Estimate(0.8, 0.7, 0.9, 40), 0.6)
    assert found
    assert missing is None
    assert (found.low, found.median, found.high) == pytest.approx((0.25, 0.5, 0.75))
    assert found.count == 40


@given(
    st.lists(st.floats(0.1, 3), min_size=3, max_size=3).map(sorted),
    st.floats(0.01, 0.99),
)
def test_the_interval_holds_the_median_and_is_the_image_of_the_ratios(
    ends: list[float], share: float
) -> None:
    """Against the formula at each end."""
    found, _ = realised_saving(Estimate(ends[1], ends[0], ends[2], 30), share)
    assert found
    assert found.low is not None
    assert found.high is not None
    assert found.low <= found.median <= found.high
    assert {found.low, found.high} == {(1 - end) / (1 - share) for end in (ends[0], ends[2])}


@pytest.mark.parametrize(
    ("ratio", "share", "missing"),
    [
        (None, 0.5, "no time ratio to vanilla"),
        (Estimate(0.9, 0.8, 1.0, 40), None, "MACs of it or of vanilla are not counted"),
        (Estimate(0.9, 0.8, 1.0, 40), 1.0, "no MACs saved"),
        (Estimate(0.9, 0.8, 1.0, 40), 1.2, "no MACs saved"),
    ],
)
def test_what_has_no_realised_saving_says_why(
    ratio: Estimate | None, share: float | None, missing: str
) -> None:
    """Never a division by nothing."""
    assert realised_saving(ratio, share) == (None, missing)


def test_few_pairs_have_a_realised_saving_without_an_interval() -> None:
    """The median stands alone, with the reason."""
    assert realised_saving(Estimate(0.75, None, None, 5), 0.5) == (
        Estimate(0.5, None, None, 5),
        "too few pairs for an interval",
    )


def test_none_that_is_faster_is_said_with_the_verdicts_and_the_reasons(tmp_path: Path) -> None:
    """What the breakdown shows stands beside each alpha."""
    rows = resnet_rows([("0", 80.0, None, 400), ("0.25", 84.0, 1.05, 300), ("0.5", 80.0, 1.0, 200)])
    (finding,) = found_in(tmp_path, rows)
    assert finding.smallest is None
    assert finding.reason == "no alpha is FASTER than vanilla (SAME, SLOWER)"
    assert all(any("reads and writes" in text for text in each.reasons) for each in finding.alphas)


def test_an_alpha_that_is_no_longer_faster_is_named(tmp_path: Path) -> None:
    """Nothing says that more alpha is faster."""
    rows = resnet_rows([*TIMES, ("1", 90.0, 1.1, 80), ("0.125", 79.9, 1.0, 350)])
    (finding,) = found_in(tmp_path, rows)
    assert finding.smallest
    assert (finding.smallest.alpha, finding.lost_at) == ("0.5", ("1",))
    assert finding.slower_again == (
        SlowerAgain("0.25", "0.125"),
        SlowerAgain("0.75", "0.5"),
        SlowerAgain("1", "0.5"),
    )


def test_failures_keep_their_place_with_their_status(tmp_path: Path) -> None:
    """An alpha that did not run is neither faster nor forgotten."""
    rows = [*resnet_rows([("0", 80.0, None, 400)]), ended(network_point("0.5"), Status.OUT_OF_MEMORY)]
    (finding,) = found_in(tmp_path, rows)
    (each,) = finding.alphas
    assert (each.time_ratio, each.realised_saving, each.missing) == (None, None, "status out_of_memory")
    assert finding.reason == "no alpha has a time ratio (status out_of_memory)"


def test_without_a_vanilla_row_there_is_time_and_no_saving(tmp_path: Path) -> None:
    """The pairs know vanilla's time; its MACs are not there."""
    (finding,) = found_in(tmp_path, [row(network_point("0.5"), measured(60.0, 0.75))])
    (each,) = finding.alphas
    assert finding.smallest is each
    assert (each.macs_share, each.missing, each.reasons) == (
        None,
        "MACs of it or of vanilla are not counted",
        (),
    )


def test_each_form_condition_and_environment_stands_alone(tmp_path: Path) -> None:
    """Batch, memory format, execution and environment are never mixed."""
    cases = [
        {"batch": batch, "memory_format": memory, "execution": execution}
        for batch, memory, execution in itertools.product(
            (1, 8), ("contiguous", "channels_last"), ("eager", "compiled")
        )
    ]
    rows = [each for case in cases for each in resnet_rows(TIMES, **case)]
    elsewhere = [row(network_point("0.5"), measured(60.0, 0.9), OTHER_ENVIRONMENT)]
    assert len(found_in(tmp_path, [*rows, *elsewhere])) == 9


def test_each_variant_is_a_line_of_its_own(tmp_path: Path) -> None:
    """Another exchange is another function, and vanilla is shared."""
    rows = [
        *resnet_rows([("0", 80.0, None, 400), ("0.5", 84.0, 1.05, 200)]),
        row(network_point("0.5", variant=Variant(exchange="none")), measured(40.0, 0.5, macs=100)),
    ]
    found = found_in(tmp_path, rows)
    assert {(each.variant, each.smallest.alpha if each.smallest else None) for each in found} == {
        ("", None),
        ("exchange none", "0.5"),
    }


def test_layers_that_enter_or_leave_octave_are_lines_of_their_own(tmp_path: Path) -> None:
    """0->0.5 is no smaller alpha than 0.5; within octave the larger of both orders."""
    rows = [
        row(layer_point(low_in, low_out), measured(2.0, None if low_in == low_out == "0" else 0.9))
        for low_in, low_out in itertools.product(("0", "0.25", "0.5"), repeat=2)
    ]
    found = found_in(tmp_path, rows)
    assert {each.subject.partition(", ")[2]: [a.alpha for a in each.alphas] for each in found} == {
        "": ["0.25", "0.25->0.5", "0.5->0.25", "0.5"],
        "entering octave": ["0->0.25", "0->0.5"],
        "leaving octave": ["0.25->0", "0.5->0"],
    }


def test_alpha_maps_have_no_order_and_are_counted(tmp_path: Path) -> None:
    """They are on no line."""
    alpha_map = NetworkSubject(network="resnet50", alpha=(("layer1", Decimal("0.5")),))
    frame = frame_of(
        tmp_path, [*resnet_rows(TIMES), row(DesignPoint(subject=alpha_map), measured(50.0, 0.6))]
    )
    (finding,) = break_even(frame)
    assert len(finding.alphas) == 3
    assert without_order(frame) == 1


@pytest.mark.parametrize("rows", [[], resnet_rows([("0", 80.0, None, 400)])])
def test_no_octave_row_is_no_finding(tmp_path: Path, rows: list[Row]) -> None:
    """An empty store, and vanilla alone."""
    assert found_in(tmp_path, rows) == []


@pytest.mark.parametrize("name", sorted(set(SCHEMA.names) - {"point_id", "group_id", "env_id"}))
def test_a_null_in_any_column_is_no_crash(tmp_path: Path, name: str) -> None:
    """What a store does not hold is null in the record, too."""
    frame = frame_of(tmp_path, [*resnet_rows(TIMES), *resnet_rows(TIMES, batch=8)])
    found = break_even(frame.assign(**{name: None}))
    told = break_even_records(found, across_batches(found))
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    groups = 0 if name == "alpha" else 1 if name == "batch" else 2
    assert len({finding.conditions["batch"] for finding in found}) == groups


def test_a_part_of_an_older_schema_is_read(tmp_path: Path) -> None:
    """Version 1 has fewer columns."""
    Store.create(tmp_path)
    (tmp_path / "parts/old.parquet").write_bytes(OLD_STORE.read_bytes())
    frame = load_frame(tmp_path)
    told = break_even_records(found := break_even(frame), across_batches(found))
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert {finding.conditions["env_id"] for finding in found} <= set(frame["env_id"])
    assert found


@pytest.mark.parametrize(
    ("ratios", "pays_from", "sentence"),
    [
        ({1: 1.1, 4: 0.9, 8: 0.8}, 4, "pays from batch 4 on"),
        ({1: 0.9, 4: 0.9}, 1, "pays at every batch measured (1, 4)"),
        ({1: 1.1, 4: 1.1}, None, "no alpha is FASTER at any batch measured (1, 4)"),
        ({1: 0.9, 4: 1.1, 8: 0.8}, 8, "pays at batch 1, 8, not at 4"),
        ({1: 0.9, 4: 1.1}, None, "pays at batch 1, not at 4"),
    ],
)
def test_the_batch_from_which_on_it_pays(
    tmp_path: Path, ratios: dict[int, float], pays_from: int | None, sentence: str
) -> None:
    """Every batch from there on, not the first that happens to."""
    rows = [
        each
        for batch, ratio in ratios.items()
        for each in resnet_rows([("0", 80.0, None, 400), ("0.5", 80.0, ratio, 200)], batch=batch)
    ]
    (found,) = across_batches(found_in(tmp_path, rows))
    assert found.smallest == {batch: "0.5" if ratio < 0.95 else None for batch, ratio in ratios.items()}
    assert (found.pays_from, found.sentence()) == (pays_from, sentence)


def test_one_batch_is_no_comparison_of_batches(tmp_path: Path) -> None:
    """Nor are two resolutions."""
    rows = [*resnet_rows(TIMES), *resnet_rows(TIMES, resolution=160)]
    assert across_batches(found_in(tmp_path, rows)) == []


def test_the_record_is_plain(tmp_path: Path) -> None:
    """Alphas as figures and as labels, reasons and missing figures as text."""
    found = found_in(tmp_path, [*resnet_rows(TIMES), *resnet_rows(TIMES[:2], batch=8)])
    record = break_even_records(found, across_batches(found))
    first, second = record["break_even"]
    assert (first["label"], first["batch"], first["smallest"]["alpha"]) == ("resnet50", 1, 0.5)
    assert first["slower_again"] == [{"alpha": "0.75", "than": "0.5"}]
    entry: dict[str, Any] = first["alphas"][1]
    assert (entry["label"], entry["verdict"], entry["macs_ratio"], entry["pairs"]) == (
        "0.5",
        "FASTER",
        0.5,
        41,
    )
    assert entry["realised_saving_median"] == pytest.approx(0.5)
    assert entry["realised_saving_ci_low"] < 0.5 < entry["realised_saving_ci_high"]
    assert (second["smallest"], second["reason"]) == (None, "no alpha is FASTER than vanilla (SLOWER)")
    (batches,) = record["batches"]
    assert "batch" not in batches
    assert batches["batches"] == [{"batch": 1, "smallest": "0.5"}, {"batch": 8, "smallest": None}]
    assert batches["pays_from_batch"] is None
