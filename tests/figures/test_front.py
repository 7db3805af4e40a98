"""The front as a figure: standings, steps, and published accuracies told apart from measured latencies."""

from pathlib import Path

import pytest

from fakes_store import ended, measured, network_point, resnet_rows, row
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
from octprobe.explore.accuracies import with_accuracies
from octprobe.explore.front import Standing
from octprobe.figures.front import chosen, info, plot, table
from octprobe.figures.look import Kind
from octprobe.store.accuracy import PUBLISHED, Accuracy
from octprobe.store.records import Status


def accuracy(alpha: float, top1: float, family: str = "authors") -> Accuracy:
    """Give a published accuracy of a ResNet-50."""
    return Accuracy(
        network="ResNet-50",
        architecture="resnet50",
        alpha=alpha,
        dataset="ImageNet",
        top1_percent=top1,
        baseline_top1_percent=77.0,
        resolution=224,
        kind=PUBLISHED,
        source_family=family,
        source="a paper",
    )


ACCURACIES = (accuracy(0.0, 77.0), accuracy(0.25, 76.5), accuracy(0.5, 76.0))


def test_points_keep_their_standing(tmp_path: Path) -> None:
    """Alpha 0.25 is slower than vanilla and less accurate: dominated; the others are the front."""
    found = info(with_accuracies(small_frame(tmp_path), ACCURACIES), "latency", "top1")
    (line,) = found.lines
    assert [(d.point.label, d.point.x, d.point.y, d.standing) for d in line.dots] == [
        ("resnet50 alpha 0.5", 60.0, 76.0, Standing.ON_FRONT),
        ("resnet50 alpha 0", 80.0, 77.0, Standing.ON_FRONT),
        ("resnet50 alpha 0.25", 84.0, 76.5, Standing.DOMINATED),
    ]
    assert line.steps == ((60.0, 76.0), (80.0, 77.0))
    assert found.heading.title == "Top-1 accuracy against latency"
    assert found.heading.conditions == CONDITIONS


def test_published_is_crossed_and_cited(tmp_path: Path) -> None:
    """A front over two measured columns has filled markers."""
    frame = with_accuracies(small_frame(tmp_path), ACCURACIES)
    published, plain = info(frame, "latency", "top1"), info(frame, "latency", "macs")
    assert {dot.kind for dot in published.lines[0].dots} == {Kind.PUBLISHED}
    assert published.lines[0].dots[0].source == "a paper, exact"
    assert {dot.kind for dot in plain.lines[0].dots} == {Kind.MEASURED}
    symbols = [list(trace.marker.symbol) for trace in plot(published).data if trace.hovertext]
    assert symbols == [["square-x-open"], ["circle-x-open"] * 2]
    assert "published: a paper, exact" in all_text(plot(published))
    assert [list(t.marker.symbol) for t in plot(plain).data if t.hovertext][-1] == ["circle"]


def test_within_noise_is_told_apart(tmp_path: Path) -> None:
    """A point as wide as its distance is no front, nor surely off it."""
    rows = resnet_rows([("0", 80.0, None, 2000)])
    rows.append(row(network_point("0.5"), measured(80.2, 1.0, macs=2000)))
    found = info(frame_of(tmp_path, rows), "latency", "macs")
    assert [dot.standing for dot in found.lines[0].dots] == [Standing.ON_FRONT, Standing.WITHIN_NOISE]
    names = [trace.name for trace in plot(found).data]
    assert "on the front within noise" in names


def test_sources_and_batches_have_lines_of_their_own(tmp_path: Path) -> None:
    """Accuracies of two families are never on one front; each line says what it is of."""
    rows = [*resnet_rows(TIMES, batch=1), *resnet_rows(TIMES, batch=8)]
    both = (*ACCURACIES, accuracy(0.5, 77.5, "others"))
    found = info(with_accuracies(frame_of(tmp_path, rows), both), "latency", "top1")
    assert sorted(line.name for line in found.lines) == [
        "batch 1, authors",
        "batch 1, others",
        "batch 8, authors",
        "batch 8, others",
    ]


