"""In what environments differ, and that a person is told before figures are compared or measured again."""

from dataclasses import asdict, fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes_store import ENVIRONMENT, OTHER_ENVIRONMENT, ended, measured, network_point, row
from octprobe.explore.environments import (
    ENVIRONMENT_COLUMNS,
    differences,
    incomparable,
    measured_elsewhere,
)
from octprobe.store.records import Environment, Status
from octprobe.store.row import Row

POWERSAVE = replace(ENVIRONMENT, governor="powersave")
PERFORMANCE = replace(OTHER_ENVIRONMENT, governor="performance")


def of(environment: Environment, alpha: str = "0.5", **changes: Any) -> dict[str, Any]:
    """Give a measured row of an environment as plain values."""
    return vars(row(network_point(alpha), measured(80.0), environment)) | changes


def test_the_columns_are_what_the_id_is_made_of() -> None:
    """Each is a column of the row, and each changes env_id; the kind of device is told by its name."""
    assert set(ENVIRONMENT_COLUMNS) == set(asdict(ENVIRONMENT)) - {"device_kind", "os"}
    assert set(ENVIRONMENT_COLUMNS) < {field.name for field in fields(Row)}
    for column in ENVIRONMENT_COLUMNS:
        assert replace(ENVIRONMENT, **{column: "changed"}).env_id != ENVIRONMENT.env_id


def test_differences_are_named_with_the_value_of_each_environment() -> None:
    """What agrees is not mentioned."""
    torch, governor = differences([of(POWERSAVE), of(PERFORMANCE), of(POWERSAVE, "0")])
    assert (torch.column, dict(torch.values)) == (
        "torch",
        {POWERSAVE.env_id: "2.9.0", PERFORMANCE.env_id: "2.10.0"},
    )
    assert governor.of(PERFORMANCE.env_id) == "governor performance"


@given(st.sets(st.sampled_from(ENVIRONMENT_COLUMNS)))
def test_exactly_the_changed_columns_are_found(changed: set[str]) -> None:
    """Whatever differs is named, and nothing else; a processor that is the device is named once."""
    other = of(ENVIRONMENT, env_id="another", **dict.fromkeys(changed, "another"))
    found = {difference.column for difference in differences([of(ENVIRONMENT), other])}
    assert found == (changed - {"cpu_model"} if "device_name" in changed else changed)


def test_the_sentence_for_a_table_of_two_environments() -> None:
    """Absent is a value too."""
    rows = [of(POWERSAVE), of(PERFORMANCE)]
    assert incomparable(rows) == (
        "Rows of 2 environments are not comparable: torch 2.9.0 / 2.10.0; governor powersave / performance."
    )
    assert incomparable([of(ENVIRONMENT), of(POWERSAVE)]) == (
        "Rows of 2 environments are not comparable: governor none / powersave."
    )


@pytest.mark.parametrize("rows", [[], [of(ENVIRONMENT)], [of(ENVIRONMENT), of(ENVIRONMENT, "0")]])
def test_rows_of_one_environment_need_no_sentence(rows: list[dict[str, Any]]) -> None:
    """Nor do no rows."""
    assert incomparable(rows) is None


def test_values_that_several_environments_share_are_listed_once() -> None:
    """Three environments of two versions."""
    rows = [of(ENVIRONMENT), of(OTHER_ENVIRONMENT), of(PERFORMANCE)]
    assert incomparable(rows) == (
        "Rows of 3 environments are not comparable: torch 2.9.0 / 2.10.0; governor none / performance."
    )


def test_ids_that_differ_by_nothing_recorded_say_so() -> None:
    """A store of an older octprobe may lack the column that differs."""
    rows = [of(ENVIRONMENT), of(ENVIRONMENT, env_id="0123")]
    assert differences(rows) == ()
    assert incomparable(rows) == (
        "Rows of 2 environments are not comparable: an earlier octprobe told environments apart otherwise."
    )


def test_points_measured_in_another_environment_are_counted_with_what_changed() -> None:
    """Those that have a row here too are left out, and so are other sweeps' points and failures."""
    rows = [
        of(ENVIRONMENT, "0"),
        of(ENVIRONMENT, "0.25"),
        of(ENVIRONMENT, "0.5"),
        of(OTHER_ENVIRONMENT, "0.5"),
        of(ENVIRONMENT, "1"),
        vars(ended(network_point("0.75"), Status.FAILED)),
    ]
    points = {network_point(alpha).point_id for alpha in ("0", "0.25", "0.5", "0.75")}
    assert measured_elsewhere(rows, OTHER_ENVIRONMENT, points) == (
        "2 points were measured before under another environment (torch 2.9.0, now 2.10.0) "
        "and are measured again."
    )


def test_several_other_environments_are_counted_too() -> None:
    """One point with two of them behind it."""
    rows = [of(ENVIRONMENT), of(POWERSAVE)]
    assert measured_elsewhere(rows, PERFORMANCE, {rows[0]["point_id"]}) == (
        "1 point was measured before under 2 other environments "
        "(torch 2.9.0, now 2.10.0; governor none / powersave, now performance) and is measured again."
    )


def test_nothing_is_said_where_nothing_is_measured_again() -> None:
    """A new store, and one of this environment."""
    point = network_point("0.5").point_id
    assert measured_elsewhere([], ENVIRONMENT, {point}) is None
    assert measured_elsewhere([of(ENVIRONMENT)], ENVIRONMENT, {point}) is None
