"""`octprobe sweep`: a sweep file in, rows of a store out."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from octprobe.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from octprobe.engine.local import LocalExecutor
    from octprobe.engine.run import Summary
    from octprobe.plan.point import DesignPoint
    from octprobe.plan.space import Plan
    from octprobe.plan.spec import SweepSpec


def sweep(
    file: Annotated[Path, typer.Argument(help="The sweep file, such as sweeps/quickstart.yaml.")],
    store: Annotated[
        Path | None, typer.Option(help="Folder for the rows; by default results/NAME of the sweep.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the whole plan and its cost, and end.")
    ] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Measure again what is done.")] = False,
    only: Annotated[str | None, typer.Option(help="Condition over axes, such as 'alpha >= 0.5'.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Measure at most so many points.")] = None,
    retry: Annotated[
        str | None, typer.Option(help="Statuses or doubts to measure again: failed,not_converged,...")
    ] = None,
    allow_import: Annotated[
        bool, typer.Option("--allow-import", help="Allow module:function networks, which run that code.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="End with one JSON object on stdout.")] = False,
) -> None:
    """Measure every design point of FILE that the store does not hold yet."""
    from octprobe.commands.dry_run import show_dry_run
    from octprobe.commands.machine import device_kind, network_fault_of
    from octprobe.plan.space import expand
    from octprobe.plan.spec import read_spec

    spec = read_spec(file, network_fault=network_fault_of(allow_import=allow_import))
    plan = select(expand(spec, device_kind(spec.device)), spec.subject, only)
    folder = store or Path("results") / spec.name
    options = _options(fresh, retry, limit)
    if dry_run:
        show_dry_run(spec, plan, folder, allow_import=allow_import, as_json=as_json)
        return
    summary = _run(spec, plan, folder, options, allow_import, as_json)
    if as_json:
        typer.echo(json.dumps(summary_object(summary, folder)))
    raise typer.Exit(exit_code(summary))


def select(plan: "Plan", subject: str, only: str | None) -> "Plan":
    """Keep the points for which a condition holds.

    Raises:
        UsageError: the condition cannot be read, or holds for no point.
    """
    from octprobe.plan.axes import condition_names
    from octprobe.plan.expression import parse_condition

    if only is None:
        return plan
    try:
        selected = plan.where(parse_condition(only, condition_names(subject)))
    except ValueError as error:
        raise UsageError(f"--only {only}: {error}") from None
    if not selected.points:
        raise UsageError(f"--only {only}: holds for none of the {len(plan.points)} points of the sweep")
    return selected


def summary_object(summary: "Summary", folder: Path) -> dict[str, Any]:
    """Give what a script wants to know of a run."""
    return {
        "planned": summary.planned,
        "measured": summary.measured,
        "skipped": summary.skipped,
        "failed": summary.failed,
        "resumed": summary.resumed,
        "left": summary.left,
        "failed_before": summary.failed_before,
        "interrupted": summary.interrupted,
        "wall_s": round(summary.wall_s, 3),
        "store": str(folder),
    }


def exit_code(summary: "Summary") -> int:
    """Give 130 for an interrupted run, 1 where a point has failed now or before, else 0."""
    if summary.interrupted:
        return 130
    return 1 if summary.failed or summary.failed_before else 0


def _options(fresh: bool, retry: str | None, limit: int | None) -> Any:
    from octprobe.commands.parsing import parse_names
    from octprobe.engine.run import RunOptions
    from octprobe.store.records import Doubt, Status

    names = parse_names(retry)
    known = {*map(str, Status), *map(str, Doubt)}
    unknown = sorted(names - known)
    if unknown:
        raise UsageError(f"--retry {unknown[0]}: not a status or doubt; known: {', '.join(sorted(known))}")
    return RunOptions(fresh=fresh, retry=names, limit=limit)


def _run(
    spec: "SweepSpec",
    plan: "Plan",
    folder: Path,
    options: Any,
    allow_import: bool,
    as_json: bool,
) -> "Summary":
    from octprobe.engine.local import LocalExecutor
    from octprobe.engine.protocol import InstrumentSpec

    target = "octprobe.measure.instrument:TorchInstrument"
    instrument = InstrumentSpec(target, {"device": spec.device, "allow_import": allow_import})
    executor = LocalExecutor(instrument, side_by_side=plan.device_kind == "cpu")
    try:
        executor.start()  # the workers load torch while this process loads the rest
        summary = _execute(executor, spec, plan, folder, options, as_json)
    except BaseException:  # Ctrl-C above all: no worker outlives the sweep, whatever ended it
        executor.kill()
        raise
    executor.close()
    if not as_json:
        _show_end(summary, folder)
    return summary


def _execute(
    executor: "LocalExecutor", spec: "SweepSpec", plan: "Plan", folder: Path, options: Any, as_json: bool
) -> "Summary":
    from octprobe.commands.interrupt import Interrupt
    from octprobe.commands.progress import Pace, open_view
    from octprobe.commands.resumed import resumption_lines
    from octprobe.commands.terminal import printable
    from octprobe.engine.run import Origin, SweepRun
    from octprobe.store.store import Store

    view = open_view(Pace(_expected_seconds(spec, plan)), as_json=as_json)
    try:
        with Interrupt(view.say) as stop:
            environment = executor.environment()  # a device that is not there leaves no store behind
            rows = Store.create(folder)
            for line in resumption_lines(
                rows, plan.points, environment, fresh=options.fresh, retry=options.retry
            ):
                view.say(printable(line))
            origin = Origin(spec.name, rows.keep_spec(spec.text), spec.measure)
            return SweepRun(origin, rows, executor, view, stop, options).execute(plan.groups)
    finally:
        view.close()


def _expected_seconds(spec: "SweepSpec", plan: "Plan") -> "Callable[[DesignPoint], float | None]":
    """Give what a point is expected to take, from counts that were made before; None without one."""
    from octprobe.cost.ledger import known_cost
    from octprobe.engine.estimate import point_seconds

    def seconds(point: "DesignPoint") -> float | None:
        cost = known_cost(point)
        return None if cost is None else point_seconds(point, spec.measure, cost, plan.device_kind)

    return seconds


def _show_end(summary: "Summary", folder: Path) -> None:
    from rich.console import Console

    from octprobe.commands.summary import print_summary
    from octprobe.units import show_duration

    console = Console(highlight=False)
    print_summary(folder, console)
    counts = [f"{summary.measured} measured", f"{summary.resumed} kept from before"]
    counts += [f"{n} {status}" for status, n in summary.by_status.items() if status != "measured"]
    counts += [f"{summary.left} left for the next run"] if summary.left else []
    console.print(
        f"{summary.planned} points: {', '.join(counts)}, in {show_duration(summary.wall_s)}. "
        f"Rows: {folder}. See them with `octprobe show {folder}`.",
        soft_wrap=True,
    )
