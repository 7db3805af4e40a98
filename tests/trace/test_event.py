"""One event: exact times, older names, and what a broken field is told."""

import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from octprobe.errors import TraceError
from octprobe.trace.event import Event

WHOLE = {"ph": "X", "cat": "cpu_op", "name": "aten::add", "pid": 1, "tid": 2, "ts": 10, "dur": 3}


def event(**changes: Any) -> Event:
    """Make the third event of a file, some of its fields changed."""
    return Event("x.json", 2, WHOLE | changes)


def without(*names: str) -> Event:
    """Make an event that lacks some fields."""
    return Event("x.json", 2, {key: value for key, value in WHOLE.items() if key not in names})


@pytest.mark.parametrize(
    ("microseconds", "nanoseconds"),
    [
        (1689179597340511, 1689179597340511000),
        (Decimal("1689179597340511.123"), 1689179597340511123),
        (Decimal("4458676522690.655"), 4458676522690655),
        (Decimal("1E+3"), 1_000_000),
        (0.1, 100),
        (237.464, 237464),
        (-5, -5000),
        (Decimal("0.0004"), 0),
    ],
)
def test_times_are_exact_whole_nanoseconds(microseconds: float | Decimal, nanoseconds: int) -> None:
    """No digit is lost where a float has too few, and what is finer than a nanosecond is rounded."""
    assert event(ts=microseconds).start_ns == nanoseconds


@given(st.integers(min_value=-(10**21) + 1, max_value=10**21 - 1))
def test_every_nanosecond_survives(nanoseconds: int) -> None:
    """Three decimals of a microsecond go in and come out, however large the clock."""
    assert event(ts=Decimal(nanoseconds).scaleb(-3)).start_ns == nanoseconds


@pytest.mark.parametrize(
    ("category", "newer"),
    [
        ("Kernel", "kernel"),
        ("kernel", "kernel"),
        ("Operator", "cpu_op"),
        ("Runtime", "cuda_runtime"),
        ("user_annotation", "user_annotation"),
    ],
)
def test_categories_have_one_name(category: str, newer: str) -> None:
    """Both schemas are read by the names of the newer."""
    assert event(cat=category).category == newer


def test_only_what_has_a_beginning_and_an_end_has_a_category() -> None:
    """Arrows between events share the categories of spans."""
    assert event(ph="f").category is None
    assert without("cat").category is None


@pytest.mark.parametrize(
    ("given", "number"),
    [(7, 7), ("7", 7), (0, 0), (None, None)],
)
def test_arguments_are_whole_numbers(given: object, number: int | None) -> None:
    """Some versions put numbers in quotes; null is absent."""
    assert event(args={"correlation": given}).argument("correlation") == number


def test_an_argument_is_found_by_its_older_name() -> None:
    """The first name that is there counts."""
    assert event(args={"external id": 5}).argument("External id", "external id") == 5
    assert event(args={}).argument("External id", "external id") is None
    assert event().argument("correlation") is None


def test_threads_are_text() -> None:
    """One schema writes a thread's number as text in one place and as a number in another."""
    assert event(tid="2").owner == event(tid=2).owner == ("1", "2")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("12", '"12"'),
        (None, "null"),
        (math.nan, "NaN"),
        (math.inf, "Infinity"),
        (True, "true"),
        ([1], "a list"),
        ({}, "an object"),
        (10**19, "10000000000000000000"),
        (10**4000, "1" + "0" * 56 + "..."),
        (Decimal("1E+400"), "1E+400"),
    ],
)
@pytest.mark.parametrize(("key", "field"), [("ts", "start_ns"), ("dur", "duration_ns")])
def test_a_time_that_is_none_is_refused(key: str, field: str, value: object, shown: str) -> None:
    """The line names the file, the event, the field and what stands there."""
    with pytest.raises(TraceError) as refused:
        getattr(event(**{key: value}), field)
    assert str(refused.value) == (
        f'x.json: events[2] "aten::add": {key} is {shown}; it must be a number of microseconds; '
        "record the trace again with torch.profiler"
    )


def test_a_negative_duration_is_refused() -> None:
    """Nothing ends before it begins."""
    with pytest.raises(TraceError, match=r"dur is -3; it must not be negative"):
        _ = event(dur=-3).duration_ns


@pytest.mark.parametrize(
    ("dur", "lacks"),
    [
        (-3, True),
        (Decimal("-0.5"), True),
        (None, True),
        (0, False),
        (3, False),
        ("3", False),
        (math.nan, False),
    ],
)
def test_what_has_no_end_is_told(dur: object, lacks: bool) -> None:
    """Absent and negative durations are an unfinished recording's; what is no number is a broken file's."""
    assert event(dur=dur).lacks_end is lacks
    assert without("dur").lacks_end


@pytest.mark.parametrize(
    ("name", "field"), [("ts", "start_ns"), ("dur", "duration_ns"), ("pid", "owner"), ("tid", "owner")]
)
def test_a_missing_field_is_refused(name: str, field: str) -> None:
    """Missing is said apart from null."""
    with pytest.raises(TraceError, match=f"{name} is missing; it must be"):
        getattr(without(name), field)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": 5}, "events[2]: name is 5; it must be text"),
        ({"cat": ["kernel"]}, "cat is a list; it must be text"),
        ({"args": [1]}, "args is a list; it must be a JSON object"),
        ({"args": None}, "args is null; it must be a JSON object"),
        ({"args": {"Bytes": 1.5}}, "args.Bytes is 1.5; it must be a whole number"),
        ({"args": {"Bytes": True}}, "args.Bytes is true; it must be a whole number"),
        ({"args": {"Bytes": "9" * 21}}, 'args.Bytes is "999999999999999999999"; it must be a whole number'),
        ({"args": {}}, "args.Bytes is missing; it must be a whole number"),
    ],
)
def test_a_field_of_another_type_is_refused(changes: dict[str, Any], words: str) -> None:
    """One line, whatever is wrong."""
    broken = event(**changes)
    with pytest.raises(TraceError) as refused:
        _ = broken.category, broken.text("name"), broken.needed_argument("Bytes")
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(("fields", "shown"), [(5, "5"), (None, "null"), ([], "a list"), ("x", '"x"')])
def test_an_event_that_is_no_object_is_refused(fields: object, shown: str) -> None:
    """A list of numbers is JSON, and no trace."""
    with pytest.raises(TraceError, match=r"x\.json: events\[0\] is") as refused:
        Event("x.json", 0, fields)
    assert f"is {shown}; it must be a JSON object" in str(refused.value)


def test_names_cannot_leave_their_line() -> None:
    """What a trace calls its event is shown harmless and short."""
    with pytest.raises(TraceError) as refused:
        _ = event(name="a\n\x1b[31m" + "b" * 100, dur=None).duration_ns
    assert '"a\\n\\u001b[31mbbb' in str(refused.value)
    assert len(str(refused.value)) < 200
