"""The share of a MACs saving that became time."""

from pathlib import Path

import pytest

from fakes_store import layer_point, measured, resnet_rows, row
from figures.rows_drawn import axis_titles, frame_of, notes_of, small_frame
from octprobe.figures.saving import info, plot, table


def test_saving_is_time_saved_over_macs_saved(tmp_path: Path) -> None:
    """A quarter of the time at half of the MACs is 50 %; 5 % slower at three quarters is -20 %."""
    frame = small_frame(tmp_path)
    (series,) = info(frame).series
    assert [(p.label, p.x, p.y, p.n) for p in series.points] == [
        ("alpha 0.25", 0.25, pytest.approx(-20.0), 41),
        ("alpha 0.5", 0.5, pytest.approx(50.0), 41),
    ]
    high, low = frame["time_ratio_ci_high"].iloc[2], frame["time_ratio_ci_low"].iloc[2]
    assert series.points[1].y_ends == pytest.approx((100 * (1 - high) / 0.5, 100 * (1 - low) / 0.5))


def test_a_layer_of_one_alpha_has_its_place(tmp_path: Path) -> None:
    """One whose alphas differ has none, and is counted."""
    rows = [
        row(layer_point("0", "0"), measured(1.0, macs=400)),
        row(layer_point("0.5", "0.5"), measured(0.8, 0.8, macs=200)),
        row(layer_point("0", "0.5"), measured(0.9, 0.9, macs=300)),
    ]
    found = info(frame_of(tmp_path, rows))
    assert [[p.x for p in one.points] for one in found.series] == [[0.5]]
    assert found.heading.notes == ("1 row without one alpha left out",)


def test_rows_that_save_no_macs_have_no_share(tmp_path: Path) -> None:
    """Nothing is divided by nothing."""
    found = info(frame_of(tmp_path, resnet_rows([("0", 80.0, None, 400), ("0.5", 60.0, 0.75, 400)])))
    assert found.series == ()
    assert "fewer MACs than vanilla" in notes_of(plot(found)).replace("<br>", " ")


def test_axes_have_units(tmp_path: Path) -> None:
    """And the lines at all and at nothing are named."""
    figure = plot(info(small_frame(tmp_path)))
    assert axis_titles(figure) == [
        "alpha (share of low channels)",
        "realised saving, % (95 % CI)",
    ]
    assert "as slow as vanilla" in notes_of(figure)
    assert "n = 41 pairs" in figure.data[0].hovertext[0]


def test_the_table_says_the_same(tmp_path: Path) -> None:
    """A row an octave point."""
    assert [line[1] for line in table(info(small_frame(tmp_path))).rows] == ["alpha 0.25", "alpha 0.5"]
