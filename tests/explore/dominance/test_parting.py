"""Parts by the values of axes: each combination a number, in the order of the values."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from octprobe.explore.dominance.parting import coded, parted

CELLS = st.lists(
    st.tuples(st.sampled_from(["a", "b", None]), st.sampled_from([1, 5, 300, None]), st.integers(-3, 3)),
    min_size=1,
    max_size=30,
)


@pytest.mark.parametrize("text", ["category", "string", "object"])
@pytest.mark.parametrize("whole", ["Int16", "Int64"])
@given(cells=CELLS)
def test_rows_share_a_part_exactly_if_they_share_all_values(
    text: str, whole: str, cells: list[tuple[Any, ...]]
) -> None:
    """Null is a value; a negative number and a type of few bytes too; every second row counts."""
    frame = pd.DataFrame(cells, columns=["name", "size", "shift"])
    frame = frame.astype({"name": text, "size": whole, "shift": "Int8"})
    rows = np.arange(0, len(frame), 2)
    found = parted(frame, rows, ("name", "size", "shift", "nowhere"))
    for place, row in enumerate(rows):
        expected = dict(zip(("name", "size", "shift"), cells[row], strict=True)) | {"nowhere": None}
        assert found.given[found.numbers[place]] == expected
    chosen = [cells[row] for row in rows]
    assert len(found.given) == len(set(chosen))
    names = ("name", "size", "shift")
    assert found.varying == tuple(n for i, n in enumerate(names) if len({cell[i] for cell in chosen}) > 1)


def test_parts_stand_in_the_order_of_their_values_and_null_comes_last() -> None:
    """As numbers, not as text."""
    frame = pd.DataFrame({"size": pd.array([64, None, 8, 64], "Int64")})
    found = parted(frame, np.arange(4), ("size",))
    assert [given["size"] for given in found.given] == [8, 64, None]
    assert found.numbers.tolist() == [1, 2, 0, 1]


def test_more_combinations_than_a_number_holds_are_still_told_apart() -> None:
    """Twelve axes of fifty values each are more than 2**64."""
    chance = np.random.default_rng(0)
    frame = pd.DataFrame(chance.integers(0, 50, (500, 12)), columns=[f"axis{n}" for n in range(12)])
    frame = pd.concat([frame, frame])
    found = parted(frame, np.arange(1000), list(frame.columns))
    assert len(found.given) == 500
    assert (found.numbers[:500] == found.numbers[500:]).all()


def test_no_rows_have_no_parts() -> None:
    """As of an empty store."""
    found = parted(pd.DataFrame({"size": [1]}), np.zeros(0, dtype=np.intp), ("size",))
    assert (found.given, found.varying) == ((), ())


def test_a_column_without_values_is_null_throughout() -> None:
    """Whatever its type."""
    for kind in ("Int8", "Int64", "category", "string"):
        codes, values = coded(pd.Series([None, None], dtype=kind))
        assert (codes.tolist(), list(values)) == ([-1, -1], [])
