"""Latency against MACs, and the line on which time is in proportion to MACs."""

from pathlib import Path

import pytest

from fakes_store import ENVIRONMENT, OTHER_ENVIRONMENT, ended, measured, network_point, resnet_rows, row
from figures.rows_drawn import (
    CONDITIONS,
    HOSTILE,
    TIMES,
    all_text,
    axis_titles,
    frame_of,
    notes_of,
    small_frame,
)
from octprobe.figures.efficiency import info, plot, table
from octprobe.figures.shapes import Point
from octprobe.store.records import Status


def test_points_have_the_rows_own_figures(tmp_path: Path) -> None:
    """Median, interval and number of samples as the store has them; vanilla first."""
    frame = small_frame(tmp_path)
    (series,) = info(frame).series
    ends = list(zip(frame["latency_ms_ci_low"], frame["latency_ms_ci_high"], strict=True))
    assert series.points == (
        Point("alpha 0", 4e9, 80.0, None, ends[0], 41),
        Point("alpha 0.25", 3e9, 84.0, None, ends[1], 41),
        Point("alpha 0.5", 2e9, 60.0, None, ends[2], 41),
    )


def test_the_iso_line_goes_through_vanilla_and_the_origin(tmp_path: Path) -> None:
    """At half of vanilla's MACs it has half of its time."""
    (iso,) = info(small_frame(tmp_path)).iso
    assert iso is not None
    assert (iso.macs, iso.latency_ms) == ((2e9, 4e9), (40.0, 80.0))


def test_the_title_has_the_conditions(tmp_path: Path) -> None:
    """Device, batch, pixels, number format and execution."""
    assert info(small_frame(tmp_path)).heading.conditions == CONDITIONS


def test_axes_have_units_and_points_error_bars(tmp_path: Path) -> None:
    """The bars' lengths are the distances of the interval's ends."""
    found = info(small_frame(tmp_path))
    figure = plot(found)
    assert axis_titles(figure) == ["MACs an item", "latency, ms/call (median, 95 % CI)"]
    point, bars = found.series[0].points[2], figure.data[0].error_y
    assert point.y_ends is not None
    assert bars.array[2] == pytest.approx(point.y_ends[1] - 60)
    assert bars.arrayminus[2] == pytest.approx(60 - point.y_ends[0])
    assert "n = 41 samples" in figure.data[0].hovertext[2]


def test_series_are_named_by_what_tells_them_apart(tmp_path: Path) -> None:
    """Batches and environments are never one line."""
    rows = [*resnet_rows(TIMES, batch=1), *resnet_rows(TIMES, batch=8)]
    assert [one.name for one in info(frame_of(tmp_path / "a", rows)).series] == [
        "resnet50, batch 1",
        "resnet50, batch 8",
    ]
    points = [(network_point("0"), None), (network_point("0.5"), 0.9)]
    rows = [row(p, measured(80.0, r), e) for e in (OTHER_ENVIRONMENT, ENVIRONMENT) for p, r in points]
    assert [one.name for one in info(frame_of(tmp_path / "b", rows)).series] == [
        "resnet50, Fake CPU 3000, torch 2.10.0",
        "resnet50, Fake CPU 3000, torch 2.9.0",
    ]


def test_rows_that_failed_or_lack_a_figure_are_left_out(tmp_path: Path) -> None:
    """The latter are counted."""
    bare = measured(50.0, 0.8, cost=None)
    rows = [*resnet_rows(TIMES), row(network_point("0.75"), bare), ended(network_point("1"), Status.FAILED)]
    found = info(frame_of(tmp_path, rows))
    assert [point.label for point in found.series[0].points] == ["alpha 0", "alpha 0.25", "alpha 0.5"]
    assert found.heading.notes == ("1 row without a count of MACs left out",)


def test_nothing_to_draw_says_why(tmp_path: Path) -> None:
    """An annotated figure, no exception: failures only, vanilla only, no rows."""
    frame = frame_of(tmp_path, [ended(network_point("0.5"), Status.FAILED)])
    for rows in (frame, frame.iloc[:0]):
        found = info(rows)
        assert found.heading.reason == "no octave row has both a latency and a count of MACs"
        assert "Nothing to draw" in notes_of(plot(found))
        assert table(found).rows == ()


def test_text_of_a_store_is_no_markup(tmp_path: Path) -> None:
    """Plotly renders some HTML in labels: a network's name is none."""
    text = all_text(plot(info(frame_of(tmp_path, resnet_rows(TIMES, HOSTILE)))))
    assert "&lt;" in text
    assert not [tag for tag in ("<b>", "<a ", "<script") if tag in text]


def test_many_points_are_thinned_and_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ends stay; vanilla is beside the share of points."""
    monkeypatch.setattr("octprobe.figures.rows.MOST_POINTS", 3)
    times = [("0", 80.0, None, 4000), *((f"0.{n}", 70.0, 0.9, 3000 - n) for n in range(1, 10))]
    found = info(frame_of(tmp_path, resnet_rows(times)))
    assert [point.label for point in found.series[0].points] == [
        "alpha 0",
        "alpha 0.1",
        "alpha 0.5",
        "alpha 0.9",
    ]
    assert found.heading.notes == ("3 of 9 octave points are drawn, evenly chosen",)


def test_many_lines_are_cut_and_it_is_said(tmp_path: Path) -> None:
    """Those with the most points stay."""
    rows = [line for batch in range(1, 15) for line in resnet_rows(TIMES[: 2 + (batch > 1)], batch=batch)]
    found = info(frame_of(tmp_path, rows))
    assert len(found.series) == 12
    assert all("batch 1," not in f"{one.name}," for one in found.series)
    assert found.heading.notes == ("12 of 14 lines are drawn, those with the most points",)


def test_the_table_says_the_same(tmp_path: Path) -> None:
    """A row a point, figures in full."""
    found = table(info(small_frame(tmp_path)))
    assert found.rows[2][:4] == ("resnet50", "alpha 0.5", 2_000_000_000, 60.0)
    assert found.head[2:4] == ("MACs/item", "latency, ms/call")
