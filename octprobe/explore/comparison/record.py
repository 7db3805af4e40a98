"""A comparison as plain values for JSON: absent is None, an interval's ends stand beside its median."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from octprobe.explore.axes import FREE_AXES, GIVEN_AXES
from octprobe.explore.compare import Comparison, PointChange
from octprobe.explore.comparison.change import Basis, Change
from octprobe.explore.groups import Record
from octprobe.explore.labels import row_label

_AXES = tuple(name for name in (*GIVEN_AXES, *FREE_AXES) if name not in ("device", "device_name", "env_id"))
_PREFIXES = {Basis.LATENCY: "latency_ms", Basis.TIME_RATIO: "time_ratio"}


def comparison_record(found: Comparison) -> dict[str, Any]:
    """Give a comparison as one object: points, totals, verdict counts, differences, failed points."""
    return {
        "by": found.basis.value,
        "band": found.tolerance.band,
        "fail_above": found.tolerance.fail_above,
        "totals": _totals(found),
        "verdicts": found.verdicts,
        "vanilla_latency_ratio_median": found.vanilla_shift,
        "environment_differences": [
            {"column": difference.column, "values": dict(difference.values)}
            for difference in found.environment_differences
        ],
        "points": [_point(point) for point in found.points],
        "only_a": _listed(found.only_a),
        "only_b": _listed(found.only_b),
        "status_changes": [_status_change(point) for point in found.points if point.status_changed],
        "failed": [_named(point.a) | {"reason": point.failure} for point in found.failed],
    }


def _totals(found: Comparison) -> dict[str, int]:
    return {
        "joined": len(found.points),
        "tested": found.tested,
        "only_a": len(found.only_a),
        "only_b": len(found.only_b),
        "status_changes": sum(point.status_changed for point in found.points),
        "failed": len(found.failed),
    }


def _point(point: PointChange) -> dict[str, Any]:
    axes = {name: point.a.get(name) for name in _AXES}
    sides = {
        f"{name}_{side}": row.get(name)
        for name in ("env_id", "status", "recorded_at")
        for side, row in (("a", point.a), ("b", point.b))
    }
    return (
        _named(point.a)
        | axes
        | sides
        | _change(point.latency, Basis.LATENCY)
        | _change(point.time_ratio, Basis.TIME_RATIO)
        | {
            "verdict": point.verdict,
            "p_adjusted": point.p_adjusted,
            "exact_differences": {name: {"a": a, "b": b} for name, (a, b) in point.exact.items()},
            "doubts_a": list(point.a.get("doubts") or ()),
            "doubts_b": list(point.b.get("doubts") or ()),
            "failure": point.failure,
        }
    )


def _change(change: Change, basis: Basis) -> dict[str, Any]:
    """Name a change's figures after its column: `latency_ms_median_a`, `latency_ms_change_ci_low`."""
    prefix, values = _PREFIXES[basis], asdict(change)
    return {
        f"{prefix}_median_a": values["a"],
        f"{prefix}_median_b": values["b"],
        f"{prefix}_count_a": values["count_a"],
        f"{prefix}_count_b": values["count_b"],
        f"{prefix}_change": values["ratio"],
        f"{prefix}_change_ci_low": values["low"],
        f"{prefix}_change_ci_high": values["high"],
        f"{prefix}_change_p": values["p_value"],
        f"{prefix}_change_reason": values["reason"],
    }


def _status_change(point: PointChange) -> dict[str, Any]:
    return _named(point.a) | {
        "a": point.a.get("status"),
        "b": point.b.get("status"),
        "reason": point.b.get("reason") or point.a.get("reason"),
    }


def _listed(rows: Sequence[Record]) -> list[dict[str, Any]]:
    return [_named(row) | {"status": row.get("status")} for row in rows]


def _named(row: Record) -> dict[str, Any]:
    return {"point_id": row["point_id"], "label": row_label(row)}
