"""Frames: one row a point and environment, integers that stay integers, absence that stays absence."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import octprobe
from fakes_store import ENVIRONMENT, OTHER_ENVIRONMENT, ended, layer_point, measured, network_point, row
from octprobe.errors import StoreError
from octprobe.store.query import load_attempts, load_frame, load_readable, plain, records
from octprobe.store.records import Doubt, Status
from octprobe.store.schema import SCHEMA
from octprobe.store.store import Store


def test_columns_are_the_schemas_with_point_id_first(tmp_path: Path) -> None:
    """The public promise of `octprobe.load`."""
    Store.create(tmp_path).append([row(network_point("0.5"), measured(80.0, 0.9))])
    frame = octprobe.load(tmp_path)
    assert frame.columns[0] == "point_id"
    assert list(frame.columns) == SCHEMA.names


def test_an_empty_store_has_all_columns_with_their_types(tmp_path: Path) -> None:
    """No rows is no error."""
    Store.create(tmp_path)
    frame = load_frame(tmp_path)
    assert len(frame) == 0
    assert list(frame.columns) == SCHEMA.names
    assert frame["macs"].dtype == pd.Int64Dtype()


def test_types_survive_gaps(tmp_path: Path) -> None:
    """A failed point beside a measured one turns no count into a float."""
    rows = [row(network_point("0.5"), measured(80.0, 0.9)), ended(network_point("0.25"), Status.FAILED)]
    Store.create(tmp_path).append(rows)
    frame = load_frame(tmp_path)
    assert frame["macs"].dtype == pd.Int64Dtype()
    assert frame["host_bound"].dtype == pd.BooleanDtype()
    assert isinstance(frame["network"].dtype, pd.StringDtype)
    assert frame["latency_ms_median"].dtype == np.float64
    assert str(frame["recorded_at"].dtype) == "datetime64[us, UTC]"
    assert frame["macs"].tolist()[0] == 4_089_184_256
    assert frame["macs"].isna().tolist() == [False, True]
    assert frame["latency_ms_median"].isna().tolist() == [False, True]


def test_lists_are_tuples(tmp_path: Path) -> None:
    """Doubts can be tested for truth; samples are what was measured."""
    doubted = row(network_point("0.5"), measured(80.0, 0.9, doubts=(Doubt.UNSTABLE,)))
    failed = ended(network_point("0"), Status.FAILED)
    Store.create(tmp_path).append([doubted, failed])
    frame = load_frame(tmp_path)
    assert frame["doubts"].tolist() == [("unstable",), ()]
    assert frame["latency_ms_samples"].tolist() == [doubted.latency_ms_samples, None]


def test_a_breakdown_comes_back_as_plain_records(tmp_path: Path) -> None:
    """Parts and operators survive parquet and JSON with their names; absent stays absent."""
    store = Store.create(tmp_path)
    store.append([row(network_point("0.5"), measured(80.0, 0.9))])
    parts = load_frame(tmp_path).loc[0, "breakdown_parts"]
    assert parts[0] == {"layer": "layer1.0.conv1", "path": "h2h", "time_ms": 7.2, "kernels": None}
    assert records(load_frame(tmp_path))[0]["breakdown_operators"] == [
        {"name": "aten::conv2d", "time_ms": 72.0, "kernels": None, "calls": 53.0}
    ]


def test_only_the_last_attempt_is_seen_and_all_are_kept(tmp_path: Path) -> None:
    """Retries append; readers see the last, whatever the order of the parts."""
    store = Store.create(tmp_path)
    point = network_point("0.5")
    store.append([row(point, measured(70.0), attempt=2, minutes=1)])
    store.append([ended(point, Status.CRASHED, minutes=5), row(network_point("0"), measured(80.0))])
    frame = load_frame(tmp_path)
    assert frame[["point_id", "attempt", "status"]].values.tolist() == [
        [point.point_id, 2, "measured"],
        [network_point("0").point_id, 1, "measured"],
    ]
    assert len(load_attempts(tmp_path)) == 3


def test_the_same_point_in_two_environments_is_two_rows(tmp_path: Path) -> None:
    """Figures of two machines are never merged."""
    point = network_point("0.5")
    rows = [row(point, measured(80.0), ENVIRONMENT), row(point, measured(60.0), OTHER_ENVIRONMENT)]
    Store.create(tmp_path).append(rows)
    assert load_frame(tmp_path)["latency_ms_median"].tolist() == [80.0, 60.0]


def test_damage_stops_load_and_is_named_by_load_readable(tmp_path: Path) -> None:
    """The library never drops rows silently; a command may show the rest with a warning."""
    store = Store.create(tmp_path)
    store.append([row(network_point("0.5"), measured(80.0))])
    torn = store.append([row(network_point("0"), measured(80.0), minutes=1)])
    torn.write_bytes(b"torn")
    with pytest.raises(StoreError, match="is damaged"):
        load_frame(tmp_path)
    with pytest.raises(StoreError, match="is damaged"):
        load_attempts(tmp_path)
    loaded = load_readable(tmp_path)
    assert len(loaded.frame) == 1
    assert [damage.path for damage in loaded.damaged] == [torn]


def test_no_store_is_a_store_error(tmp_path: Path) -> None:
    """The message says how a store comes into being."""
    with pytest.raises(StoreError, match="no such folder"):
        octprobe.load(tmp_path / "nowhere")


def test_records_are_valid_json_with_null_for_absent(tmp_path: Path) -> None:
    """No NaN, no pandas scalar: a strict JSON parser reads every row."""
    rows = [row(network_point("0.5"), measured(80.0, 0.9)), ended(layer_point("0", "0.5"), Status.FAILED)]
    Store.create(tmp_path).append(rows)
    text = json.dumps(records(load_frame(tmp_path)), allow_nan=False)
    first, second = json.loads(text)
    assert list(first) == SCHEMA.names
    assert (first["macs"], first["deterministic"], first["recorded_at"]) == (
        4_089_184_256,
        False,
        "2026-01-02T12:00:00+00:00",
    )
    assert first["latency_ms_samples"] == list(rows[0].latency_ms_samples or ())
    assert (second["macs"], second["latency_ms_median"], second["network"]) == (None, None, None)
    assert (second["doubts"], second["pair_ratios"]) == ([], None)


@pytest.mark.parametrize("value", [None, pd.NA, pd.NaT, float("nan"), float("inf"), np.float64("nan")])
def test_plain_has_one_absence(value: object) -> None:
    """Every kind of missing or infinite value becomes None."""
    assert plain(value) is None
