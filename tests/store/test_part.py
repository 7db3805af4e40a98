"""Rows of a part by their places: only the row groups that hold them are read."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes_store import measured, network_point, row
from octprobe.store.part import read_part
from octprobe.store.schema import table_of

_ROWS = [row(network_point("0.5", batch=batch), measured(float(batch))) for batch in range(1, 12)]


@settings(max_examples=25, deadline=None)
@given(
    places=st.lists(st.integers(0, len(_ROWS) - 1), min_size=1, max_size=20).map(sorted),
    size=st.integers(1, 12),
)
def test_the_rows_are_those_of_the_whole_part(
    tmp_path_factory: pytest.TempPathFactory, places: list[int], size: int
) -> None:
    """However the part is cut into row groups, and where a row is asked for twice."""
    part = tmp_path_factory.mktemp("part") / "part.parquet"
    pq.write_table(table_of(_ROWS), part, row_group_size=size)
    whole, few = read_part(part, ["batch", "network"]), read_part(part, ["batch", "network"], (), places)
    assert not isinstance(whole, str)
    assert not isinstance(few, str)
    assert few.to_pylist() == [whole.to_pylist()[place] for place in places]


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    """In a line, not as an exception."""
    part = tmp_path / "part.parquet"
    part.write_bytes(b"PAR1")
    assert isinstance(read_part(part, ["batch"], (), [0]), str)
