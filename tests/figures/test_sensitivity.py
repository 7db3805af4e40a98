"""The map of what alpha groups cost."""

from dataclasses import replace

import pytest

from figures.rows_drawn import axis_titles, notes_of
from octprobe.figures.sensitivity import info, plot, table
from octprobe.store.sensitivity import Sensitivity

ROW = Sensitivity(
    network="octprobe:resnet8",
    dataset="fashion-mnist",
    split="validation",
    recipe_digest="0123",
    seed=0,
    checkpoint="elastic.pt",
    group_number=2,
    layers=("layer1.0.conv1",),
    alpha=0.5,
    macs=9_000_000,
    baseline_macs=10_000_000,
    images=5000,
    baseline_right=4600,
    newly_wrong=40,
    newly_right=25,
)
OTHER = replace(ROW, group_number=10, layers=("layer3",), newly_wrong=10, newly_right=30)


def test_a_cell_is_what_a_group_loses_alone() -> None:
    """In points, with the interval; a group that gains has a loss below 0."""
    (found,) = info([OTHER, ROW, replace(ROW, alpha=0.25)]).maps
    assert found.groups == ("2: layer1.0.conv1", "10: layer3")
    assert found.alphas == (0.25, 0.5)
    assert [(cell.group, cell.alpha, cell.lost_points) for cell in found.cells] == [
        ("2: layer1.0.conv1", 0.25, pytest.approx(0.3)),
        ("2: layer1.0.conv1", 0.5, pytest.approx(0.3)),
        ("10: layer3", 0.5, pytest.approx(-0.4)),
    ]
    lost = ROW.lost_points
    assert found.cells[0].ends == (lost.low, lost.high)
    assert found.cells[0].saved_percent == pytest.approx(10)


def test_seeds_share_a_cell() -> None:
    """Their answers are counted together."""
    (found,) = info([ROW, replace(ROW, seed=1, newly_wrong=60)]).maps
    (cell,) = found.cells
    assert (cell.lost_points, cell.images, cell.seeds) == (pytest.approx(0.5), 10_000, 2)


def test_recipes_are_not_mixed() -> None:
    """Each has a map; all share one scale, on which a loss is orange and a gap a gap."""
    found = info([ROW, OTHER, replace(ROW, recipe_digest="4567", alpha=0.25, newly_wrong=125)])
    assert [one.name for one in found.maps] == [
        "octprobe:resnet8, fashion-mnist, recipe 0123",
        "octprobe:resnet8, fashion-mnist, recipe 4567",
    ]
    drawn = plot(found)
    assert [list(row) for row in drawn.data[0].z] == [[pytest.approx(-0.3)], [pytest.approx(0.4)]]
    assert list(drawn.data[0].text[0]) == ["0.30"]
    assert (drawn.layout.coloraxis.cmin, drawn.layout.coloraxis.cmax) == (-2.0, 2.0)
    assert list(drawn.layout.coloraxis.colorbar.ticktext) == ["2.0", "0.0", "-2.0"]
    assert set(axis_titles(drawn)) == {"alpha of the group", "alpha group"}


def test_the_table_says_the_same() -> None:
    """A row a cell, the first of the network on top."""
    found = table(info([ROW, OTHER]))
    assert found.head[3] == "top-1 lost, points"
    assert [(row[1], row[3], row[6], row[7]) for row in found.rows] == [
        ("2: layer1.0.conv1", pytest.approx(0.3), pytest.approx(10.0), 1),
        ("10: layer3", pytest.approx(-0.4), pytest.approx(10.0), 1),
    ]


def test_names_are_no_markup() -> None:
    """A store's names are another person's text."""
    drawn = plot(info([replace(ROW, network="<b>n</b>", layers=("<a href='x'>",))]))
    assert "<b>" not in drawn.layout.annotations[0].text
    assert "<a" not in drawn.data[0].y[0] + drawn.data[0].hovertext[0][0]


def test_without_rows_it_says_so() -> None:
    """No empty axes."""
    assert "no sensitivity" in notes_of(plot(info([]))).replace("<br>", " ")
