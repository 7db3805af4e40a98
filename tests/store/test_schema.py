"""The schema is the `Row` dataclass, versioned, and old or foreign parts are met with care."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from fakes_store import ended, layer_point, measured, network_point, row
from octprobe.errors import StoreError
from octprobe.plan.point import DesignPoint, NetworkSubject
from octprobe.store import schema
from octprobe.store.records import OperatorTime, PartTime, Status
from octprobe.store.row import Row
from octprobe.store.schema import SCHEMA, UnreadablePartError, columns_markdown, current, table_of, version_of

COLUMNS_PAGE = Path(__file__).parents[2] / "docs" / "columns.md"


def test_schema_has_the_columns_of_row_in_order() -> None:
    """Nothing is declared twice: names and order come from the dataclass."""
    assert SCHEMA.names == [declared.name for declared in fields(Row)]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("point_id", pa.string()),
        ("macs", pa.int64()),
        ("alpha", pa.float64()),
        ("host_bound", pa.bool_()),
        ("recorded_at", pa.timestamp("us", tz="UTC")),
        ("latency_ms_samples", pa.list_(pa.float64())),
        ("doubts", pa.list_(pa.string())),
    ],
)
def test_types_are_explicit(name: str, kind: pa.DataType) -> None:
    """Each Python type has one Arrow type."""
    assert SCHEMA.field(name).type == kind


def test_only_identity_and_outcome_are_required() -> None:
    """Everything that may be absent is nullable."""
    required = [column.name for column in SCHEMA if not column.nullable]
    assert required == ["point_id", "group_id", "env_id", "status", "attempt", "recorded_at"]


def test_a_row_survives_the_table() -> None:
    """What goes in comes out, lists, nulls, zone and all."""
    written = row(network_point("0.5"), measured(80.0, 0.9), minutes=3)
    read = table_of([written]).to_pylist()[0]
    lists = {name: tuple(value) for name, value in read.items() if isinstance(value, list)}
    lists["breakdown_parts"] = tuple(PartTime(**part) for part in read["breakdown_parts"])
    lists["breakdown_operators"] = tuple(OperatorTime(**o) for o in read["breakdown_operators"])
    assert Row(**(read | lists)) == written


def test_absent_is_null_and_nan_becomes_null() -> None:
    """No NaN is ever stored, and no null turns into a number."""
    odd = replace(ended(network_point("0.5"), Status.FAILED), alpha=float("nan"))
    read = table_of([odd]).to_pylist()[0]
    assert read["alpha"] is None
    assert read["macs"] is None
    assert read["latency_ms_samples"] is None


def test_times_are_stored_in_utc() -> None:
    """A time of another zone is the same moment afterwards."""
    there = datetime(2026, 1, 2, 15, 0, tzinfo=timezone(timedelta(hours=3)))
    stored = table_of([replace(ended(network_point("0"), Status.FAILED), recorded_at=there)])
    assert stored["recorded_at"][0].as_py() == datetime(2026, 1, 2, 12, 0, tzinfo=UTC)


def test_a_time_without_zone_is_refused() -> None:
    """A naive time would silently be taken for UTC."""
    naive = replace(ended(network_point("0"), Status.FAILED), recorded_at=datetime(2026, 1, 2))
    with pytest.raises(ValueError, match="time zone"):
        table_of([naive])


def test_undecodable_output_is_stored_with_marks() -> None:
    """Lone surrogates of a worker's log do not stop the row."""
    odd = replace(ended(network_point("0"), Status.CRASHED), log_tail="segfault \udcff!")
    assert table_of([odd])["log_tail"][0].as_py() == "segfault ?!"


