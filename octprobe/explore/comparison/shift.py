"""Two sides of very many points by columns: how the medians moved, subject by subject, without a verdict.

A verdict needs the raw samples of both rows of each point, and a correction over all of them; this takes the
medians alone, so that it answers for a million rows while a person waits.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from octprobe.explore.comparison.change import Basis
from octprobe.store.records import Status

Floats = npt.NDArray[np.float64]

LAYERS = "single layers"
_MEDIANS = {Basis.LATENCY: "latency_ms_median", Basis.TIME_RATIO: "time_ratio_median"}
# What both sides' rows are read with, beside what chooses them.
SHIFT_COLUMNS = ("network", "status", *_MEDIANS.values())
_QUARTILES = (25, 50, 75)


class SubjectShift(NamedTuple):
    """How the points of one network, or the single layers, moved.

    Attributes:
        subject: the network, or `LAYERS`.
        points: on both sides.
        ended_otherwise: of these, with another status in B than in A.
        compared: of these, with a median on both sides.
        quartiles: first, second and third quartile of B over A; None where none is compared.
    """

    subject: str
    points: int
    ended_otherwise: int
    compared: int
    quartiles: tuple[float, float, float] | None


class Shift(NamedTuple):
    """What two sides have in common, and how that moved.

    Attributes:
        only_a: points that A alone has.
        only_b: points that B alone has.
        subjects: by name.
    """

    only_a: int
    only_b: int
    subjects: tuple[SubjectShift, ...]

    @property
    def points(self) -> int:
        """Count the points on both sides."""
        return sum(one.points for one in self.subjects)


def shift_of(a: pd.DataFrame, b: pd.DataFrame, basis: Basis) -> Shift:
    """Join two sides on `point_id` and set their medians beside each other.

    Args:
        a: rows of side A, one a point, with `SHIFT_COLUMNS`.
        b: rows of side B.
        basis: the figure that is compared.
    """
    places = pd.Index(b["point_id"]).get_indexer(pd.Index(a["point_id"]))
    before, after = a[places >= 0], b.iloc[places[places >= 0]]
    ratios = _medians(after, basis) / _medians(before, basis)
    changed = before["status"].astype(object).to_numpy() != after["status"].astype(object).to_numpy()
    names = before["network"].astype(object).where(before["network"].notna(), LAYERS).to_numpy()
    subjects = tuple(_subject(str(name), names == name, changed, ratios) for name in sorted(set(names)))
    return Shift(len(a) - len(before), len(b) - len(before), subjects)


def _medians(rows: pd.DataFrame, basis: Basis) -> Floats:
    """Give medians that a ratio can be made of, NaN elsewhere."""
    medians = rows[_MEDIANS[basis]].to_numpy(dtype=float, na_value=np.nan)
    measured = (rows["status"] == Status.MEASURED).to_numpy(dtype=bool, na_value=False)
    return np.where(measured & (medians > 0) & np.isfinite(medians), medians, np.nan)


def _subject(name: str, mine: Any, changed: Any, ratios: Floats) -> SubjectShift:
    known = ratios[mine & np.isfinite(ratios)]
    quartiles = tuple(np.percentile(known, _QUARTILES).tolist()) if len(known) else None
    return SubjectShift(name, int(mine.sum()), int(changed[mine].sum()), len(known), quartiles)
