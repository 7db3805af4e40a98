"""From a measurement to its row: derived figures are computed here once, from the raw samples."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from statistics import median
from typing import Any

from octprobe import __version__
from octprobe.plan.point import PROTOCOL_VERSION, DesignPoint
from octprobe.stats import Interval, median_interval, ratio_interval, series_interval, verdict
from octprobe.store.records import (
    PATHS,
    Breakdown,
    Cost,
    Environment,
    Latency,
    Measurement,
    Memory,
    PartTime,
)
from octprobe.store.row import Row
from octprobe.units import bytes_in_dtype


@dataclass(frozen=True, kw_only=True)
class RowContext:
    """What a row says of the sweep that asked for it, beside the point and what was measured."""

    sweep: str | None
    spec_digest: str | None
    attempt: int
    recorded_at: datetime
    relative_ci_asked: float | None
    verdict_band: float


def make_row(
    point: DesignPoint, measurement: Measurement, environment: Environment, context: RowContext
) -> Row:
    """Flatten one attempt at one point into its row.

    `peak_memory_live_bytes` and `input_bytes` are for the whole batch in the point's number format.
    """
    columns = (
        _identity(point, environment, context)
        | _outcome(measurement)
        | _axes(point)
        | _cost(measurement.cost, point)
        | _latency(measurement.latency)
        | _period(measurement.latency, point)
        | _company(measurement.latency, environment)
        | _verdict(measurement.latency, context.verdict_band)
        | _memory(measurement.memory)
        | _breakdown(measurement.breakdown)
        | _environment(environment)
    )
    return Row(**columns)


def _identity(point: DesignPoint, environment: Environment, context: RowContext) -> dict[str, Any]:
    return {
        "point_id": point.point_id,
        "group_id": point.group_id,
        "env_id": environment.env_id,
        "attempt": context.attempt,
        "recorded_at": context.recorded_at,
        "sweep": context.sweep,
        "spec_digest": context.spec_digest,
        "protocol": PROTOCOL_VERSION,
        "octprobe": __version__,
        "relative_ci_asked": context.relative_ci_asked,
    }


def _outcome(measurement: Measurement) -> dict[str, Any]:
    return {
        "status": measurement.status.value,
        "reason": measurement.reason,
        "doubts": tuple(doubt.value for doubt in measurement.doubts),
        "log_tail": measurement.log_tail,
        "output_error": measurement.output_error,
    } | {f"{name}_seconds": seconds for name, seconds in asdict(measurement.seconds).items()}


def _axes(point: DesignPoint) -> dict[str, Any]:
    axes = point.axes()
    padding = axes.get("padding")
    return axes | {"padding": None if padding is None else str(padding)}


def _cost(cost: Cost | None, point: DesignPoint) -> dict[str, Any]:
    if cost is None:
        return {}
    conditions = point.conditions
    paths = {f"macs_{path}": macs for path, macs in asdict(cost.path_macs).items()}
    return paths | {
        "macs": cost.macs,
        "macs_dispatched": cost.macs_dispatched,
        "macs_executed": cost.macs_executed,
        "elementwise_flops": cost.elementwise_flops,
        "uncounted_ops": None
        if cost.uncounted_ops is None
        else json.dumps(cost.uncounted_ops, sort_keys=True),
        "parameters": cost.parameters,
        "bytes_read": bytes_in_dtype(cost.bytes_read, conditions.dtype),
        "bytes_written": bytes_in_dtype(cost.bytes_written, conditions.dtype),
        "operators": cost.operators,
        "octave_exits": cost.octave_exits,
        "peak_memory_live_bytes": bytes_in_dtype(cost.peak_live_bytes * conditions.batch, conditions.dtype),
        "weights_bytes": bytes_in_dtype(cost.weights_bytes, conditions.dtype),
        "input_bytes": bytes_in_dtype(cost.input_bytes * conditions.batch, conditions.dtype),
        "feature_map_bytes": None
        if cost.feature_map_bytes is None
        else bytes_in_dtype(cost.feature_map_bytes * conditions.batch, conditions.dtype),
    }


def _latency(latency: Latency | None) -> dict[str, Any]:
    if latency is None:
        return {}
    method = {
        "calls_per_sample": latency.calls_per_sample,
        "rounds": latency.rounds,
        "first_call_ms": latency.first_call_ms,
        "warmup_calls": latency.warmup_calls,
        "compile_seconds": latency.compile_seconds,
        "timed_together": latency.timed_together,
    }
    return method | _median(latency.samples_ms)


def _median(samples_ms: tuple[float, ...]) -> dict[str, Any]:
    if not samples_ms:
        return {"latency_samples": 0}
    interval = series_interval(samples_ms)
    return _interval("latency_ms", interval) | {
        "latency_samples": len(samples_ms),
        "latency_ms_samples": samples_ms,
        "relative_ci_reached": interval.relative_half_width,
    }


def _period(latency: Latency | None, point: DesignPoint) -> dict[str, Any]:
    if latency is None or not latency.period_samples_ms:
        return {}
    interval = median_interval(latency.period_samples_ms)
    return _interval("period_ms", interval) | {
        "period_samples": interval.count,
        "calls_per_period_sample": latency.calls_per_period_sample,
        "throughput": point.conditions.batch / interval.median * 1e3 if interval.median else None,
    }


def _company(latency: Latency | None, environment: Environment) -> dict[str, Any]:
    if latency is None:
        return {}
    company = latency.company
    processor_seconds = latency.block_seconds * environment.cpu_count
    return {
        "foreign_cpu_share": company.foreign_cpu_share(processor_seconds),
        "foreign_cpu_seconds": company.foreign_cpu_seconds,
        "steal_share": company.steal_share(processor_seconds),
        "steal_seconds": company.steal_seconds,
        "clock_mhz_median": median(company.clock_mhz) if company.clock_mhz else None,
        "temperature_c_max": company.temperature_c_max,
        "throttle_reasons": company.throttle_reasons,
        "throttled_samples": company.throttled_samples,
        "foreign_processes": company.foreign_processes,
    }


def _verdict(latency: Latency | None, band: float) -> dict[str, Any]:
    """Judge the point against its anchor; an anchor has no pairs, and so no verdict."""
    if latency is None or not latency.pair_ratios:
        return {}
    interval = ratio_interval(latency.pair_ratios)
    return _interval("time_ratio", interval) | {
        "pairs": len(latency.pair_ratios),
        "pair_ratios": latency.pair_ratios,
        "verdict": verdict(interval, band).value,
        "verdict_band": band,
    }


def _interval(name: str, interval: Interval) -> dict[str, Any]:
    return {
        f"{name}_median": interval.median,
        f"{name}_ci_low": interval.low,
        f"{name}_ci_high": interval.high,
    }


def _memory(memory: Memory | None) -> dict[str, Any]:
    if memory is None:
        return {}
    return {
        "peak_memory_allocator_bytes": memory.peak_allocator_bytes,
        "peak_memory_reserved_bytes": memory.peak_reserved_bytes,
    }


def _breakdown(breakdown: Breakdown | None) -> dict[str, Any]:
    if breakdown is None:
        return {}
    return _path_times(breakdown.parts) | {
        "device_time_ms": breakdown.device_time_ms,
        "kernels": breakdown.kernels,
        "host_bound": breakdown.host_bound,
        "layout_conversion_share": breakdown.layout_conversion_share,
        "breakdown_reason": breakdown.parts_reason,
        "breakdown_parts": breakdown.parts,
        "breakdown_operators": breakdown.operators,
    }


def _path_times(parts: tuple[PartTime, ...] | None) -> dict[str, Any]:
    """Sum the parts by path; a path that no part took is null, not 0 ms."""
    times_ms: dict[str, float] = {}
    for part in parts or ():
        times_ms[part.path] = times_ms.get(part.path, 0.0) + part.time_ms
    return {f"device_time_ms_{path}": times_ms.get(path) for path in PATHS}


def _environment(environment: Environment) -> dict[str, Any]:
    values = asdict(environment)
    return {"device": values.pop("device_kind")} | values
