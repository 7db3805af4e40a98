"""Design points, measurements and rows to fill a store with, exact and instant."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import typer
from typer.testing import CliRunner

from fakes import ENVIRONMENT
from octprobe.plan.point import Conditions, DesignPoint, LayerSubject, NetworkSubject
from octprobe.plan.variant import Variant
from octprobe.store.flatten import RowContext, make_row
from octprobe.store.records import (
    PATHS,
    Breakdown,
    Company,
    Cost,
    Environment,
    Latency,
    Measurement,
    Memory,
    OperatorTime,
    PartTime,
    PassSeconds,
    PathMacs,
    Status,
)
from octprobe.store.row import Row
from octprobe.store.store import Store

USUAL = Variant()
NOON = datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC)
OTHER_ENVIRONMENT = replace(ENVIRONMENT, torch="2.10.0")
CONTEXT = RowContext(
    sweep="quickstart",
    spec_digest="0123456789abcdef",
    attempt=1,
    recorded_at=NOON,
    relative_ci_asked=0.01,
    verdict_band=0.01,
)


def network_point(
    alpha: str, network: str = "resnet50", variant: Variant = USUAL, **conditions: Any
) -> DesignPoint:
    """Give a network's point at a uniform alpha."""
    subject = NetworkSubject(network=network, alpha=Decimal(alpha))
    return DesignPoint(subject=subject, conditions=Conditions(**conditions), variant=variant)


def layer_point(alpha_in: str, alpha_out: str, **fields: Any) -> DesignPoint:
    """Give a 3x3 convolution's point; `fields` change its shape."""
    shape: dict[str, Any] = {"in_channels": 64, "out_channels": 64} | fields
    subject = LayerSubject(alpha_in=Decimal(alpha_in), alpha_out=Decimal(alpha_out), **shape)
    return DesignPoint(subject=subject)


def small_layer(alpha: str = "0.5", **fields: Any) -> DesignPoint:
    """Give a 3x3 convolution of 8 channels on 8 pixels, which runs in no time; `fields` change its shape."""
    point = layer_point(alpha, alpha, **({"in_channels": 8, "out_channels": 8} | fields))
    return replace(point, conditions=Conditions(resolution=8))


def cost_of(macs: int) -> Cost:
    """Give a cost whose three counts of MACs agree."""
    return Cost(
        macs=macs,
        macs_dispatched=macs,
        macs_executed=macs,
        path_macs=PathMacs(plain=macs),
        elementwise_flops=1000,
        parameters=25_557_032,
        uncounted_ops={"aten::add_": 16},
        bytes_read=4000,
        bytes_written=2000,
        operators=120,
        weights_bytes=102_228_128,
        input_bytes=602_112,
        peak_live_bytes=12_845_056,
    )


def latency_of(
    median_ms: float, ratio: float | None = None, *, spread: float = 0.01, count: int = 41
) -> Latency:
    """Give samples spread evenly about a median, and as many pair ratios about another."""
    steps = [(2 * place / (count - 1) - 1) * spread for place in range(count)] if count > 1 else [0.0] * count
    # From both ends in turn: in this order neighbours lie on both sides, and none counts for less than one.
    in_turn = [step for pair in zip(steps, steps[::-1], strict=True) for step in pair][:count]
    return Latency(
        samples_ms=tuple(median_ms * (1 + step) for step in in_turn),
        calls_per_sample=1,
        pair_ratios=() if ratio is None else tuple(ratio * (1 + step) for step in steps),
        rounds=3,
        first_call_ms=2 * median_ms,
        warmup_calls=5,
        period_samples_ms=(median_ms,) * 9,
        calls_per_period_sample=2,
        timed_together=2,
        company=Company(foreign_cpu_seconds=(0.0,) * count, steal_seconds=(0.0,) * count),
    )


def breakdown_of(device_time_ms: float) -> Breakdown:
    """Give a processor's breakdown of a network whose every path takes the same time."""
    forward = PATHS[:-1]
    parts = tuple(
        PartTime(layer="layer1.0.conv1", path=path, time_ms=device_time_ms / len(forward), kernels=None)
        for path in forward
    )
    operators = (OperatorTime(name="aten::conv2d", time_ms=device_time_ms, kernels=None, calls=53),)
    return Breakdown(
        device_time_ms=device_time_ms, kernels=None, host_bound=None, parts=parts, operators=operators
    )


def measured(
    median_ms: float,
    ratio: float | None = None,
    *,
    macs: int = 4_089_184_256,
    peak: int | None = 51_380_224,
    spread: float = 0.01,
    count: int = 41,
    **fields: Any,
) -> Measurement:
    """Give a whole measurement; `fields` change it."""
    everything: dict[str, Any] = {
        "status": Status.MEASURED,
        "cost": cost_of(macs),
        "latency": latency_of(median_ms, ratio, spread=spread, count=count),
        "memory": Memory(peak_allocator_bytes=peak, peak_reserved_bytes=None),
        "breakdown": breakdown_of(0.9 * median_ms),
        "output_error": 1e-6,
        "seconds": PassSeconds(
            build=0.5, warm_up=0.4, latency=3.0, cost=0.1, memory=0.2, breakdown=0.3, check=0.1
        ),
    }
    return Measurement(**(everything | fields))


def row(
    point: DesignPoint,
    measurement: Measurement,
    environment: Environment = ENVIRONMENT,
    *,
    minutes: float = 0,
    **context: Any,
) -> Row:
    """Flatten one attempt, recorded so many minutes after noon; `context` changes the rest."""
    moment = NOON + timedelta(minutes=minutes)
    return make_row(point, measurement, environment, replace(CONTEXT, recorded_at=moment, **context))


def ended(point: DesignPoint, status: Status, reason: str = "because", **context: Any) -> Row:
    """Give the row of a point that was not measured."""
    return row(point, Measurement(status=status, reason=reason), **context)


def resnet_rows(
    times: Sequence[tuple[str, float, float | None, int]], network: str = "resnet50", **conditions: Any
) -> list[Row]:
    """Give a group's rows from (alpha, milliseconds, ratio, MACs)."""
    return [
        row(network_point(alpha, network, **conditions), measured(median, ratio, macs=macs))
        for alpha, median, ratio, macs in times
    ]


def output_over(app: typer.Typer, path: Path, rows: Sequence[Row], *options: str) -> str:
    """Write rows to a store, run a command on it and give its standard output."""
    store = Store.create(path)
    if rows:
        store.append(rows)
    result = CliRunner().invoke(app, [str(path), *options], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout
