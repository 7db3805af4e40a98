"""Patterns name exactly what they should, and are short where names are alike."""

from fnmatch import fnmatchcase

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from octprobe.cost.patterns import patterns_for

STAGES = [
    f"layer{stage}.{block}.{conv}"
    for stage in (1, 2)
    for block in range(12)
    for conv in ("conv1", "conv2", "conv3")
] + ["conv1", "layer1.0.downsample.0", "layer2.0.downsample.0"]


@pytest.mark.parametrize(
    ("wanted", "patterns"),
    [
        (["layer1.4.conv2"], ["layer1.4.conv2"]),
        (["layer1.0.conv1", "layer1.0.conv3"], ["layer1.0.conv1", "layer1.0.conv3"]),
        ([f"layer1.{i}.conv3" for i in range(12)], ["layer1.*.conv3"]),
        ([f"layer1.{i}.conv3" for i in range(1, 12)], ["layer1.[!0]*.conv3"]),
        ([f"layer{s}.{i}.conv3" for s in (1, 2) for i in range(12)], ["layer*.*.conv3"]),
        ([name for name in STAGES if name.startswith("layer2")], ["layer2"]),
        (["layer1.0.downsample.0", "layer1.0.conv3"], ["layer1.0.downsample.0", "layer1.0.conv3"]),
        (
            ["layer1.0.downsample.0", *(f"layer1.{i}.conv3" for i in range(12))],
            ["layer1.0.downsample.0", "layer1.*.conv3"],
        ),
    ],
)
def test_names_that_are_alike_share_a_pattern(wanted: list[str], patterns: list[str]) -> None:
    """One form for a stage's blocks, and names as they are where nothing shorter is exact."""
    assert patterns_for(wanted, STAGES) == tuple(patterns)


def test_free_names_may_be_covered() -> None:
    """What inherits its channels does not stand in the way of a shorter pattern."""
    names = ["a.0.pw", "a.0.dw", "a.1.pw", "a.1.dw", "b"]
    assert patterns_for(["a.0.pw", "a.1.pw"], names) == ("a.*.pw",)
    assert patterns_for(["a.0.pw", "a.1.pw"], names, free=["a.0.dw", "a.1.dw"]) == ("a",)


def test_a_name_of_very_many_parts_is_taken_whole() -> None:
    """Its forms would be hundreds of thousands."""
    deep = [".".join("0" * 12) + f".{i}" for i in range(2)]
    assert patterns_for(deep, deep) == tuple(deep)


@settings(max_examples=60, deadline=None)
@given(st.sets(st.sampled_from(STAGES), min_size=1, max_size=20), st.sets(st.sampled_from(STAGES)))
def test_patterns_cover_what_is_wanted_and_nothing_that_is_not(wanted: set[str], free: set[str]) -> None:
    """Whatever the choice, by the standard library's own reading of a pattern."""
    patterns = patterns_for(sorted(wanted), STAGES, free)
    covered = {
        name for name in STAGES if any(fnmatchcase(name, p) or fnmatchcase(name, f"{p}.*") for p in patterns)
    }
    assert wanted <= covered <= wanted | free
    assert len(patterns) <= len(wanted)
