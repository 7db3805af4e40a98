"""Rows by id or by words."""

from typing import Any

import pandas as pd
import pytest

from fakes_store import layer_point, measured, network_point, row
from octprobe.errors import UsageError
from octprobe.explore.find import anchors_of, find_rows, places_of
from octprobe.explore.labels import row_label
from octprobe.plan.point import DesignPoint

POINTS = [
    network_point("0", batch=8),
    network_point("0.5", batch=8),
    network_point("0.5", batch=80, memory_format="channels_last"),
    network_point("0.5", network="resnet26", threads=2),
    layer_point("0.5", "0.5", groups=2),
    layer_point("0", "0.5"),
]
ROWS: list[dict[str, Any]] = [vars(row(point, measured(1.0))) for point in POINTS]


def found(text: str) -> list[DesignPoint]:
    """Give the points of the rows that a text names."""
    ids = [record["point_id"] for record in find_rows(ROWS, text)]
    return [point for point in POINTS if point.point_id in ids]


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("resnet50", [0, 1, 2]),
        ("resnet50 alpha 0.5", [1, 2]),
        ("batch 8", [0, 1]),
        ("alpha 0.5, batch 8", [1]),
        ("BATCH 8,   alpha 0", [0]),
        ("channels_last", [2]),
        ("2 threads", [3]),
        ("conv 64->64 k3 s1 p1", [4, 5]),
        ("alpha 0->0.5", [5]),
        ("alpha 0.5", [1, 2, 3, 4]),
    ],
)
def test_words_of_a_label_name_its_rows(text: str, places: list[int]) -> None:
    """Whole words that stand together, in any order of the parts."""
    assert found(text) == [POINTS[place] for place in places]


@pytest.mark.parametrize("point", POINTS)
def test_a_row_is_found_by_its_id_its_label_and_the_line_of_its_sweep(point: DesignPoint) -> None:
    """What a person copies from the terminal finds one row."""
    record = ROWS[POINTS.index(point)]
    for text in (point.point_id, point.point_id[:6], row_label(record), point.label()):
        assert found(text) == [point]


@pytest.mark.parametrize("text", ["resnet", "batch 80, alpha 0", "0123", "alpha .5"])
def test_a_name_of_no_row_says_what_a_name_is(text: str) -> None:
    """The text that was given and an example that would do."""
    with pytest.raises(UsageError, match="no row is called") as caught:
        found(text)
    assert repr(text) in str(caught.value)
    assert "such as 'resnet50 alpha 0, 224 px, batch 8" in str(caught.value)


def test_an_empty_store_has_no_example() -> None:
    """There is no label to show."""
    with pytest.raises(UsageError, match="once the store holds rows"):
        find_rows([], "resnet50")


def test_places_are_found_by_the_whole_name_first() -> None:
    """One id may begin another; what is written in capitals, or has an @ in it, is found too."""
    frame = pd.DataFrame(
        {"point_id": ["ab", "a", "G", "x@y"], "env_id": ["e1", "e1", "E1", "e2"], "group_id": ["a"] * 4},
        index=[10, 11, 12, 13],
    )
    assert places_of(frame, "a@e1") == [11]
    assert places_of(frame, "a") == [10, 11]
    assert places_of(frame, "G@E1") == places_of(frame, "g") == [12]
    assert places_of(frame, "x@y@e2") == [13]
    assert places_of(frame, "@e1") == places_of(frame, " ") == []
    assert anchors_of(frame, 10) == [11]
    assert anchors_of(frame, 12) == []
