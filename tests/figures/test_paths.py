"""Device time by octave path."""

from pathlib import Path

import pytest

from fakes_store import breakdown_of, ended, measured, network_point, row
from figures.rows_drawn import HOSTILE, all_text, axis_titles, frame_of, notes_of
from octprobe.figures.paths import info, plot, table
from octprobe.store.records import Breakdown, Status
from octprobe.store.row import Row


def rows(breakdown: Breakdown | None) -> list[Row]:
    """Give vanilla and an octave row with this breakdown."""
    return [
        row(network_point("0"), measured(80.0, breakdown=breakdown_of(50.0))),
        row(network_point("0.5"), measured(60.0, 0.75, breakdown=breakdown)),
    ]


def test_times_are_the_rows_own(tmp_path: Path) -> None:
    """Ten parts of one size make the whole; the backward has none."""
    (facet,) = info(frame_of(tmp_path, rows(breakdown_of(40.0)))).facets
    octave = facet.rows[1]
    assert octave.by_path["h2l"] == pytest.approx(4.0)
    assert "backward" not in octave.by_path
    assert (octave.whole_ms, octave.reason) == (40.0, None)


def test_what_is_not_known_by_path_says_why(tmp_path: Path) -> None:
    """The whole stands faint with its reason, and the reason is inert."""
    whole = Breakdown(device_time_ms=40.0, kernels=None, host_bound=None, parts_reason=HOSTILE)
    found = info(frame_of(tmp_path, rows(whole)))
    assert found.facets[0].rows[1].reason == HOSTILE
    figure = plot(found)
    assert "not by path: &lt;b&gt;bold" in all_text(figure)
    assert "<script" not in all_text(figure)
    assert table(found).rows[1][-2:] == (40.0, HOSTILE)


def test_a_row_without_any_breakdown_is_said_too(tmp_path: Path) -> None:
    """No bar, a reason."""
    figure = plot(info(frame_of(tmp_path, rows(None))))
    assert "no breakdown was measured" in all_text(figure)


def test_axes_have_units_and_each_path_a_look_of_its_own(tmp_path: Path) -> None:
    """Milliseconds a call; colour and hatching together are never the same twice."""
    figure = plot(info(frame_of(tmp_path, rows(breakdown_of(40.0)))))
    assert axis_titles(figure) == ["device time, ms/call", "alpha"]
    looks = [(bar.marker.color, bar.marker.pattern.shape) for bar in figure.data]
    assert len(looks) == len(set(looks)) == 10


def test_nothing_to_draw_says_why(tmp_path: Path) -> None:
    """A store of failures."""
    found = info(frame_of(tmp_path, [ended(network_point("0.5"), Status.FAILED)]))
    assert "no octave row has a breakdown" in notes_of(plot(found)).replace("<br>", " ")
