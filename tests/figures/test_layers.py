"""Maps of single layers' speed-up."""

from dataclasses import replace
from pathlib import Path

import pytest

from fakes_store import layer_point, measured, row
from figures.rows_drawn import axis_titles, frame_of, notes_of, small_frame
from octprobe.figures.layers import info, plot, table
from octprobe.plan.point import Conditions
from octprobe.store.row import Row

SHAPES = ((64, 56, 0.8), (512, 7, 1.25))


def layer_rows(stride: int = 1, **conditions: int) -> list[Row]:
    """Give two layers at alpha 0 and 0.5."""
    rows = []
    for channels, side, ratio in SHAPES:
        for alpha in ("0", "0.5"):
            point = layer_point(alpha, alpha, in_channels=channels, out_channels=channels, stride=stride)
            point = replace(point, conditions=Conditions(resolution=side, **conditions))
            rows.append(row(point, measured(1.0, None if alpha == "0" else ratio)))
    return rows


def test_cells_are_vanillas_time_over_the_layers(tmp_path: Path) -> None:
    """A ratio of 0.8 is a speed-up of 1.25; the interval's ends change places."""
    frame = frame_of(tmp_path, layer_rows())
    (found,) = info(frame).maps
    assert [(c.shape, c.resolution, c.speedup, c.pairs, c.verdict) for c in found.cells] == [
        ("64 → 64, 3×3", 56, pytest.approx(1.25), 41, "FASTER"),
        ("512 → 512, 3×3", 7, pytest.approx(0.8), 41, "SLOWER"),
    ]
    ends = found.cells[0].ends
    assert ends is not None
    assert ends == pytest.approx(
        (1 / frame["time_ratio_ci_high"].iloc[1], 1 / frame["time_ratio_ci_low"].iloc[1])
    )


def test_each_alpha_and_stride_has_a_map(tmp_path: Path) -> None:
    """Under one another, with one scale; empty cells are gaps."""
    found = info(frame_of(tmp_path, [*layer_rows(1), *layer_rows(2)]))
    assert [one.name for one in found.maps] == ["alpha 0.5, stride 1", "alpha 0.5, stride 2"]
    figure = plot(found)
    assert [list(row) for row in figure.data[0].z] == [
        [None, pytest.approx(0.3219, abs=1e-4)],
        [pytest.approx(-0.3219, abs=1e-4), None],
    ]
    assert set(axis_titles(figure)) == {"input resolution, px", "channels"}


def test_other_conditions_are_not_mixed_in(tmp_path: Path) -> None:
    """One combination is drawn, the title says which, a note how many there are."""
    found = info(frame_of(tmp_path, [*layer_rows(batch=1), *layer_rows(batch=8)[:2]]))
    assert "batch 1," in found.heading.conditions
    assert found.heading.notes == ("1 of 2 combinations of conditions is drawn, the one of most layers",)
    assert len(table(found).rows) == 2


def test_a_store_of_networks_has_no_map(tmp_path: Path) -> None:
    """It says so."""
    assert "no single layer" in notes_of(plot(info(small_frame(tmp_path)))).replace("<br>", " ")


def test_what_has_no_place_is_counted(tmp_path: Path) -> None:
    """Layers between two alphas, and shapes beyond what a map has room for; paddings are told apart."""
    rows = layer_rows()
    for channels in range(1, 33):
        point = layer_point("0.5", "0.5", in_channels=channels, out_channels=channels)
        rows.append(row(replace(point, conditions=Conditions(resolution=56)), measured(1.0, 0.9)))
    rows.append(
        row(replace(layer_point("0", "0.5"), conditions=Conditions(resolution=56)), measured(1.0, 0.9))
    )
    padded = layer_point("0.5", "0.5", padding=0)
    rows.append(row(replace(padded, conditions=Conditions(resolution=56)), measured(1.0, 0.9)))
    found = info(frame_of(tmp_path, rows))
    assert "1 layers whose alphas in and out differ are left out" in found.heading.notes
    assert "at most 30 of 35 shapes are drawn in a map" in found.heading.notes
    assert len(found.maps[0].shapes) == 30
