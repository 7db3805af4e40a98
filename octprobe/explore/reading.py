"""Candidates read beside a request: the few rows that are shown become points, the others stay columns."""

from dataclasses import dataclass

from octprobe.explore.candidates import Candidates
from octprobe.explore.chosen import Point, point_of
from octprobe.explore.groups import plain_records
from octprobe.explore.request import Request


@dataclass(frozen=True)
class Reading:
    """What is compared, and what is asked of it."""

    candidates: Candidates
    request: Request

    def point(self, place: int) -> Point:
        """Give one row as a point, with the figures that the request shows."""
        (record,) = plain_records(self.candidates.frame.iloc[[place]])
        return point_of(record, self.request.shown, self.request.budgets)
