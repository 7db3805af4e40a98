"""SQL over a store: right answers, clear faults, and nothing reached beside the views."""

import os
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fakes_store import OTHER_ENVIRONMENT, ended, measured, network_point, resnet_rows, row
from octprobe.errors import StoreError, UsageError
from octprobe.facts.published import published_accuracies
from octprobe.store import sql
from octprobe.store.latest import read_last_attempts
from octprobe.store.query import load_frame
from octprobe.store.records import Status
from octprobe.store.sandbox import _LOCKS, columns_read, open_views
from octprobe.store.schema import SCHEMA, accuracies_table
from octprobe.store.sql import answer
from octprobe.store.store import Store

TIMES = [("0", 80.0, None, 4_000_000_000), ("0.25", 84.0, 1.05, 3_000_000_000)]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Give a store of three measured points, one with an attempt that failed before."""
    path = tmp_path / "results"
    kept = Store.create(path)
    kept.append([ended(network_point("0.5"), Status.FAILED), *resnet_rows(TIMES)])
    kept.append([row(network_point("0.5"), measured(60.0, 0.75, macs=2), attempt=2, minutes=1)])
    return path


def rows(store: Path, text: str) -> list[dict[str, Any]]:
    """Answer a query as plain rows."""
    found: list[dict[str, Any]] = answer(store, text, published_accuracies()).table.to_pylist()
    return found


def test_measurements_are_last_attempts(store: Path) -> None:
    """The failed attempt is superseded."""
    found = rows(store, "SELECT alpha, status, latency_ms_median AS ms FROM measurements ORDER BY alpha")
    assert [tuple(row.values()) for row in found] == [
        (0.0, "measured", 80.0),
        (0.25, "measured", 84.0),
        (0.5, "measured", 60.0),
    ]


def test_every_column_comes_as_the_frame_has_it(store: Path) -> None:
    """A star reads all of the schema, in its order, with its types."""
    table = answer(store, "SELECT * FROM measurements").table
    assert table.schema.names == SCHEMA.names
    assert table.schema.types == SCHEMA.types
    assert table["point_id"].to_pylist() == load_frame(store)["point_id"].tolist()


def test_accuracies_are_a_view(store: Path) -> None:
    """The published ones, nulls being nulls; joined in SQL where someone wants so."""
    assert rows(store, "SELECT count(*) AS n, count(baseline_top1_percent) AS b FROM accuracies") == [
        {"n": 53, "b": 49}
    ]
    joined = """
        SELECT a.top1_percent FROM measurements m JOIN accuracies a
        ON a.architecture = m.network AND a.alpha = m.alpha AND a.source_family = 'authors'
        WHERE m.alpha = 0.25
    """
    assert rows(store, joined) == [{"top1_percent": 78.0}]


def test_samples_are_a_row_each(store: Path) -> None:
    """In the order taken, beside what else used the processors; a failed point has none."""
    frame = load_frame(store)
    found = rows(store, "SELECT * FROM samples")
    assert len(found) == 3 * 41
    point = frame["point_id"][2]
    of_point = [row for row in found if row["point_id"] == point]
    assert [row["index"] for row in of_point] == list(range(41))
    assert tuple(row["latency_ms"] for row in of_point) == frame["latency_ms_samples"][2]
    assert of_point[0]["foreign_cpu_seconds"] == 0.0


def test_environments_stay_apart(tmp_path: Path) -> None:
    """The same point on two machines is two rows."""
    point = network_point("0.5")
    Store.create(tmp_path).append([row(point, measured(80.0)), row(point, measured(60.0), OTHER_ENVIRONMENT)])
    assert rows(tmp_path, "SELECT count(*) AS n, count(DISTINCT env_id) AS e FROM measurements") == [
        {"n": 2, "e": 2}
    ]


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("SELECT avg(macs) FROM measurements WHERE network = 'resnet50'", ["network", "macs"]),
        ("SELECT count(*) FROM accuracies", []),
        ("SELECT latency_ms FROM (FROM samples) ORDER BY index", None),
        ("SELECT m::VARCHAR FROM measurements m", SCHEMA.names),
        ("WITH c AS (SELECT * FROM measurements) SELECT alpha FROM c", ["alpha"]),
        ("SELECT breakdown_parts[1].path FROM measurements", ["breakdown_parts"]),
    ],
)
def test_only_what_a_query_needs_is_read(text: str, columns: list[str] | None) -> None:
    """Its plan tells; a whole row as a value needs every column."""
    connection = open_views(SCHEMA.empty_table(), accuracies_table([]), is_planning=True)
    found = columns_read(connection, text)
    assert found == columns if columns is not None else "latency_ms_samples" in found and "macs" not in found


def test_a_plan_that_hides_a_column_costs_time_and_not_the_answer(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another DuckDB may tell its plans otherwise: then every column is read."""
    monkeypatch.setattr(sql, "columns_read", lambda *_: ["point_id"])
    assert rows(store, "SELECT max(macs) AS m FROM measurements") == [{"m": 4_000_000_000}]


def test_two_columns_of_one_name_are_told_apart(store: Path) -> None:
    """A JSON object holds each name once."""
    assert rows(store, "SELECT 1 AS a, 2 AS a, 3 AS b") == [{"a": 1, "a_1": 2, "b": 3}]


def test_a_limit_bounds_the_answer(store: Path) -> None:
    """The terminal asks for no more than it shows."""
    assert answer(store, "SELECT * FROM samples", limit=2).table.num_rows == 2


@pytest.mark.parametrize("text", ["DESCRIBE measurements", "SHOW TABLES", "FROM measurements", "VALUES (1)"])
def test_what_only_looks_is_let_through(store: Path, text: str) -> None:
    """DuckDB's short forms of a SELECT."""
    assert answer(store, text).table.num_rows


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("SELECT latency_ms_medain FROM measurements", "Did you mean latency_ms_median?"),
        ("SELECT m.latency_ms FROM measurements m", "Did you mean latency_ms"),
        ("SELECT qqq FROM measurements", "docs/columns.md lists all columns."),
        ("SELECT * FROM measurement", "Table with name measurement does not exist!"),
        ("SELEC 1", 'syntax error at or near "SELEC"'),
        ("SELECT 1 +", "query: Parser Error"),
        ("SELECT sum(network) FROM measurements", "query: Binder Error"),
        ("SELECT CAST(network AS INT) FROM measurements", "query: Conversion Error"),
        ("", "the query has 0 statements"),
        ("SELECT 1; SELECT 2", "the query has 2 statements"),
        ("SELECT 1; DROP VIEW measurements", "the query has 2 statements"),
    ],
)
def test_a_fault_is_one_line_with_a_way_out(store: Path, text: str, words: str) -> None:
    """DuckDB's first line; its drawing of the place is left out."""
    with pytest.raises(UsageError) as caught:
        answer(store, text)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


