"""How a fault is shown."""

import pytest

from octprobe.plan.fault import Fault, Place, did_you_mean, harmless, show_path, show_value, spec_error


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (1.25, "1.25"),
        (True, "true"),
        (None, "null"),
        ("8", '"8"'),
        (float("nan"), ".nan"),
        (float("-inf"), "-.inf"),
        ([1, {"a": "b"}], '[1, {"a": "b"}]'),
        ("é", '"é"'),
        ("\x1b[31m\u202e\ud800", '"\\u001b[31m\\u202e\\ud800"'),
    ],
)
def test_show_value(value: object, shown: str) -> None:
    """Values look as they do in YAML, text in double quotes, controls escaped."""
    assert show_value(value) == shown


def test_long_values_are_cut() -> None:
    """A value never takes more than a line."""
    shown = show_value("x" * 1000)
    assert len(shown) == 80
    assert shown.endswith("x...")


def test_harmless_text_encodes() -> None:
    """What comes out can be written to any UTF-8 terminal and has no control character."""
    text = harmless("".join(map(chr, range(0x250))) + "\ud800\u2028\u202e")
    assert text.isprintable()
    text.encode("utf-8")


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ((), ""),
        (("axes", "alpha", 3), "axes.alpha[3]"),
        (("axes", "alpha", 0, "layer2.*"), 'axes.alpha[0]["layer2.*"]'),
    ],
)
def test_show_path(path: tuple[str | int, ...], shown: str) -> None:
    """Keys are joined by points, indices and odd keys stand in brackets."""
    assert show_path(path) == shown


def test_did_you_mean() -> None:
    """Only a close word is proposed."""
    assert did_you_mean("bacth", ["batch", "alpha"]) == '; did you mean "batch"?'
    assert did_you_mean("BATCH", ["L2H", "batch"]) == '; did you mean "batch"?'
    assert did_you_mean("l2h", ["L2H", "batch"]) == '; did you mean "L2H"?'
    assert did_you_mean("zzz", ["batch", "alpha"]) == ""


def test_faults_stand_in_the_order_of_their_places() -> None:
    """The first fault of the file is read first, whoever found it first."""
    faults = [(Place(2, 1), Fault(("b",), "second")), (Place(1, 4), Fault(("a",), "first", 7))]
    assert str(spec_error("f.yaml", ["a: 7", "b: 8"], faults)) == (
        "f.yaml:1:4: a: first (7)\n    a: 7\n       ^\nf.yaml:2:1: b: second\n    b: 8\n    ^"
    )


def test_caret_of_a_long_line_stays_under_its_character() -> None:
    """A long line is shown through a window that moves with the caret."""
    line = "a" * 300 + "!" + "b" * 300
    shown = str(spec_error("f", [line], [(Place(1, 301), Fault((), "x"))])).splitlines()
    assert len(shown[1]) == 114
    assert shown[1][shown[2].index("^")] == "!"


def test_tab_before_the_caret_counts_as_one_column() -> None:
    """A tab is shown as one blank, so that the caret stands right on every terminal."""
    shown = str(spec_error("f", ["k:\tv"], [(Place(1, 4), Fault((), "x"))])).splitlines()
    assert shown[1:] == ["    k: v", "       ^"]
