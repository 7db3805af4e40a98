"""Two sides of the same points, A before and B after: what became slower, faster, larger or stopped running.

Rows are joined on `point_id`, so both sides did the same work. Each joined point's ratio of medians, B over
A, has a 95 % interval of its own. Over many points some intervals miss by chance, so the words for a change
are guarded by Holm's correction: a point is FASTER or SLOWER only if its p-value of "the ratio lies within
the band", adjusted over all joined points that are tested (20 samples a side), is below .05. The chance that
even one point without a change is called so is then at most 5 %. The adjusted p-value is never below the
plain one, and the plain one is below .05 exactly where the interval lies outside the band; so each FASTER or
SLOWER has its interval outside the band, and a point whose interval is outside but that does not stand the
correction is AMBIGUOUS. SAME means that the point's own interval lies within the band, as against vanilla.

A margin for a check, `fail_above`, works alike: a point fails if its p-value of "the ratio is at most
1 + margin" is below .05 after Holm's correction. That is the lower end of its interval, at the confidence
that the correction asks for at the point's rank, lying above 1 + margin.

All this knows the scatter within each run only. Two runs on one machine minutes apart also differ by the
machine's drift, which no interval of either shows; the change of `time_ratio`, each side's own paired ratio
to vanilla, is robust to it and stands beside the change of the latency.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import pandas as pd

from octprobe.errors import UsageError
from octprobe.explore.comparison.apart import why_apart
from octprobe.explore.comparison.change import Basis, Change, Tolerance, change_of
from octprobe.explore.environments import Difference, differences
from octprobe.explore.groups import Record, gather, is_anchor
from octprobe.stats import CONFIDENCE, Interval, Verdict, holm, verdict
from octprobe.store.query import records
from octprobe.store.records import Status
from octprobe.store.schema import SCHEMA

# As `measure.band`: under 0.5 % of A/A comparisons leave it.
DEFAULT_BAND = 0.01
_LEVEL = 1 - CONFIDENCE
# Figures that are counted, or read as whole numbers: any difference is one.
EXACT_COLUMNS = (
    *("macs", "macs_executed", "elementwise_flops", "parameters", "bytes_read", "bytes_written"),
    *("operators", "octave_exits", "weights_bytes", "input_bytes", "feature_map_bytes", "kernels"),
    *("peak_memory_live_bytes", "peak_memory_allocator_bytes", "peak_memory_reserved_bytes"),
)
# What is large in a row and not read here.
_UNREAD = ("foreign_cpu_seconds", "steal_seconds", "breakdown_parts", "breakdown_operators", "log_tail")

# What a comparison reads of a row.
COMPARED_COLUMNS = tuple(name for name in SCHEMA.names if name not in _UNREAD)


@dataclass(frozen=True)
class PointChange:
    """One point on both sides.

    Attributes:
        a: its row on side A.
        b: its row on side B.
        latency: how its latency changed.
        time_ratio: how its paired ratio to vanilla changed; a vanilla row has none.
        verdict: FASTER, SLOWER, SAME or AMBIGUOUS of B against A, corrected; None without a ratio.
        p_adjusted: Holm's p-value behind the verdict; None where nothing was tested, for want of samples.
        exact: counted and whole-numbered figures that differ, as (A, B) by column.
        failure: why the point fails the check asked for; None where it passes or none was asked for.
    """

    a: Record
    b: Record
    latency: Change
    time_ratio: Change
    verdict: str | None
    p_adjusted: float | None
    exact: Mapping[str, tuple[Any, Any]]
    failure: str | None

    @property
    def status_changed(self) -> bool:
        """Whether the point ended another way."""
        return bool(self.a.get("status") != self.b.get("status"))


@dataclass(frozen=True)
class Comparison:
    """All joined points in the order of their conditions, and what only one side has."""

    points: tuple[PointChange, ...]
    only_a: tuple[Record, ...]
    only_b: tuple[Record, ...]
    environment_differences: tuple[Difference, ...]
    basis: Basis
    tolerance: Tolerance

    @property
    def verdicts(self) -> dict[str, int]:
        """Count the points by verdict; those without a ratio have none."""
        counts = Counter(point.verdict for point in self.points)
        return {word.value: counts[word.value] for word in Verdict}

    @property
    def tested(self) -> int:
        """Count the points that were tested, over which the correction was made."""
        return sum(point.p_adjusted is not None for point in self.points)

    @property
    def failed(self) -> tuple[PointChange, ...]:
        """Give the points that fail the check asked for."""
        return tuple(point for point in self.points if point.failure)

    @property
    def vanilla_shift(self) -> float | None:
        """Give the median ratio of the latencies of vanilla points: what the machine or torch changed."""
        ratios = [p.latency.ratio for p in self.points if is_anchor(p.a) and p.latency.ratio is not None]
        return median(ratios) if ratios else None


def compare(
    a: pd.DataFrame,
    b: pd.DataFrame,
    *,
    band: float = DEFAULT_BAND,
    fail_above: float | None = None,
    basis: Basis = Basis.LATENCY,
) -> Comparison:
    """Join two sides on `point_id` and judge each point of B against A.

    Args:
        a: rows of side A, one a point, as `octprobe.load` gives them.
        b: rows of side B.
        band: half width of the band in which two times count as the same, as a share.
        fail_above: by which share a point may be slower before it fails; None for no check.
        basis: the figure that verdict and check go by.

    Raises:
        UsageError: the sides have no point in common; the message says in what they differ.
    """
    before, after = _by_point(a), _by_point(b)
    common = [row["point_id"] for row in _in_order(before) if row["point_id"] in after]
    if not common:
        raise UsageError(why_apart(list(before.values()), list(after.values())))
    tolerance = Tolerance(band=band, fail_above=fail_above)
    pairs = [(before[point_id], after[point_id]) for point_id in common]
    return Comparison(
        points=_judged(pairs, tolerance, basis),
        only_a=tuple(row for row in _in_order(before) if row["point_id"] not in after),
        only_b=tuple(row for row in _in_order(after) if row["point_id"] not in before),
        environment_differences=differences([*before.values(), *after.values()]),
        basis=basis,
        tolerance=tolerance,
    )


def _by_point(frame: pd.DataFrame) -> dict[str, Record]:
    rows = records(frame.drop(columns=list(_UNREAD), errors="ignore"))
    return {row["point_id"]: row for row in rows}


def _in_order(rows: Mapping[str, Record]) -> list[Record]:
    return [member for group in gather(rows.values()) for member in group.members]


def _judged(
    pairs: Sequence[tuple[Record, Record]], tolerance: Tolerance, basis: Basis
) -> tuple[PointChange, ...]:
    changes = [{each: change_of(a, b, each, tolerance) for each in Basis} for a, b in pairs]
    judged = [change[basis] for change in changes]
    adjusted = _adjusted([change.p_value for change in judged])
    margins = _adjusted([change.p_margin for change in judged])
    return tuple(
        PointChange(
            a=a,
            b=b,
            latency=change[Basis.LATENCY],
            time_ratio=change[Basis.TIME_RATIO],
            verdict=_verdict(change[basis], p_adjusted, tolerance.band),
            p_adjusted=p_adjusted,
            exact=_exact(a, b),
            failure=_failure(a, b, change[basis], p_margin, tolerance.fail_above),
        )
        for (a, b), change, p_adjusted, p_margin in zip(pairs, changes, adjusted, margins, strict=True)
    )


def _adjusted(p_values: Sequence[float | None]) -> list[float | None]:
    """Correct the p-values that there are; a point without one makes no claim and weighs on none."""
    known = iter(holm([p_value for p_value in p_values if p_value is not None]))
    return [None if p_value is None else next(known) for p_value in p_values]


def _verdict(change: Change, p_adjusted: float | None, band: float) -> str | None:
    if change.ratio is None:
        return None
    counts = [count for count in (change.count_a, change.count_b) if count is not None]
    word = verdict(Interval(change.ratio, change.low, change.high, min(counts, default=0)), band)
    is_change = word in (Verdict.FASTER, Verdict.SLOWER)
    stands = p_adjusted is not None and p_adjusted < _LEVEL
    return Verdict.AMBIGUOUS.value if is_change and not stands else word.value


def _failure(
    a: Record, b: Record, change: Change, p_margin: float | None, fail_above: float | None
) -> str | None:
    if fail_above is None:
        return None
    if a.get("status") == Status.MEASURED and b.get("status") != Status.MEASURED:
        return f"measured in A, {b.get('status')} in B"
    if p_margin is None or p_margin >= _LEVEL or change.ratio is None:
        return None
    return f"{change.ratio:.3f} times A's, above {1 + fail_above:g} (p {p_margin:.2g} after correction)"


def _exact(a: Record, b: Record) -> dict[str, tuple[Any, Any]]:
    both = {name: (a.get(name), b.get(name)) for name in EXACT_COLUMNS}
    return {name: pair for name, pair in both.items() if None not in pair and pair[0] != pair[1]}
