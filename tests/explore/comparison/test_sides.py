"""Which rows are A and which are B: stores, environments, sweeps and dates."""

from pathlib import Path

import pytest

from fakes_store import ENVIRONMENT, OTHER_ENVIRONMENT, measured, network_point, row
from octprobe.errors import StoreError, UsageError
from octprobe.explore.comparison.sides import Side, read_side, sides_of
from octprobe.store.row import Row
from octprobe.store.store import Store

POINT = network_point("0.5")


def store_of(path: Path, *rows: Row) -> Path:
    """Write rows to a new store, a part each."""
    store = Store.create(path)
    for each in rows:
        store.append([each])
    return path


def medians(side: Side) -> list[float]:
    """Give the latencies of a side's rows."""
    return [round(value, 6) for value in read_side(side).frame["latency_ms_median"]]


def test_two_stores_are_two_sides(tmp_path: Path) -> None:
    """The last attempt of each."""
    a = store_of(tmp_path / "a", row(POINT, measured(1.0)), row(POINT, measured(2.0), attempt=2))
    b = store_of(tmp_path / "b", row(POINT, measured(3.0)))
    assert [medians(side) for side in sides_of(a, b)] == [[2.0], [3.0]]


def test_a_date_parts_the_attempts_of_one_store(tmp_path: Path) -> None:
    """Recorded at noon and an hour later; the moment itself belongs to B, whatever its offset."""
    store = store_of(tmp_path, row(POINT, measured(1.0)), row(POINT, measured(2.0), minutes=60, attempt=2))
    for since in ("2026-01-02T13:00", "2026-01-02T14:00+01:00", "2026-01-02T12:00:01Z"):
        assert [medians(side) for side in sides_of(store, None, since=since)] == [[1.0], [2.0]]
    assert [medians(side) for side in sides_of(store, None, since="2026-01-03")] == [[2.0], []]
    assert [medians(side) for side in sides_of(store, None, since="2026-01-02")] == [[], [2.0]]


@pytest.mark.parametrize("since", ["0001-01-01", "9999-12-31T23:59:59"])
def test_dates_at_the_ends_of_time_are_dates(tmp_path: Path, since: str) -> None:
    """Beyond what a nanosecond clock can hold."""
    store = store_of(tmp_path, row(POINT, measured(1.0)))
    assert sorted(map(medians, sides_of(store, None, since=since))) == [[], [1.0]]


def test_sweeps_part_one_store(tmp_path: Path) -> None:
    """By the name in each row, also where a row has none."""
    store = store_of(
        tmp_path,
        row(POINT, measured(1.0), sweep="before"),
        row(POINT, measured(2.0), sweep="after", attempt=2),
        row(network_point("1"), measured(3.0), sweep=None),
    )
    assert [medians(side) for side in sides_of(store, None, sweeps=("before", "after"))] == [[1.0], [2.0]]
    with pytest.raises(UsageError) as caught:
        read_side(sides_of(store, None, sweeps=("befor", "after"))[0])
    assert str(caught.value) == (
        f"--sweeps: {store} has no sweep 'befor' (side A). Did you mean before? It has: after, before."
    )


def test_environments_part_one_store_or_choose_within_two(tmp_path: Path) -> None:
    """By the beginning of the id; several without a choice are refused and listed."""
    store = store_of(tmp_path, row(POINT, measured(1.0)), row(POINT, measured(2.0), OTHER_ENVIRONMENT))
    ids = (ENVIRONMENT.env_id, OTHER_ENVIRONMENT.env_id)
    beginnings = (ids[0][:6], ids[1][:6])
    assert [medians(side) for side in sides_of(store, None, environments=beginnings)] == [[1.0], [2.0]]
    assert [medians(side) for side in sides_of(store, store, environments=ids[::-1])] == [[2.0], [1.0]]
    with pytest.raises(UsageError) as caught:
        read_side(sides_of(store, store)[1])
    assert str(caught.value) == (
        f"side B, {store}, has rows of 2 environments, which are not comparable: "
        f"{ids[0]} (Fake CPU 3000, torch 2.9.0); {ids[1]} (Fake CPU 3000, torch 2.10.0). "
        "Choose with --environments ENV_A ENV_B."
    )
    with pytest.raises(UsageError, match="has no environment 'zz'; it has: "):
        read_side(sides_of(store, None, environments=("zz", ids[1]))[0])


def test_one_store_that_nothing_parts_is_refused() -> None:
    """The line shows all ways out."""
    with pytest.raises(UsageError) as caught:
        sides_of(Path("s"), None)
    assert str(caught.value) == (
        "s is one store: give a second store, --environments ENV_A ENV_B, --sweeps X Y or --since DATE "
        "to say what B is"
    )


def test_a_date_beside_a_second_store_and_a_date_that_is_none_are_refused() -> None:
    """One line each."""
    with pytest.raises(UsageError, match="with the second store b leave it out"):
        sides_of(Path("a"), Path("b"), since="2026-01-02")
    for wrong in ("yesterday", "2026-13-01", "", "2026"):
        with pytest.raises(UsageError):
            sides_of(Path("a"), None, since=wrong)


def test_damaged_parts_are_named_and_the_rest_is_read(tmp_path: Path) -> None:
    """A truncated file costs its own rows only."""
    store = store_of(tmp_path, row(POINT, measured(1.0)))
    (tmp_path / "parts/broken.parquet").write_bytes(b"PAR1")
    rows = read_side(Side(name="A", store=store))
    assert len(rows.frame) == 1
    assert [part.path.name for part in rows.damaged] == ["broken.parquet"]


def test_an_empty_store_is_an_error_and_so_is_none(tmp_path: Path) -> None:
    """There is nothing to compare with."""
    with pytest.raises(StoreError, match="holds no rows yet"):
        read_side(Side(name="A", store=store_of(tmp_path / "empty")))
    with pytest.raises(StoreError, match="no such folder"):
        read_side(Side(name="A", store=tmp_path / "none"))


def test_a_side_says_what_it_is() -> None:
    """Store, environment, sweep and dates."""
    a, b = sides_of(Path("s"), None, environments=("ab", "cd"), sweeps=("x", "y"), since="2026-01-02")
    assert str(a) == "s, environment ab, sweep x, before 2026-01-02T00:00+00:00"
    assert str(b) == "s, environment cd, sweep y, since 2026-01-02T00:00+00:00"
