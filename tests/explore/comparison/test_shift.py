"""Two sides by columns: the same points, statuses and ratios as row by row."""

from pathlib import Path

import numpy as np
import pandas as pd

from fakes_store import ended, layer_point, measured, network_point, row
from octprobe.explore.comparison.change import Basis
from octprobe.explore.comparison.shift import LAYERS, SHIFT_COLUMNS, SubjectShift, shift_of
from octprobe.store.columns import read_columns
from octprobe.store.records import Status
from octprobe.store.row import Row
from octprobe.store.store import Store


def frame_of(path: Path, rows: list[Row]) -> pd.DataFrame:
    Store.create(path).append(rows)
    return read_columns(path, SHIFT_COLUMNS).frame


def test_medians_are_set_beside_each_other(tmp_path: Path) -> None:
    """By network; what only one side has, or ended otherwise, is counted."""
    alphas = ("0", "0.25", "0.5", "0.75")
    before = [row(network_point(alpha), measured(100.0)) for alpha in alphas]
    after = [
        row(network_point(alpha), measured(median))
        for alpha, median in zip(alphas[:3], (110.0, 120.0, 130.0), strict=True)
    ]
    a = frame_of(tmp_path / "a", [*before, row(layer_point("0", "0"), measured(1.0))])
    after += [
        ended(layer_point("0", "0"), Status.CRASHED),
        row(network_point("0", "resnet18"), measured(5.0)),
    ]
    found = shift_of(a, frame_of(tmp_path / "b", after), Basis.LATENCY)
    assert (found.points, found.only_a, found.only_b) == (4, 1, 1)
    assert found.subjects[0] == SubjectShift("resnet50", 3, 0, 3, (1.15, 1.2, 1.25))
    assert found.subjects[1] == SubjectShift(LAYERS, 1, 1, 0, None)


def test_another_figure_and_nothing_in_common(tmp_path: Path) -> None:
    """Ratios of ratios; a vanilla row has none."""
    a = frame_of(
        tmp_path / "a",
        [row(network_point("0.5"), measured(70.0, 0.8)), row(network_point("0"), measured(90.0))],
    )
    b = frame_of(
        tmp_path / "b",
        [row(network_point("0.5"), measured(70.0, 0.6)), row(network_point("0"), measured(90.0))],
    )
    (subject,) = shift_of(a, b, Basis.TIME_RATIO).subjects
    assert (subject.points, subject.compared) == (2, 1)
    assert np.allclose(subject.quartiles or (), 0.75)
    assert shift_of(a, b.iloc[:0], Basis.LATENCY) == (2, 0, ())
