"""Rows under chosen values of axes, and the words for what is not there."""

import pandas as pd
import pytest

from octprobe.errors import UsageError
from octprobe.explore.dominance.narrowing import axis_of, narrowed

FRAME = pd.DataFrame(
    {
        "batch": pd.array([1, 8, 8], "Int8"),
        "dtype": pd.Categorical(["float32", "float32", "float16"]),
        "threads": pd.array([2, None, None], "Int64"),
        "alpha": [0.0, 0.5, 0.5],
        "env_id": pd.Categorical(["0123456789abcdef", "0123ffffffffffff", "fedcba9876543210"]),
    }
)


@pytest.mark.parametrize(
    ("pairs", "labels"),
    [
        ([], [0, 1, 2]),
        (["batch=8"], [1, 2]),
        (["batch = 8", "dtype=Float16"], [2]),
        (["alpha=.5"], [1, 2]),
        (["threads=none"], [1, 2]),
        (["env_id=0123"], [0, 1]),
        (["env_id=fedcba9876543210"], [2]),
    ],
)
def test_rows_keep_their_labels(pairs: list[str], labels: list[int]) -> None:
    """So that their whole rows can be found again."""
    assert narrowed(FRAME, pairs).index.tolist() == labels


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        ("batch", "--given batch: write AXIS=VALUE, such as batch=8"),
        ("batch=", "--given batch=: write AXIS=VALUE"),
        ("bach=8", r"'bach' is no axis\. Did you mean batch\? Choose from: device, "),
        ("batch=7", "--given batch=7: no row has it; batch is 1 or 8"),
        ("threads=9", "threads is 2 or none"),
        ("dtype=int8", "dtype is 'float16' or 'float32'"),
        ("env_id=012", "no row has it"),
    ],
)
def test_what_is_not_there_is_said_with_what_is(pair: str, message: str) -> None:
    """One line, with the way out."""
    with pytest.raises(UsageError, match=message):
        narrowed(FRAME, [pair])


def test_a_value_that_an_earlier_pair_took_away_is_not_there() -> None:
    """The values listed are those of the rows that are left."""
    with pytest.raises(UsageError, match=r"dtype is 'float32'$"):
        narrowed(FRAME, ["batch=1", "dtype=float16"])


def test_an_axis_is_known_before_the_store_is_read() -> None:
    """Its column has to be asked for."""
    assert axis_of("network=resnet50") == "network"


def test_vanilla_stays_where_it_is_wanted() -> None:
    """Of the axes that it has no value of; of others it is narrowed like every row."""
    frame = pd.DataFrame(
        {
            "point_id": ["v", "o", "n"],
            "group_id": ["v", "v", "v"],
            "exchange": [None, "both", "none"],
            "batch": [1, 1, 8],
        }
    )
    assert narrowed(frame, ["exchange=both"]).index.tolist() == [1]
    assert narrowed(frame, ["exchange=both"], keeps_vanilla=True).index.tolist() == [0, 1]
    assert narrowed(frame, ["batch=8"], keeps_vanilla=True).index.tolist() == [2]
    assert narrowed(frame, ["exchange=none"]).index.tolist() == [2]
    assert narrowed(frame.iloc[:2], ["exchange=none"]).index.tolist() == [0]