def test_axes_have_units_and_intervals_bars(tmp_path: Path) -> None:
    """A published accuracy without an interval has none."""
    frame = with_accuracies(small_frame(tmp_path), ACCURACIES)
    figure = plot(info(frame, "latency", "top1"))
    assert axis_titles(figure) == ["latency, ms/call (median, 95 % CI)", "top-1 accuracy, %"]
    front = next(trace for trace in figure.data if trace.hovertext and len(trace.hovertext) == 2)
    assert front.error_x.array[0] == pytest.approx(frame["latency_ms_ci_high"].iloc[2] - 60)
    assert front.error_y.array is None
    assert "n = 41 samples" in front.hovertext[0]
    assert front.hovertext[0].split("<br>")[2].startswith("latency 60.00 [")
    assert "] ms/call" in front.hovertext[0]
    assert axis_titles(plot(info(frame, "latency", "memory"))) == [
        "latency, ms/call (median, 95 % CI)",
        "memory, bytes",
    ]


def test_steps_of_a_maximized_x_lead_up_before_they_lead_on(tmp_path: Path) -> None:
    """Between two throughputs the figure of the greater one is reached."""
    frame = small_frame(tmp_path)
    shapes = [plot(info(frame, x, "macs")).data[0].line.shape for x in ("latency", "throughput")]
    assert shapes == ["hv", "vh"]


def test_the_points_of_a_front_stay_where_others_are_thinned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And it is said; the shade counts them all."""
    monkeypatch.setattr("octprobe.figures.front_points.MOST_DOTS", 29)
    monkeypatch.setattr("octprobe.figures.front_points.DOTS_IN_SHADE", 5)
    times = [("0", 50.0, None, 10), *((f"0.{n:02}", 60.0 + n, 0.9, 20 + n) for n in range(1, 30))]
    found = info(frame_of(tmp_path, resnet_rows(times)), "latency", "macs")
    assert len(found.lines[0].dots) == 5
    assert found.lines[0].steps == ((50.0, 10.0),)
    assert "5 of 30 points are drawn" in found.heading.notes[-1]
    assert found.density is not None
    assert sum(map(sum, found.density.counts)) == 30
    assert plot(found).data[0].type == "heatmap"


def test_all_points_of_a_small_front_are_drawn_without_a_shade(tmp_path: Path) -> None:
    """Each has its name, by which a click finds its row."""
    found = info(frame_of(tmp_path, resnet_rows(TIMES)), "latency", "macs")
    names = [dot.name for line in found.lines for dot in line.dots]
    assert found.density is None
    assert len(set(names)) == len(names) == len(TIMES)
    assert [name for trace in plot(found).data for name in trace.customdata or ()] != []
    kept = chosen(found, names[:1])
    assert [dot.name for line in kept.lines for dot in line.dots] == names[:1]


def test_nothing_to_draw_says_why(tmp_path: Path) -> None:
    """No accuracy of these networks, or no rows."""
    frame = with_accuracies(small_frame(tmp_path), ())
    found = info(frame, "latency", "top1")
    assert "no measured row has both latency and top1" in notes_of(plot(found)).replace("<br>", " ")
    assert table(found).rows == ()
    assert plot(info(frame.iloc[:0], "latency", "top1")).data == ()
    failed = frame_of(tmp_path / "failed", [ended(network_point("0.5"), Status.FAILED)])
    assert "left out: 1 row" in info(failed, "latency", "macs").heading.notes[0]


def test_text_of_a_store_is_no_markup(tmp_path: Path) -> None:
    """Names stand beside the points of a small front."""
    text = all_text(plot(info(frame_of(tmp_path, resnet_rows(TIMES, HOSTILE)), "latency", "macs")))
    assert "&lt;b&gt;" in text
    assert not [tag for tag in ("<b>", "<a ", "<script") if tag in text]


def test_the_table_says_the_same(tmp_path: Path) -> None:
    """A row a point, with its standing and its source."""
    found = table(info(with_accuracies(small_frame(tmp_path), ACCURACIES), "latency", "top1"))
    assert found.head[2] == "latency, ms/call"
    assert found.rows[0][1:3] == ("resnet50 alpha 0.5", 60.0)
    assert found.rows[0][-4:-1] == (41, "on the front", "a paper, exact")
