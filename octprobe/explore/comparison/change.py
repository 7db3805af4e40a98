"""How one figure of a point changed between two sides: a ratio of medians, its interval and its tests."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from octprobe.explore.groups import Record
from octprobe.stats import (
    MIN_PAIRS_FOR_INTERVAL,
    independent_ratio_interval,
    independent_ratio_p_value,
)
from octprobe.store.records import Status


class Basis(StrEnum):
    """The figure by which a point is judged."""

    LATENCY = "latency"
    TIME_RATIO = "time_ratio"


class _Columns(NamedTuple):
    median: str
    samples: str
    samples_count: str


_COLUMNS: Mapping[Basis, _Columns] = {
    Basis.LATENCY: _Columns("latency_ms_median", "latency_ms_samples", "latency_samples"),
    Basis.TIME_RATIO: _Columns("time_ratio_median", "pair_ratios", "pairs"),
}


_TRENDING = "no interval: the samples move through the run, and few of them are independent"


@dataclass(frozen=True, kw_only=True)
class Tolerance:
    """Which ratio is no change, within a band about 1, and above which margin a check fails, as shares."""

    band: float
    fail_above: float | None = None


@dataclass(frozen=True, kw_only=True)
class Change:
    """One figure on both sides and B over A; what is not known is None, and `reason` says why.

    Attributes:
        a: the median on side A.
        b: the median on side B.
        count_a: samples behind `a`.
        count_b: samples behind `b`.
        ratio: B over A.
        low: lower end of the ratio's 95 % interval.
        high: upper end.
        p_value: of "the ratio lies within the band".
        p_margin: of "the ratio is at most 1 + fail_above"; None where no margin was given.
        reason: why there is no ratio or no interval.
    """

    a: float | None = None
    b: float | None = None
    count_a: int | None = None
    count_b: int | None = None
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    p_margin: float | None = None
    reason: str | None = None


def change_of(a: Record, b: Record, basis: Basis, tolerance: Tolerance) -> Change:
    """Compare one figure of a point's two rows; the interval comes from the raw samples of both."""
    names = _COLUMNS[basis]
    before, after = _median(a, names.median), _median(b, names.median)
    known = Change(a=before, b=after, count_a=a.get(names.samples_count), count_b=b.get(names.samples_count))
    if before is None or after is None:
        return replace(known, reason=_why_no_ratio({"A": a, "B": b}, names.median))
    known = replace(known, ratio=after / before)
    series_a, series_b = _series(a, names.samples), _series(b, names.samples)
    reason = _why_no_interval({"A": series_a, "B": series_b}, names.samples)
    return replace(known, reason=reason) if reason else _tested(known, series_a, series_b, tolerance)


def _tested(known: Change, before: Sequence[float], after: Sequence[float], tolerance: Tolerance) -> Change:
    interval = independent_ratio_interval(before, after)
    band, margin = tolerance.band, tolerance.fail_above
    return replace(
        known,
        reason=_TRENDING if interval.low is None else None,
        low=interval.low,
        high=interval.high,
        p_value=independent_ratio_p_value(before, after, 1 - band, 1 + band),
        p_margin=None if margin is None else independent_ratio_p_value(before, after, 0, 1 + margin),
    )


def _median(record: Record, column: str) -> float | None:
    """Give a median that a ratio can be made of; a point that was not measured to its end has none."""
    value: float | None = record.get(column)
    return value if record.get("status") == Status.MEASURED and value is not None and value > 0 else None


def _why_no_ratio(sides: Mapping[str, Record], column: str) -> str:
    unmeasured = [f"{row.get('status')} in {side}" for side, row in sides.items() if _unmeasured(row)]
    absent = [f"no {column} in {side}" for side, row in sides.items() if _median(row, column) is None]
    return ", ".join(unmeasured or absent)


def _unmeasured(record: Record) -> bool:
    return bool(record.get("status") != Status.MEASURED)


def _series(record: Record, column: str) -> Sequence[float]:
    """Give a row's raw samples; empty where it has none, or one that is no time."""
    samples = record.get(column) or ()
    is_whole = all(value is not None and math.isfinite(value) and value > 0 for value in samples)
    return samples if is_whole else ()


def _why_no_interval(series: Mapping[str, Sequence[float]], column: str) -> str | None:
    counts = {side: len(samples) for side, samples in series.items()}
    without = [side for side, count in counts.items() if not count]
    if without:
        return f"no raw samples in {' and '.join(without)}: {column} is absent or holds what is no time"
    few = [f"{count} in {side}" for side, count in counts.items() if count < MIN_PAIRS_FOR_INTERVAL]
    if few:
        return f"too few samples for an interval: {', '.join(few)}, not {MIN_PAIRS_FOR_INTERVAL}"
    return None
