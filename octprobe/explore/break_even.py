"""From which alpha on OctConv pays, and how much of the MACs saving became time.

For each network or layer under given axes, memory format, execution and variant: the smallest alpha whose
verdict against vanilla is FASTER. The realised saving is (1 - time ratio) / (1 - MACs ratio), both against
vanilla: 1 where time fell as far as the MACs, 0 where it did not fall, below 0 where it rose. Its interval is
that of the paired time ratio, as the MACs are exact. Nothing says that more alpha is faster: where a larger
alpha is slower again, or no longer FASTER, it is named.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from octprobe.explore.axes import VARIANT_AXES
from octprobe.explore.fastest import Estimate, estimate
from octprobe.explore.groups import Group, Record, gather, in_order, is_anchor, plain_records
from octprobe.explore.labels import alpha_label, subject_label
from octprobe.explore.saving.reasons import why_slow
from octprobe.plan.variant import variant_label
from octprobe.stats import Verdict
from octprobe.store.records import Status

_VARIANT = ("kernel", *VARIANT_AXES)


@dataclass(frozen=True)
class AlphaSaving:
    """One alpha of a network or layer against its vanilla row.

    Attributes:
        alpha: its label.
        record: the whole row.
        time_ratio: its time over vanilla's; None where it has none.
        macs_share: its MACs over vanilla's; None where either is not counted.
        realised_saving: the share of the MACs saving that became time; `count` is adjacent pairs.
        missing: why the realised saving or its interval is None.
        reasons: why the saving did not become time, strongest first.
    """

    alpha: str
    record: Record
    time_ratio: Estimate | None
    macs_share: float | None
    realised_saving: Estimate | None
    missing: str | None
    reasons: tuple[str, ...]

    @property
    def is_faster(self) -> bool:
        """Whether it is shown to be faster than vanilla."""
        return bool(self.record.get("status") == Status.MEASURED and self.verdict == Verdict.FASTER)

    @property
    def verdict(self) -> str | None:
        """Give its verdict against vanilla."""
        return self.record.get("verdict")


@dataclass(frozen=True)
class SlowerAgain:
    """A larger alpha whose whole interval lies above that of a smaller, faster one."""

    alpha: str
    than: str


@dataclass(frozen=True)
class BreakEven:
    """A network or layer under one set of conditions.

    Attributes:
        subject: the network or layer; a layer's border, where one of its alphas is 0, is named.
        variant: what is not usual of it; empty where all is.
        conditions: the given axes, network, memory format and execution.
        alphas: every alpha that has a row, ascending.
        smallest: the smallest alpha that is FASTER; None where there is none, and `reason` says why.
        lost_at: labels of larger alphas that are measured and not FASTER.
        slower_again: larger alphas that are shown to be slower than the fastest smaller one.
        reason: why there is no such alpha.
    """

    subject: str
    variant: str
    conditions: Record
    alphas: tuple[AlphaSaving, ...]
    smallest: AlphaSaving | None
    lost_at: tuple[str, ...]
    slower_again: tuple[SlowerAgain, ...]
    reason: str | None


def break_even(frame: pd.DataFrame) -> list[BreakEven]:
    """Find the smallest alpha at which OctConv is FASTER, for each subject, condition and variant.

    Alpha maps have no order and are left out; a group of vanilla alone has no finding.

    Args:
        frame: rows as `octprobe.load` gives them.
    """
    return [
        _finding(group, members) for group in gather(plain_records(frame)) for members in _lines_of(group)
    ]


def without_order(frame: pd.DataFrame) -> int:
    """Count the rows that no line of growing alpha holds: those with an alpha map."""
    return int(frame["alpha_map"].notna().sum())


def _lines_of(group: Group) -> list[list[Record]]:
    """Part a group's octave rows into lines along which only alpha grows."""
    lines: dict[tuple[Any, ...], list[Record]] = {}
    for member in group.members:
        if not is_anchor(member) and _size(member) is not None:
            key = (_border(member), *(member.get(name) for name in _VARIANT))
            lines.setdefault(key, []).append(member)
    return [
        sorted(lines[key], key=lambda row: in_order(_size(row) or ())) for key in sorted(lines, key=in_order)
    ]


