"""Candidates read beside a request: the few rows that are shown become points, the others stay columns."""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from octprobe.explore.advice.arrays import Places
from octprobe.explore.advice.candidates import Candidates
from octprobe.explore.advice.chosen import Point, point_of
from octprobe.explore.advice.given import ROW
from octprobe.explore.advice.request import Request
from octprobe.explore.groups import plain_records

# Reads every column that is told of a point, for some rows of the store.
Fetch = Callable[[Places], pd.DataFrame]


@dataclass(frozen=True)
class Reading:
    """What is compared, what is asked of it, and where the rest of a row is."""

    candidates: Candidates
    request: Request
    fetch: Fetch | None = None

    def point(self, place: int) -> Point:
        """Give one row as a point, with the figures that the request shows."""
        (record,) = plain_records(whole_rows(self.candidates.frame.iloc[[place]], self.fetch))
        return point_of(record, self.request.shown, self.request.budgets)


def whole_rows(rows: pd.DataFrame, fetch: Fetch | None) -> pd.DataFrame:
    """Give rows with every column that is told, and with what was joined to them."""
    if fetch is None:
        return rows.drop(columns=ROW)
    told = fetch(rows[ROW].to_numpy()).set_axis(rows.index, axis="index")
    joined = [name for name in rows.columns if name not in told.columns and name != ROW]
    return pd.concat([told, rows[joined]], axis=1)
