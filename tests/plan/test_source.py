"""A YAML text as plain data with places."""

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from octprobe.errors import SpecError
from octprobe.plan.fault import Place
from octprobe.plan.nodes import MAX_DEPTH, MAX_VALUES
from octprobe.plan.source import Source, parse_source

TEXT = "a: 1\nb:\n  - x\n  - {c: [2.5, true]}\n"


def read(text: str) -> Source:
    """Read a text under a fixed name."""
    return parse_source("f.yaml", text)


def test_plain_data() -> None:
    """Dicts, lists and scalars, nothing of ruamel.yaml's own types."""
    assert read(TEXT).plain == {"a": 1, "b": ["x", {"c": [2.5, True]}]}


@pytest.mark.parametrize(
    ("path", "value_place", "key_place"),
    [
        ((), (1, 1), (1, 1)),
        (("a",), (1, 4), (1, 1)),
        (("b",), (3, 3), (2, 1)),
        (("b", 0), (3, 5), (3, 5)),
        (("b", 1, "c"), (4, 9), (4, 6)),
        (("b", 1, "c", 1), (4, 15), (4, 15)),
        (("b", 1, "missing"), (4, 5), (4, 5)),
    ],
)
def test_places(
    path: tuple[str | int, ...], value_place: tuple[int, int], key_place: tuple[int, int]
) -> None:
    """Every key and value is found; what is missing stands where its parent does."""
    source = read(TEXT)
    assert source.place(path) == Place(*value_place)
    assert source.place(path, at_key=True) == Place(*key_place)


@pytest.mark.parametrize(
    "scalar",
    [
        "1",
        "-7",
        "+3",
        "0x1F",
        "0o17",
        "1.5",
        "-.5",
        "1e3",
        "2.",
        ".inf",
        "-.INF",
        "~",
        "",
        "null",
        "Null",
        "true",
        "False",
        "yes",
        "off",
        "text",
        "1x",
        "1.2.3",
        "0.125",
        "007",
    ],
)
def test_plain_scalars_follow_yaml_1_2(scalar: str) -> None:
    """Our reading of plain scalars is ruamel.yaml's own safe reading."""
    expected = YAML(typ="safe", pure=True).load(f"k: {scalar}\n")["k"]
    got = read(f"k: {scalar}\n").plain["k"]  # type: ignore[index]  # plain is an object by design
    assert (got, type(got)) == (expected, type(expected))


def test_not_a_number() -> None:
    """NaN is read as a number, to be refused with its value."""
    assert math.isnan(read("k: .nan").plain["k"])  # type: ignore[index]  # plain is an object by design


def test_quoted_scalars_stay_text() -> None:
    """Quotes make text of everything."""
    assert read("a: '1'\nb: \"true\"\n").plain == {"a": "1", "b": "true"}


def test_aliases_lead_to_the_anchored_value() -> None:
    """An alias gives the same data; its places are those of the anchor."""
    source = read("a: &x [1, 2]\nb: *x\n")
    assert source.plain == {"a": [1, 2], "b": [1, 2]}
    assert source.place(("b", 1)) == Place(1, 11)


def test_byte_order_mark_and_windows_line_ends() -> None:
    """What Windows editors write is read, and the places stay right."""
    source = read("a: 1\r\nb: [x]\r\n")
    assert source.plain == {"a": 1, "b": ["x"]}
    assert source.place(("b", 0)) == Place(2, 5)


def test_faults_that_leave_the_rest_readable_are_gathered() -> None:
    """Duplicate keys, tags and keys that are no text are all named at once."""
    source = read("a: 1\na: 2\nb: !x 3\n4: 5\n")
    assert [f.message.split(";")[0] for f in source.found] == [
        "is given twice, first in line 1",
        "a tag has no place in a sweep file",
        "a key must be text",
    ]
    assert source.plain == {"a": 1, "b": "3"}
    assert source.is_bad(("b",))
    assert not source.is_bad(("a",))


def test_depth_is_bounded_through_aliases_too() -> None:
    """A chain of aliases cannot build what brackets may not."""
    half = MAX_DEPTH // 2 + 1
    deep = f"a: &a {'[' * half}{']' * half}\nb: {'[' * half}*a{']' * half}\n"
    with pytest.raises(SpecError, match="nested deeper than 20 levels"):
        read(deep)


def test_number_of_values_is_bounded() -> None:
    """A flat list over the cap is refused as an alias bomb is."""
    with pytest.raises(SpecError, match=f"more than {MAX_VALUES} values"):
        read("a: [" + "0," * (MAX_VALUES + 1) + "]")


@pytest.mark.parametrize(
    "text",
    [
        "\x00",
        "a: \ud800",
        'a: "\\UFFFFFFFF"',
        'a: "\\q"',
        "%YAML 3.0\n---\n",
        "!e!x a",
        "a: b: c",
        "*x",
        "a: @x",
        "{",
        "]",
        "a: |1\n x\n  y",
        "? ",
        "--- a\n--- b",
        "a: 'x",
        "&a &b c",
        "%TAG ! tag:x\n%TAG ! y",
    ],
)
def test_malformed_text_is_a_spec_error(text: str) -> None:
    """Whatever the parser trips over becomes a message of one fault."""
    try:
        source = read(text)
    except SpecError as error:
        assert str(error).startswith("f.yaml")
    else:
        assert source.plain is not None


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60) | st.text(alphabet="ab:-?[]{}&*!|>'\"%@`# \n\t,0.~<\\u", max_size=40))
def test_garbage_is_read_or_refused(text: str) -> None:
    """No text makes the reader raise anything but a SpecError."""
    try:
        source = read(text)
    except SpecError as error:
        assert str(error).encode("utf-8").startswith(b"f.yaml")
    else:
        assert source.text == text


# YAML reads some characters as line breaks that JSON leaves as they are, and refuses others.
shown_text = st.text(st.characters(categories=["L", "N", "P", "S"]), max_size=8)
plain_data = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | shown_text,
    lambda inner: st.lists(inner, min_size=1, max_size=3) | st.dictionaries(shown_text, inner, max_size=3),
    max_leaves=10,
)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.text(alphabet="abc", min_size=1, max_size=3), plain_data, min_size=1, max_size=4))
def test_json_is_read_as_json(data: dict[str, object]) -> None:
    """JSON without escapes is YAML: what json writes is read back equal."""
    assert read(json.dumps(data, ensure_ascii=False)).plain == data
