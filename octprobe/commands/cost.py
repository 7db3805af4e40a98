"""`octprobe cost`: what a network at some alpha costs on paper, no clock read."""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any

import typer

from octprobe.commands.axis_options import (
    DownsampleOption,
    ExchangeOption,
    OctaveKernelsOption,
    ReturnAtOption,
    network_point,
)
from octprobe.errors import OctprobeError, UsageError


def cost(
    network: Annotated[
        str, typer.Argument(help="timm's name, torchvision:NAME, octprobe:NAME or module:function.")
    ],
    alpha: Annotated[
        str, typer.Option(help="Share of low channels, or pairs such as layer1=0.5,layer2=0.25.")
    ] = "0",
    resolution: Annotated[
        int, typer.Option(min=1, max=16384, help="Side of the square image, pixels.")
    ] = 224,
    exchange: ExchangeOption = "both",
    downsample: DownsampleOption = "average",
    octave_kernels: OctaveKernelsOption = "all",
    return_at: ReturnAtOption = "policy",
    allow_import: Annotated[bool, typer.Option(help="Allow module:function, which runs that code.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Count MACs, bytes and parameters of NETWORK at an alpha."""
    from octprobe.plan.point import Conditions

    point = network_point(
        network,
        alpha,
        Conditions(resolution=resolution),
        exchange=exchange,
        downsample=downsample,
        octave_kernels=octave_kernels,
        return_at=return_at,
    )
    costs = _count(point, allow_import=allow_import)
    if as_json:
        typer.echo(json.dumps(_as_object(point, costs[point.point_id])))
    else:
        _print_table(point, costs)


def _count(point: Any, *, allow_import: bool) -> dict[str, Any]:
    from octprobe.cost.count import disagreement
    from octprobe.cost.ledger import Ledger, count_fully
    from octprobe.networks import network_fault

    fault = network_fault(point.subject.network, allow_import=allow_import)
    if fault:
        raise UsageError(fault)
    ledger = Ledger(lambda asked: count_fully(asked, allow_import=allow_import), "full")
    costs = {each.point_id: _count_one(each, ledger) for each in (point, point.anchor())}
    differing = disagreement(costs[point.point_id])
    if differing:
        typer.echo(f"octprobe: {differing}", err=True)
    return costs


def _count_one(point: Any, ledger: Any) -> Any:
    from octprobe.measure.failure import reason_of

    try:
        return ledger.cost(point)
    except OctprobeError:
        raise
    except Exception as error:  # whatever the network's own forward raises at this size
        raise UsageError(
            f"{point.label()}: cannot be counted: {reason_of(error)}; try another --resolution"
        ) from error


def _as_object(point: Any, cost: Any) -> dict[str, Any]:
    from octprobe.plan.variant import VARIANT_AXES

    axes = point.axes()
    named = {name: axes[name] for name in ("network", "alpha", "alpha_map", *VARIANT_AXES, "resolution")}
    paths = {f"macs_{path}": macs for path, macs in asdict(cost.path_macs).items()}
    figures = {name: value for name, value in asdict(cost).items() if name != "path_macs"}
    return named | figures | paths | {"source": "counted", "per": "item of the batch, float32"}


def _macs(cost: Any, vanilla: Any) -> tuple[str, int, int]:
    """Give who counted the MACs of both, and the counts; fvcore cannot trace every network."""
    if None in (cost.macs, vanilla.macs):
        return "meta walk", cost.macs_dispatched, vanilla.macs_dispatched
    return "fvcore", cost.macs, vanilla.macs


def _print_table(point: Any, costs: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    from octprobe.units import show_bytes, show_count, show_macs

    cost, vanilla = costs[point.point_id], costs[point.anchor().point_id]
    title = f"{point.label().partition(',')[0]}, {point.conditions.resolution} px"
    table = Table(title=f"{title}: counted, an item", title_justify="left")
    for heading in ("figure", "value", "of vanilla"):
        table.add_column(heading, justify="left" if heading == "figure" else "right")
    counter, macs, of_macs = _macs(cost, vanilla)
    rows: list[tuple[str, Any, Any, Callable[[float | None], str]]] = [
        (f"MACs ({counter})", macs, of_macs, show_macs)
    ]
    rows += [
        (f"  closed form {path}", macs, None, show_macs)
        for path, macs in asdict(cost.path_macs).items()
        if macs
    ]
    rows += [
        ("element-wise FLOPs (fvcore)", cost.elementwise_flops, vanilla.elementwise_flops, show_count),
        ("parameters", cost.parameters, vanilla.parameters, show_count),
        ("operators a call", cost.operators, vanilla.operators, show_count),
        ("bytes read", cost.bytes_read, vanilla.bytes_read, show_bytes),
        ("bytes written", cost.bytes_written, vanilla.bytes_written, show_bytes),
        ("peak live bytes of activations", cost.peak_live_bytes, vanilla.peak_live_bytes, show_bytes),
        ("bytes of weights and buffers", cost.weights_bytes, vanilla.weights_bytes, show_bytes),
    ]
    if cost.octave_exits is not None:
        rows.append(("octave exits", cost.octave_exits, None, str))
    for name, value, of, show in rows:
        table.add_row(name, show(value), f"{value / of:.3f}" if of and value is not None else "")
    console = Console(highlight=False)
    console.print(table)
    uncounted = ", ".join(f"{name} x{count}" for name, count in (cost.uncounted_ops or {}).items())
    rest = "not known" if cost.uncounted_ops is None else uncounted or "none"
    console.print(f"Operators without a FLOPs rule: {rest}. Exact MACs: {macs:,}.")
