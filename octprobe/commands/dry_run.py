"""`octprobe sweep --dry-run`: what would be measured, what it costs on paper, what it may take."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from octprobe.cost.ledger import Ledger, count_quickly
from octprobe.engine.estimate import GroupEstimate, PointEstimate, estimate_group, total_seconds
from octprobe.plan.space import Exclusion, Plan
from octprobe.plan.spec import SweepSpec
from octprobe.plan.variant import variant_label
from octprobe.units import show_bytes, show_duration, show_number

# So many columns fit a terminal of 80 characters.
_ALPHAS_A_LINE = 5
_ESTIMATE_NOTE = (
    "Times and memory are estimates from counted work at an assumed rate, good to a factor of two or three; "
    "MACs are counted, for one item."
)


def show_dry_run(
    spec: SweepSpec,
    plan: Plan,
    folder: Path,
    *,
    allow_import: bool,
    as_json: bool,
) -> None:
    """Show the points of a sweep by group, its exclusions with their reasons, MACs and estimates."""
    ledger = Ledger(lambda point: count_quickly(point, allow_import=allow_import), "quick")
    estimates = []
    console = Console(stderr=as_json, highlight=False)
    with console.status("counting") as status:
        for number, group in enumerate(plan.groups, 1):
            status.update(f"counting group {number} of {len(plan.groups)}: {escape(group.anchor.label())}")
            estimates.append(estimate_group(group, spec.measure, ledger.cost, plan.device_kind))
    if as_json:
        typer.echo(json.dumps(_as_object(spec, plan, estimates, folder)))
    else:
        _print(console, spec, plan, estimates, folder)


def _print(
    console: Console, spec: SweepSpec, plan: Plan, estimates: Sequence[GroupEstimate], folder: Path
) -> None:
    console.print(f"[bold]{escape(spec.name)}[/] on {plan.device_kind}: {escape(spec.question)}")
    for estimate in estimates:
        console.print(_group_title(estimate), soft_wrap=True)
        console.print(_group_table(estimate))
        for point in estimate.points:
            if point.reason:
                console.print(
                    f"  skipped: {escape(point.point.label())}: {escape(point.reason)}", soft_wrap=True
                )
    for line in _exclusion_lines(plan.exclusions):
        console.print(escape(line))
    count = sum(len(estimate.points) for estimate in estimates)
    console.print(
        f"{count} points in {len(estimates)} groups, about {show_duration(total_seconds(estimates))}; "
        f"rows would go to {escape(str(folder))}. {_ESTIMATE_NOTE}"
    )


def _group_title(estimate: GroupEstimate) -> str:
    subject, _, conditions = estimate.group.anchor.label().partition(", ")
    name = subject.partition(" alpha ")[0]
    figures = f"est. {show_duration(estimate.seconds)}, {show_bytes(estimate.memory_bytes)}"
    return f"[bold cyan]{escape(f'{name}, {conditions}')}[/]: {figures}"


def _group_table(estimate: GroupEstimate) -> Table:
    """Give a group a row an alpha where there are many, else a column an alpha."""
    alphas = [_member_text(point.point.axes()) for point in estimate.points]
    macs = [_macs_text(point) for point in estimate.points]
    table = Table(box=None, pad_edge=False, show_header=False)
    step = _ALPHAS_A_LINE
    for start in range(0, len(alphas), step):
        table.add_row("  alpha", *alphas[start : start + step])
        table.add_row("  GMACs/item", *macs[start : start + step])
    return table


def _macs_text(point: PointEstimate) -> str:
    return show_number(point.cost.macs_dispatched / 1e9) if point.cost else "skipped"


def _member_text(axes: dict[str, Any]) -> str:
    return f"{_alpha_text(axes)} {variant_label(axes)}".rstrip()


def _alpha_text(axes: dict[str, Any]) -> str:
    if axes["subject"] == "layer":
        return f"{axes['alpha_in']:g}:{axes['alpha_out']:g}"
    return f"{axes['alpha']:g}" if axes["alpha"] is not None else str(axes["alpha_map"])


def _exclusion_lines(exclusions: Sequence[Exclusion]) -> list[str]:
    counts = Counter(exclusion.expression for exclusion in exclusions)
    return [f"excluded: {count} points by {expression}" for expression, count in counts.items()]


def _as_object(
    spec: SweepSpec, plan: Plan, estimates: Sequence[GroupEstimate], folder: Path
) -> dict[str, Any]:
    return {
        "name": spec.name,
        "device_kind": plan.device_kind,
        "store": str(folder),
        "points": [
            {
                "point_id": point.point.point_id,
                "group_id": point.point.group_id,
                **point.point.axes(),
                "macs": point.cost.macs_dispatched if point.cost else None,
                "skip_reason": point.reason,
                "estimated_seconds": round(point.seconds, 1),
                "estimated_memory_bytes": point.activation_bytes + point.weights_bytes,
            }
            for estimate in estimates
            for point in estimate.points
        ],
        "exclusions": [
            {**exclusion.point.axes(), "reason": exclusion.expression} for exclusion in plan.exclusions
        ],
        "estimated_seconds": round(total_seconds(estimates), 1),
    }