def _size(record: Record) -> tuple[float, float] | None:
    """Give what orders alphas, the larger of a layer's two first; an alpha map has no order."""
    if record.get("alpha") is not None:
        return record["alpha"], record["alpha"]
    shares = (record.get("alpha_in"), record.get("alpha_out"))
    known = [share for share in shares if share is not None]
    return (max(known), min(known)) if len(known) == len(shares) else None


def _border(record: Record) -> str:
    """Name the kind of a layer's place in an octave network; empty for a network and within it."""
    if record.get("alpha_in") == 0:
        return "entering octave"
    return "leaving octave" if record.get("alpha_out") == 0 else ""


def _finding(group: Group, members: Sequence[Record]) -> BreakEven:
    alphas = tuple(_saving(group, member) for member in members)
    smallest = next((each for each in alphas if each.is_faster), None)
    border = _border(members[0])
    larger = alphas[alphas.index(smallest) + 1 :] if smallest else ()
    return BreakEven(
        subject=subject_label(group.conditions) + (f", {border}" if border else ""),
        variant=variant_label(members[0]),
        conditions=group.conditions,
        alphas=alphas,
        smallest=smallest,
        lost_at=tuple(each.alpha for each in larger if each.time_ratio and not each.is_faster),
        slower_again=tuple(_slower_again(alphas)),
        reason=None if smallest else _why_none(alphas),
    )


def _saving(group: Group, record: Record) -> AlphaSaving:
    is_measured = record.get("status") == Status.MEASURED
    ratio = estimate(record, "time_ratio", record.get("pairs")) if is_measured else None
    share = group.share_of_anchor(record, "macs")
    realised, missing = realised_saving(ratio, share)
    is_whole = realised is not None and realised.low is not None and realised.low >= 1
    return AlphaSaving(
        alpha=alpha_label(record),
        record=record,
        time_ratio=ratio,
        macs_share=share,
        realised_saving=realised,
        missing=missing if is_measured else f"status {record.get('status')}",
        reasons=why_slow(record, group.anchor) if is_measured and not is_whole else (),
    )


def realised_saving(ratio: Estimate | None, macs_share: float | None) -> tuple[Estimate | None, str | None]:
    """Give the share of a MACs saving that became time, and why it or its interval is None.

    Args:
        ratio: time over vanilla's.
        macs_share: MACs over vanilla's.
    """
    if ratio is None:
        return None, "no time ratio to vanilla"
    if macs_share is None:
        return None, "MACs of it or of vanilla are not counted"
    if macs_share >= 1:
        return None, "no MACs saved"

    def realised(time_ratio: float) -> float:
        return (1 - time_ratio) / (1 - macs_share)

    if ratio.low is None or ratio.high is None:
        return Estimate(realised(ratio.median), None, None, ratio.count), "too few pairs for an interval"
    # The faster end of the time is the larger saving.
    return Estimate(realised(ratio.median), realised(ratio.high), realised(ratio.low), ratio.count), None


def _slower_again(alphas: Sequence[AlphaSaving]) -> Iterable[SlowerAgain]:
    """Find each alpha whose interval lies above that of the fastest alpha below it."""
    best: AlphaSaving | None = None
    for each in alphas:
        ratio = each.time_ratio
        if ratio is None or ratio.low is None or ratio.high is None:
            continue
        if best and best.time_ratio and best.time_ratio.high is not None and ratio.low > best.time_ratio.high:
            yield SlowerAgain(each.alpha, best.alpha)
        if best is None or best.time_ratio is None or ratio.median < best.time_ratio.median:
            best = each


def _why_none(alphas: Sequence[AlphaSaving]) -> str:
    verdicts = sorted({str(each.verdict) for each in alphas if each.time_ratio})
    if verdicts:
        return f"no alpha is FASTER than vanilla ({', '.join(verdicts)})"
    endings = sorted({str(each.record.get("status")) for each in alphas})
    return f"no alpha has a time ratio (status {', '.join(endings)})"