def test_a_part_of_an_older_version_gets_new_columns_as_null(monkeypatch: pytest.MonkeyPatch) -> None:
    """Columns added since are null, and a migration runs where one is declared."""
    old = table_of([ended(network_point("0"), Status.FAILED)]).drop_columns(["reason"])
    old = old.rename_columns(["old_sweep" if name == "sweep" else name for name in old.column_names])
    monkeypatch.setattr(schema, "SCHEMA_VERSION", 4)
    renamed = {2: lambda table: table.append_column("sweep", table.column("old_sweep"))}
    monkeypatch.setattr(schema, "MIGRATIONS", renamed)
    read = current(old, 1, ["reason", "sweep"]).to_pylist()
    assert read == [{"reason": None, "sweep": "quickstart"}]


def test_networks_of_version_2_get_the_extent_that_all_had() -> None:
    """So their rows stay those of the same points; vanilla, alpha maps and layers have none."""
    stages = NetworkSubject(network="resnet50", alpha=(("layer1", Decimal("0.5")),))
    points = [network_point("0"), network_point("0.5"), DesignPoint(subject=stages), layer_point("0", "0.5")]
    rows = [ended(point, Status.FAILED) for point in points]
    extent = ["octave_kernels", "return_at"]
    version_2 = table_of(rows).drop_columns([*extent, "octave_exits"])
    read = current(version_2, 2, ["point_id", *extent, "exchange", "octave_exits"]).to_pylist()
    assert [tuple(found.values()) for found in read] == [
        (rows[0].point_id, None, None, None, None),
        (rows[1].point_id, "all", "policy", "both", None),
        (rows[2].point_id, None, None, "both", None),
        (rows[3].point_id, None, None, "both", None),
    ]
    assert [(row.octave_kernels, row.return_at) for row in rows] == [
        (found["octave_kernels"], found["return_at"]) for found in read
    ]


def test_a_damaged_part_of_version_2_is_named() -> None:
    """What a migration cannot read is a damaged part, not a crash."""
    with pytest.raises(UnreadablePartError, match="half"):
        current(pa.table({"alpha": ["half"]}), 2, ["alpha", "return_at"])


def test_a_newer_part_is_refused_naming_both_versions() -> None:
    """Half of a row from the future would be worse than none."""
    with pytest.raises(StoreError) as caught:
        schema.refuse_newer(7, "results/x/parts/a.parquet")
    assert str(caught.value) == (
        "results/x/parts/a.parquet has schema version 7; this octprobe reads up to 3. "
        "Upgrade octprobe, or give another --store."
    )


@pytest.mark.parametrize("metadata", [None, {b"octprobe_schema": b"one"}, {b"octprobe_schema": b"9" * 40}])
def test_a_file_without_a_version_is_not_ours(metadata: dict[bytes, bytes] | None) -> None:
    """A parquet file of another program is named, not guessed at."""
    with pytest.raises(UnreadablePartError, match="octprobe did not write it"):
        version_of(pa.schema([], metadata=metadata))


def test_a_required_value_that_is_null_is_refused() -> None:
    """A row without identity belongs to no point."""
    whole = table_of([ended(network_point("0"), Status.FAILED)])
    with pytest.raises(UnreadablePartError, match="point_id"):
        current(whole.drop_columns(["point_id"]), 1, ["point_id", "status"])


def test_a_column_of_another_type_is_refused() -> None:
    """Text where a number belongs is a damaged part, not a crash."""
    forged = pa.table({"macs": ["many"]})
    with pytest.raises(UnreadablePartError, match="many"):
        current(forged, 1, ["macs"])


def test_the_columns_page_is_current() -> None:
    """docs/columns.md is what `python -m octprobe.store.schema` prints."""
    assert COLUMNS_PAGE.read_text() == columns_markdown()


def test_the_columns_page_has_a_line_for_every_column() -> None:
    """Unit and source stand beside the meaning."""
    page = columns_markdown()
    assert all(f"\n| `{name}` |" in page for name in SCHEMA.names)
    assert (
        "| `latency_ms_median` | float64 | ms/call | measured | median time of a synchronized call |" in page
    )