ATTACKS = [
    "SELECT * FROM read_csv('{secret}')",
    "SELECT * FROM read_csv_auto('{secret}')",
    "SELECT * FROM read_text('{secret}')",
    "SELECT * FROM read_blob('{secret}')",
    "SELECT * FROM read_json('{secret}')",
    "SELECT * FROM read_ndjson_objects('{secret}')",
    "SELECT * FROM read_parquet('{parquet}')",
    "SELECT * FROM parquet_scan('{parquet}')",
    "SELECT * FROM parquet_metadata('{parquet}')",
    "SELECT * FROM sniff_csv('{secret}')",
    "SELECT * FROM '{secret}'",
    "SELECT * FROM '{parquet}'",
    "FROM '{secret}'",
    "SELECT (SELECT content FROM read_text('{secret}')) FROM measurements",
    "WITH c AS (FROM read_text('{secret}')) SELECT * FROM c",
    "SELECT * FROM query('FROM read_text(''{secret}'')')",
    "SELECT * FROM query_table('{secret}')",
    "SELECT * FROM glob('{folder}/*')",
    "SELECT getenv('HOME')",
    "SELECT * FROM 'https://example.org/x.parquet'",
    "SELECT * FROM read_csv('s3://bucket/x.csv')",
    "SELECT * FROM duckdb_secrets()",
    "SELECT * FROM sqlite_scan('{secret}', 't')",
    "SELECT * FROM secret_frame",
    "COPY measurements TO '{target}'",
    "COPY (SELECT 1) TO '{target}' (FORMAT parquet)",
    "COPY accuracies FROM '{secret}'",
    "EXPORT DATABASE '{target}'",
    "IMPORT DATABASE '{folder}'",
    "ATTACH '{target}' AS other",
    "DETACH memory",
    "INSTALL httpfs",
    "LOAD httpfs",
    "LOAD '{secret}'",
    "SET enable_external_access = true",
    "SET lock_configuration = false",
    "SET memory_limit = '100GB'",
    "SET temp_directory = '{folder}'",
    "RESET enable_external_access",
    "SET VARIABLE x = 1",
    "PRAGMA enable_profiling",
    "PRAGMA database_list",
    "CALL enable_logging()",
    "SELECT * FROM enable_logging()",
    "CREATE TABLE t AS SELECT 1",
    "CREATE SECRET (TYPE s3, KEY_ID 'a', SECRET 'b')",
    "CREATE MACRO f() AS 1",
    "INSERT INTO accuracies SELECT * FROM accuracies",
    "UPDATE accuracies SET top1_percent = 100",
    "DELETE FROM accuracies",
    "DROP VIEW measurements",
    "ALTER TABLE accuracies DROP COLUMN source",
    "EXPLAIN ANALYZE COPY measurements TO '{target}'",
    "PREPARE p AS SELECT 1",
    "CHECKPOINT",
    "BEGIN",
    "VACUUM",
    "USE memory",
    "SELECT 1; COPY measurements TO '{target}'",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_but_the_views_is_reached(
    tmp_path: Path, store: Path, attack: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No file, variable, address or setting: each attempt ends in one line, and nothing is written."""
    outside = tmp_path / "outside"
    outside.mkdir()
    monkeypatch.chdir(outside)
    secret, parquet = outside / "secret.csv", outside / "secret.parquet"
    secret.write_text("word\ntop-secret\n")
    secret_frame = pa.table({"word": ["top-secret"]})
    pq.write_table(secret_frame, parquet)
    before = {place: place.stat().st_mtime_ns for place in tmp_path.rglob("*")}
    text = attack.format(secret=secret, parquet=parquet, folder=outside, target=outside / "target")
    with pytest.raises(UsageError) as caught:
        answer(store, text, published_accuracies())
    assert "\n" not in str(caught.value)
    assert "top-secret" not in str(caught.value)
    assert {place: place.stat().st_mtime_ns for place in tmp_path.rglob("*")} == before


@pytest.mark.parametrize("is_planning", [False, True])
def test_every_lock_is_set_and_none_can_be_opened(*, is_planning: bool) -> None:
    """Each stands behind the kind of statement: what one lets through, another holds."""
    connection = open_views(SCHEMA.empty_table(), accuracies_table([]), is_planning=is_planning)
    for name in _LOCKS:
        value = {"memory_limit": "3.7 GiB", "temp_directory": ""}.get(name, "false")
        held = connection.execute(f"SELECT current_setting('{name}')::VARCHAR").fetchall()[0][0]
        assert held == value
        with pytest.raises(duckdb.Error, match="configuration has been locked"):
            connection.execute(f"SET {name} = '{value}'")


def test_a_file_barred_names_the_rule(store: Path) -> None:
    """The way out stands in the line."""
    with pytest.raises(UsageError, match="give one SELECT over measurements, accuracies and samples"):
        answer(store, "FROM read_text('/etc/hostname')")


def test_the_store_itself_is_not_changed(store: Path) -> None:
    """Not even the times of its files."""
    before = sorted((str(path), path.read_bytes()) for path in store.rglob("*.parquet"))
    answer(store, "SELECT * FROM measurements")
    assert sorted((str(path), path.read_bytes()) for path in store.rglob("*.parquet")) == before


def test_more_memory_than_allowed_is_refused(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing is spilled to the disk."""
    monkeypatch.setattr("octprobe.store.sandbox._LOCKS", {"memory_limit": "1MB", "temp_directory": ""})
    with pytest.raises(UsageError, match="Out of Memory"):
        answer(store, "SELECT string_agg(range::VARCHAR) FROM range(10000000)")


def test_a_truncated_part_is_named_and_the_rest_read(store: Path) -> None:
    """The rows of whole parts answer."""
    part = Store.open(store).parts()[0]
    os.truncate(part, part.stat().st_size // 2)
    found = answer(store, "SELECT alpha FROM measurements")
    assert found.table.to_pylist() == [{"alpha": 0.5}]
    assert [damaged.path for damaged in found.damaged] == [part]


def test_a_store_without_rows_is_one_line(tmp_path: Path) -> None:
    """No store, an empty one, and one of damaged parts only."""
    with pytest.raises(StoreError, match="no such folder"):
        answer(tmp_path / "none", "SELECT 1")
    empty = Store.create(tmp_path / "empty")
    with pytest.raises(StoreError, match="holds no rows yet; `octprobe sweep FILE --store"):
        answer(empty.path, "SELECT 1")
    (empty.path / "parts" / "a.parquet").write_bytes(b"PAR1")
    with pytest.raises(StoreError, match=r"holds no rows that can be read: .*a\.parquet is damaged"):
        answer(empty.path, "SELECT 1")


def test_last_attempts_are_those_of_the_frame(tmp_path: Path) -> None:
    """By attempt, then by time, then by part; in two environments, with and without repetition."""
    store = Store.create(tmp_path)
    point, other = network_point("0.5"), network_point("0.25")
    store.append([row(point, measured(1.0), attempt=2), row(point, measured(2.0), minutes=1)])
    store.append([row(point, measured(3.0), OTHER_ENVIRONMENT), row(other, measured(4.0), minutes=2)])
    store.append([row(point, measured(5.0), attempt=2), row(other, measured(6.0), minutes=3)])
    found = read_last_attempts(store, ["latency_ms_median"]).table
    assert found.to_pydict() == {"latency_ms_median": load_frame(tmp_path)["latency_ms_median"].tolist()}
    assert found["latency_ms_median"].to_pylist() == [3.0, 5.0, 6.0]
