"""Rows of a design space: folded where they are many, and lines that fit."""

from dataclasses import replace
from fractions import Fraction
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from octprobe.commands.groups_rows import rows_of, wrapped
from octprobe.commands.groups_view import print_groups
from octprobe.cost.design_group import DesignGroup, DesignSpace

STREAM = ("layer1.0.conv3", "layer1.1.conv3")


def group(number: int, *convs: str, **changes: object) -> DesignGroup:
    """Make a group of 64 channels that weighs a hundredth of its network."""
    made = DesignGroup(
        number=number,
        convs=convs,
        followers=(),
        named_with=(),
        patterns=convs,
        channels=(64,) * len(convs),
        sizes=((56, 56),),
        macs=10_000_000,
        is_octave=True,
        smallest_alpha=Fraction(1, 64),
        multiple_of=None,
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # fields of a test's own choice


def space(*groups: DesignGroup, **changes: object) -> DesignSpace:
    """Make a design space of groups."""
    made = DesignSpace(
        family="ResNet",
        size=(224, 224),
        macs=1_000_000_000,
        groups=groups,
        names=tuple(name for each in groups for name in each.convs),
        example=(("layer1.0.conv1", Fraction(1, 2)),),
        no_policy=None,
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # as above


def blocks(count: int) -> list[DesignGroup]:
    """Make the groups of a stage: two convolutions a block."""
    return [
        group(1 + 2 * block + place, f"layer1.{block}.conv{1 + place}")
        for block in range(count)
        for place in range(2)
    ]


def shown(
    found: DesignSpace, width: int, monkeypatch: pytest.MonkeyPatch, *, show_all: bool = False
) -> list[str]:
    """Print a design space on a terminal of some width and give its lines."""
    output = StringIO()
    console = Console(file=output, width=width, color_system=None, markup=False)
    monkeypatch.setattr("octprobe.commands.groups_view.make_console", lambda: console)
    print_groups("net", found, "", show_all=show_all)
    return output.getvalue().splitlines()


def test_few_groups_have_a_row_each() -> None:
    """Forty are few."""
    rows = rows_of(space(*blocks(20)), show_all=False)
    assert [row.label for row in rows] == [str(number) for number in range(1, 41)]
    assert len(rows_of(space(*blocks(20), group(41, *STREAM)), show_all=False)) == 3


def test_many_groups_that_are_alike_share_a_row() -> None:
    """Under the pattern that names them all; a residual stream has a row of its own."""
    stream = group(100, *STREAM)
    rows = rows_of(space(*blocks(21), stream), show_all=False)
    assert [(row.label, list(row.patterns), row.macs) for row in rows] == [
        ("1..41 (21)", ["layer1.*.conv1"], 210_000_000),
        ("2..42 (21)", ["layer1.*.conv2"], 210_000_000),
        ("100", list(STREAM), 10_000_000),
    ]
    assert len(rows_of(space(*blocks(21), stream), show_all=True)) == 43


@pytest.mark.parametrize(
    "change",
    [
        {"channels": (32,)},
        {"sizes": ((28, 28),)},
        {"smallest_alpha": Fraction(1, 8)},
        {"multiple_of": Fraction(1, 8)},
        {"named_with": ("conv1",)},
    ],
)
def test_groups_that_differ_share_no_row(change: dict[str, object]) -> None:
    """In anything that a row shows."""
    first, *others = blocks(21)
    assert len(rows_of(space(replace(first, **change), *others), show_all=False)) == 3  # type: ignore[arg-type]  # as above


def test_a_terminal_of_a_hundred_has_macs_and_alphas_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    """The layers of a row stand below one another where they do not fit."""
    stream = group(2, *STREAM, macs=20_000_000, sizes=((56, 56), (28, 56)))
    grouped = group(3, "layer1.1.conv2", multiple_of=Fraction(1, 4), smallest_alpha=Fraction(1, 4))
    finer = group(
        4, "layer1.2.conv2", multiple_of=Fraction(1, 8), smallest_alpha=Fraction(1, 8), macs=400_000
    )
    assert shown(space(stream, grouped, finer), 100, monkeypatch)[:8] == [
        "net, 224 px: 1.000 GMACs an item; policy ResNet",
        "",
        "#  of MACs               MACs  channels       size  alpha               layers",
        "                       M/item                   px  allowed             as an alpha map names them",
        "2  ██████████   2.0 %   20.00        64  56, 28x56  any; steps of 1/64  layer1.0.conv3,",
        "                                                                        layer1.1.conv3",
        "3  █████        1.0 %   10.00        64         56  0.25, 0.5, 0.75, 1  layer1.1.conv2",
        "4  ▎           <0.1 %     0.4        64         56  multiples of 1/8    layer1.2.conv2",
    ]


def test_a_terminal_of_eighty_has_room_for_the_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    """MACs give way, and alphas are said in short, with a legend."""
    grouped = group(3, "layer1.1.conv2", multiple_of=Fraction(1, 4), smallest_alpha=Fraction(1, 4))
    lines = shown(space(group(2, *STREAM, named_with=("conv1",)), grouped), 80, monkeypatch)
    assert lines == [
        "net, 224 px: 1.000 GMACs an item; policy ResNet",
        "",
        "#   of MACs         channels  size  alpha    layers",
        "                                px  allowed  as an alpha map names them",
        "2+  █████    1.0 %        64    56  any      layer1.0.conv3, layer1.1.conv3",
        "3   █████    1.0 %        64    56  n/4      layer1.1.conv2",
        "",
        "  2.00 % of the MACs: 2 groups that a uniform alpha makes octave",
        " 98.00 % of the MACs: layers that are always plain",
        "+: meets layers of other groups, which an alpha map must name along",
        "any: every alpha from 0 to 1; a channel more is low at each step of 1/channels",
        "n/4: multiples of 1/4",
        "",
        'An alpha map: {"layer1.0.conv1": 0.5}',
        "octprobe cost net --alpha 'layer1.0.conv1=0.5'",
    ]


def test_a_narrow_terminal_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is no terminal is a hundred wide."""
    output = StringIO()
    console = Console(file=output, width=100, color_system=None, force_terminal=True)
    monkeypatch.setattr("octprobe.commands.groups_view.make_console", lambda: console)
    monkeypatch.setenv("COLUMNS", "80")
    print_groups("net", space(*blocks(1)), "", show_all=False)
    assert output.getvalue().splitlines() == shown(space(*blocks(1)), 80, monkeypatch)


def test_without_groups_there_is_no_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the reason."""
    lines = shown(space(no_policy="nothing fits", example=()), 80, monkeypatch)
    assert lines == [
        "net, 224 px: 1.000 GMACs an item; policy ResNet",
        "No uniform alpha: nothing fits",
        "100.00 % of the MACs: layers that are always plain",
    ]


@given(st.lists(st.text("ab.*", min_size=1, max_size=30), min_size=1), st.integers(1, 60))
def test_words_are_kept_whole_and_lines_fit(words: list[str], room: int) -> None:
    """A word that is longer than the room has a line of its own."""
    lines = wrapped(words, room)
    assert ", ".join(words) == " ".join(lines)
    assert all(len(line) <= room or line.rstrip(",") in words for line in lines)
