"""Break-evens as plain values for JSON: absent is None, and what is missing says why."""

from collections.abc import Sequence
from typing import Any

from octprobe.explore.break_even import AlphaSaving, BreakEven
from octprobe.explore.fastest import Estimate
from octprobe.explore.saving.batches import Batches


def break_even_records(findings: Sequence[BreakEven], batches: Sequence[Batches]) -> dict[str, Any]:
    """Give all findings as one object: a list of break-evens, and a list of what holds across batches."""
    return {
        "break_even": [_finding(finding) for finding in findings],
        "batches": [_batches(found) for found in batches],
    }


def _finding(finding: BreakEven) -> dict[str, Any]:
    smallest = finding.smallest
    return {
        **finding.conditions,
        "label": finding.subject,
        "variant": finding.variant,
        "smallest": _named(smallest) if smallest else None,
        "reason": finding.reason,
        "lost_at": list(finding.lost_at),
        "slower_again": [{"alpha": each.alpha, "than": each.than} for each in finding.slower_again],
        "alphas": [_saving(each) for each in finding.alphas],
    }


def _saving(each: AlphaSaving) -> dict[str, Any]:
    row = each.record
    return {
        **_named(each),
        "status": row.get("status"),
        "verdict": each.verdict,
        **_estimate("time_ratio", each.time_ratio),
        "pairs": each.time_ratio.count if each.time_ratio else None,
        "macs_ratio": each.macs_share,
        **_estimate("realised_saving", each.realised_saving),
        "realised_saving_reason": each.missing,
        "why_not": list(each.reasons),
        "doubts": list(row.get("doubts") or ()),
    }


def _named(each: AlphaSaving) -> dict[str, Any]:
    ids = {name: each.record.get(name) for name in ("point_id", "alpha", "alpha_in", "alpha_out")}
    return {"label": each.alpha} | ids


def _estimate(name: str, value: Estimate | None) -> dict[str, float | None]:
    return {
        f"{name}_median": value.median if value else None,
        f"{name}_ci_low": value.low if value else None,
        f"{name}_ci_high": value.high if value else None,
    }


def _batches(found: Batches) -> dict[str, Any]:
    smallest = [{"batch": batch, "smallest": alpha} for batch, alpha in found.smallest.items()]
    return {
        **found.conditions,
        "label": found.subject,
        "variant": found.variant,
        "batches": smallest,
        "pays_from_batch": found.pays_from,
    }
