"""Peak memory beside the closed form of feature maps."""

from pathlib import Path

import pandas as pd

from fakes_store import measured, network_point, row
from figures.rows_drawn import axis_titles, frame_of, notes_of
from octprobe.figures.memory import info, plot, table

PEAKS = (("0", 1000), ("0.5", 700), ("0.75", None))


def frame(path: Path) -> pd.DataFrame:
    """Give a group with two peaks."""
    return frame_of(
        path, [row(network_point(a), measured(80.0, None if a == "0" else 0.9, peak=p)) for a, p in PEAKS]
    )


def test_peaks_are_in_percent_of_vanillas(tmp_path: Path) -> None:
    """A row without a peak is counted, not drawn at 0."""
    found = info(frame(tmp_path))
    assert [(p.x, p.y) for p in found.series[0].points] == [(0.0, 100.0), (0.5, 70.0)]
    assert found.peak_bytes == ((1000, 700),)
    assert found.heading.notes == ("1 row without a measured peak beside vanilla's left out",)


def test_the_closed_form_is_predicted_and_open(tmp_path: Path) -> None:
    """1 - 3/4 alpha; measured markers are filled."""
    found = info(frame(tmp_path))
    predicted = {point.x: point.y for point in found.predicted.points}
    assert (predicted[0.0], predicted[0.5], predicted[1.0]) == (100.0, 62.5, 25.0)
    lines = plot(found).data
    assert [line.marker.symbol for line in lines] == ["circle-open", "circle"]
    assert lines[0].name.startswith("predicted")


def test_axes_have_units(tmp_path: Path) -> None:
    """Percent of vanilla over the share of low channels."""
    assert axis_titles(plot(info(frame(tmp_path)))) == [
        "alpha (share of low channels)",
        "peak memory of a call, % of vanilla",
    ]


def test_a_store_without_peaks_says_so(tmp_path: Path) -> None:
    """No exception."""
    rows = [row(network_point(a), measured(80.0, None, peak=None)) for a in ("0", "0.5")]
    found = info(frame_of(tmp_path, rows))
    assert "measured peak" in notes_of(plot(found)).replace("<br>", " ")


def test_the_table_has_bytes_and_the_closed_form(tmp_path: Path) -> None:
    """Beside the share."""
    assert table(info(frame(tmp_path))).rows[1] == ("resnet50", "alpha 0.5", 0.5, 700, 70.0, 62.5)
