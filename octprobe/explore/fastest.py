"""The fastest alpha of each group, and whether it beats vanilla at all.

Fastest means the smallest median of the paired time ratio (vanilla is 1), not the smallest raw median: the
two times of a pair were taken next to each other, so a drift of the machine cancels. Where some alpha's
verdict is FASTER, an alpha that is not shown to be faster cannot take its place; it is named beside it as
perhaps faster.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from octprobe.explore.groups import Group, Record, gather, is_anchor, plain_records
from octprobe.explore.labels import member_label, subject_label
from octprobe.stats import Verdict
from octprobe.store.records import Status
from octprobe.units import show_number


@dataclass(frozen=True)
class Estimate:
    """A median with its 95 % interval and the number of samples behind it."""

    median: float
    low: float | None
    high: float | None
    count: int | None

    def __str__(self) -> str:
        ends = f" [{show_number(self.low)}, {show_number(self.high)}]" if self.low is not None else ""
        return f"{show_number(self.median)}{ends}"


@dataclass(frozen=True)
class Fastest:
    """The fastest octave row of a group against its vanilla row.

    Attributes:
        subject: the network or layer.
        conditions: the given axes, memory format and execution.
        alpha: its label, with what is not usual of its variant; None where no octave row has a time ratio,
            and `reason` says why.
        latency: milliseconds a synchronized call.
        time_ratio: its time over vanilla's; `count` is adjacent pairs.
        verdict: FASTER, SLOWER, SAME or AMBIGUOUS against vanilla.
        macs_share: its MACs over vanilla's.
        doubts: reasons to trust its figures less.
        perhaps_faster: labels of rows with a smaller ratio that are not shown to beat vanilla.
        record: the whole row.
    """

    subject: str
    conditions: Record
    alpha: str | None = None
    latency: Estimate | None = None
    time_ratio: Estimate | None = None
    verdict: str | None = None
    macs_share: float | None = None
    doubts: tuple[str, ...] = ()
    perhaps_faster: tuple[str, ...] = ()
    record: Record | None = None
    reason: str | None = None

    @property
    def beats_vanilla(self) -> bool:
        """Whether an alpha is shown to be faster than vanilla."""
        return self.verdict == Verdict.FASTER

    def sentence(self) -> str:
        """Say the finding in plain words."""
        if self.alpha is None:
            return f"nothing to compare with vanilla: {self.reason}"
        figures = f"{self.time_ratio} of vanilla's time ({self._pairs()}){self._macs()}, {self.verdict}"
        if self.beats_vanilla:
            return f"{self.alpha} is the fastest: {figures}{self._perhaps()}"
        if self.verdict == Verdict.AMBIGUOUS:
            return (
                f"no alpha is shown to beat vanilla: {self.alpha} takes {figures}; measure longer to decide"
            )
        return f"no alpha beats vanilla: the best, {self.alpha}, takes {figures}"

    def _pairs(self) -> str:
        count = self.time_ratio.count if self.time_ratio else None
        if count is None:
            return "pairs unknown"
        return f"{count} pair" if count == 1 else f"{count} pairs"

    def _macs(self) -> str:
        return "" if self.macs_share is None else f" at {100 * self.macs_share:.0f} % of its MACs"

    def _perhaps(self) -> str:
        return f"; perhaps faster still, but ambiguous: {', '.join(self.perhaps_faster)}" * bool(
            self.perhaps_faster
        )


def fastest_alphas(frame: pd.DataFrame) -> list[Fastest]:
    """Find the fastest alpha of each network or layer under each combination of conditions.

    Args:
        frame: rows as `octprobe.load` gives them.
    """
    return [_fastest(group) for group in gather(plain_records(frame))]


def _fastest(group: Group) -> Fastest:
    octave = [member for member in group.members if not is_anchor(member)]
    paired = [
        m for m in octave if m.get("status") == Status.MEASURED and m.get("time_ratio_median") is not None
    ]
    subject = subject_label(group.conditions)
    if not paired:
        return Fastest(subject, group.conditions, reason=_why_none(octave))
    proven = [member for member in paired if member.get("verdict") == Verdict.FASTER]
    best = min(proven or paired, key=_ratio)
    return Fastest(
        subject=subject,
        conditions=group.conditions,
        alpha=member_label(best),
        latency=estimate(best, "latency_ms", best.get("latency_samples")),
        time_ratio=estimate(best, "time_ratio", best.get("pairs")),
        verdict=best.get("verdict"),
        macs_share=group.share_of_anchor(best, "macs"),
        doubts=tuple(best.get("doubts") or ()),
        perhaps_faster=tuple(member_label(row) for row in paired if proven and _ratio(row) < _ratio(best)),
        record=best,
    )


def estimate(record: Record, prefix: str, count: int | None) -> Estimate | None:
    """Gather a median and its interval from the columns that share a prefix; None where no median is."""
    median = record.get(f"{prefix}_median")
    if median is None:
        return None
    return Estimate(median, record.get(f"{prefix}_ci_low"), record.get(f"{prefix}_ci_high"), count)


def _ratio(record: Record) -> float:
    return float(record["time_ratio_median"])


def _why_none(octave: Sequence[Record]) -> str:
    if not octave:
        return "only vanilla has a row"
    endings = sorted({str(row.get("status")) for row in octave})
    return f"no octave point has a time ratio (status {', '.join(endings)})"
