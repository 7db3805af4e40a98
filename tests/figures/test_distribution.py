"""Boxes and samples of latency."""

from pathlib import Path

import numpy as np
import pytest

from fakes_store import measured, network_point, row
from figures.rows_drawn import axis_titles, frame_of, notes_of, small_frame
from octprobe.figures.distribution import info, plot, table


def test_quartiles_are_those_of_the_raw_samples(tmp_path: Path) -> None:
    """As numpy gives them, of all samples; the median and its interval are the row's."""
    frame = small_frame(tmp_path)
    (facet,) = info(frame).facets
    samples = frame["latency_ms_samples"].iloc[2]
    faster = facet.rows[2]
    assert faster.quartiles == pytest.approx(tuple(np.quantile(samples, (0.25, 0.75))))
    assert (faster.median, faster.n, faster.is_vanilla) == (60.0, 41, False)
    assert faster.shown == tuple(sorted(samples))
    assert faster.fences == (min(samples), max(samples))
    assert [one.is_vanilla for one in facet.rows] == [True, False, False]


def test_a_lone_sample_lies_beyond_the_fence(tmp_path: Path) -> None:
    """It is drawn as a sample, the whisker ends before it."""
    found = measured(10.0, 0.9)
    assert found.latency is not None
    object.__setattr__(found.latency, "samples_ms", (*found.latency.samples_ms[:-1], 30.0))
    rows = [row(network_point("0"), measured(10.0)), row(network_point("0.5"), found)]
    one = info(frame_of(tmp_path, rows)).facets[0].rows[1]
    assert one.shown[-1] == 30.0
    assert one.fences[1] < 11


def test_many_samples_are_thinned_and_it_is_said(tmp_path: Path) -> None:
    """The count in the hover text stays that of all."""
    rows = [row(network_point(a), measured(10.0, None if a == "0" else 0.9, count=401)) for a in ("0", "0.5")]
    found = info(frame_of(tmp_path, rows))
    assert found.heading.notes == ("at most 120 samples a row are drawn, evenly chosen",)
    assert [len(one.shown) for one in found.facets[0].rows] == [120, 120]
    assert any("n = 401 samples" in (text or "") for t in plot(found).data for text in (t.hovertext or ()))


def test_axes_have_units(tmp_path: Path) -> None:
    """Milliseconds a call over rows by alpha."""
    assert axis_titles(plot(info(small_frame(tmp_path)))) == ["latency, ms/call", "alpha"]


def test_a_frame_without_samples_says_so(tmp_path: Path) -> None:
    """As when only some columns were read."""
    found = info(small_frame(tmp_path).drop(columns="latency_ms_samples"))
    assert "raw samples were not read" in notes_of(plot(found)).replace("<br>", " ")
    assert table(found).rows == ()
