"""One look for all figures, and text that stays text."""

import pytest

from octprobe.figures.look import COLOURS, Kind, colour, marker, symbol, template, wrapped
from octprobe.figures.rows import thinned
from octprobe.figures.text import escaped, shortened


def test_kinds_have_markers_of_their_own() -> None:
    """Filled, open, crossed."""
    assert [marker("circle", kind) for kind in Kind] == ["circle", "circle-open", "circle-x-open"]


def test_eighteen_series_differ_in_colour_or_shape() -> None:
    """So that colour is never the only sign beyond six."""
    looks = [(colour(place), symbol(place)) for place in range(18)]
    assert len(set(looks)) == 18


@pytest.mark.parametrize(("scheme", "paper"), [("light", "#FFFFFF"), ("dark", "#14181D")])
def test_every_colour_can_be_seen_on_both_backgrounds(scheme: str, paper: str) -> None:
    """A contrast of 2 at least, as markers need it beside their shapes; text has 10."""
    found = template(scheme).layout
    assert found.paper_bgcolor == paper
    assert min(_contrast(hue, paper) for hue in COLOURS) > 2
    assert _contrast(found.font.color, paper) > 10


def test_labels_hold_no_markup() -> None:
    """Tags, entities and characters that turn the writing."""
    assert escaped("<a href='x'>&amp;\u202e") == "&lt;a href='x'&gt;&amp;amp;\\u202e"
    assert wrapped("<b> " * 20).replace("<br>", " ") == " ".join(["&lt;b&gt;"] * 20)


def test_long_names_are_cut_in_the_middle() -> None:
    """Both ends tell names apart."""
    assert shortened("a" * 100 + "b", 11) == "aaaaa…aaaab"
    assert shortened("short", 11) == "short"


def test_thinning_keeps_both_ends() -> None:
    """And everything where it fits."""
    assert thinned(5, 10).tolist() == [0, 1, 2, 3, 4]
    assert thinned(101, 3).tolist() == [0, 50, 100]


def _contrast(one: str, other: str) -> float:
    """Give the contrast by WCAG 2."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(hue: str) -> float:
    parts = [int(hue[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
