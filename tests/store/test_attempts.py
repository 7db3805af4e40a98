"""The last attempt of each point and environment, against pandas, for ids of any length."""

from datetime import UTC, datetime
from unittest.mock import patch

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from octprobe.store import attempts
from octprobe.store.attempts import last_attempts
from octprobe.store.schema import SCHEMA

SHORT = st.sampled_from([f"{n:016x}" for n in (0, 1, 2, 2**64 - 1)])
ANY = st.sampled_from(["", "a", "é" * 8, "0" * 16, "0" * 15, "an id with words in it"])


def rows_of(ids: st.SearchStrategy[str]) -> st.SearchStrategy[list[tuple[str, str, int, int]]]:
    """Give rows in which ids, numbers and times often repeat."""
    return st.lists(st.tuples(ids, st.sampled_from(["e", "f"]), st.integers(1, 3), st.integers(0, 2)))


def table_of(rows: list[tuple[str, str, int, int]], cut: int) -> pa.Table:
    """Lay rows out in two parts, the environments as dictionaries of their own."""
    points, environments, numbers, times = zip(*rows, strict=True) if rows else ((), (), (), ())
    schema = pa.schema([SCHEMA.field(name) for name in attempts.ATTEMPT_COLUMNS])
    moments = [datetime(2026, 1, 1, 0, time, tzinfo=UTC) for time in times]
    whole = pa.table([list(points), list(environments), list(numbers), moments], schema=schema)
    parts = [
        part.set_column(1, "env_id", part.column(1).dictionary_encode())
        for part in (whole[:cut], whole[cut:])
    ]
    return pa.concat_tables(parts)


def by_pandas(rows: list[tuple[str, str, int, int]]) -> list[bool]:
    """Sort and drop, as `octprobe.load` does."""
    frame = pd.DataFrame(rows, columns=["point", "environment", "attempt", "time"])
    ordered = frame.sort_values(["point", "environment", "attempt", "time"], kind="stable")
    return frame.index.isin(ordered.drop_duplicates(["point", "environment"], keep="last").index).tolist()


@pytest.mark.parametrize("ids", [SHORT, ANY, st.one_of(SHORT, ANY)])
@given(data=st.data())
def test_it_is_what_sorting_gives(ids: st.SearchStrategy[str], data: st.DataObject) -> None:
    """Of equal attempts at equal times the later row counts."""
    rows = data.draw(rows_of(ids))
    cut = data.draw(st.integers(0, len(rows)))
    assert last_attempts(table_of(rows, cut)).tolist() == by_pandas(rows)


@given(rows=rows_of(SHORT))
def test_keys_that_meet_by_chance_change_nothing(rows: list[tuple[str, str, int, int]]) -> None:
    """Were all keys equal, every row would be compared exactly."""
    with patch.object(attempts, "_keys", lambda table: np.zeros(table.num_rows, dtype=np.uint64)):
        assert last_attempts(table_of(rows, 0)).tolist() == by_pandas(rows)


def test_ids_have_keys_of_their_own() -> None:
    """A hundred thousand consecutive ones do not meet."""
    ids = pa.table({"point_id": [f"{n:016x}" for n in range(100_000)], "env_id": ["e"] * 100_000})
    table = ids.set_column(1, "env_id", ids.column(1).dictionary_encode())
    assert len(np.unique(attempts._keys(table))) == 100_000
