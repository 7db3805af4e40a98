"""`octprobe recommend`: which network and alpha to take under budgets on one device."""

from pathlib import Path
from typing import Annotated

import typer

from octprobe.commands.split_option import SplitOption
from octprobe.store.accuracy_run import Split

# Beside 0 for a choice and 2 for what a person must put right: the answer is that nothing fits.
NOTHING_FEASIBLE = 3
_MOST = 50


def recommend(
    store: Annotated[Path, typer.Argument(help="Folder that `octprobe sweep` wrote.", show_default=False)],
    *,
    at_most: Annotated[
        list[str] | None,
        typer.Option("--max", help="Bound from above with its unit: latency=5ms, memory=800MB, macs=2G."),
    ] = None,
    at_least: Annotated[
        list[str] | None,
        typer.Option("--min", help="Bound from below: top1=75 (percent), throughput=100/s."),
    ] = None,
    maximize: Annotated[
        str | None, typer.Option(help="The goal: top1, throughput, ...", show_default=False)
    ] = None,
    minimize: Annotated[
        str | None, typer.Option(help="The goal: latency, memory, macs, ...", show_default=False)
    ] = None,
    network: Annotated[str | None, typer.Option(help="Choose among this network's rows only.")] = None,
    device: Annotated[str | None, typer.Option(help="Device: its model, or cpu or cuda.")] = None,
    environment: Annotated[str | None, typer.Option(help="Environment: the beginning of its env_id.")] = None,
    batch: Annotated[int | None, typer.Option(help="Items a forward call.")] = None,
    resolution: Annotated[int | None, typer.Option(help="Side of the square input, pixels.")] = None,
    dtype: Annotated[str | None, typer.Option(help="Number format, such as float32.")] = None,
    mode: Annotated[str | None, typer.Option(help="infer or train.")] = None,
    threads: Annotated[
        str | None, typer.Option(help="Intra-op threads; default for rows that asked for none.")
    ] = None,
    execution: Annotated[str | None, typer.Option(help="Choose among this execution's rows only.")] = None,
    memory_format: Annotated[
        str | None, typer.Option(help="Choose among this memory format's rows only.")
    ] = None,
    accuracy_from: Annotated[
        str | None, typer.Option(help="Source family of accuracies; else the one that covers most points.")
    ] = None,
    split: SplitOption = Split.VALIDATION,
    top: Annotated[int, typer.Option(min=1, max=_MOST, help="How many choices to show.")] = 3,
    as_json: Annotated[bool, typer.Option("--json", help="Print the advice as one JSON object.")] = False,
) -> None:
    """Choose a network, alpha and execution under budgets; exit code 3 where nothing meets them."""
    from octprobe.commands.advice import print_advice  # pandas takes half a second to import
    from octprobe.commands.terminal import make_console, print_json, warn
    from octprobe.explore.advice.request import make_request
    from octprobe.explore.store_advice import store_advice

    where = {
        **{"device": device, "environment": environment, "batch": batch, "resolution": resolution},
        **{"dtype": dtype, "mode": mode, "threads": threads, "network": network},
        **{"execution": execution, "memory_format": memory_format},
    }
    request = make_request(
        maximize=maximize,
        minimize=minimize,
        at_most=at_most or (),
        at_least=at_least or (),
        where=where,
        accuracy_from=accuracy_from,
        split=split,
        top=top,
    )
    advice, damaged = store_advice(store, request)
    warn(damaged)
    if as_json:
        print_json(advice.as_json())
    else:
        print_advice(advice, make_console())
    if advice.choice is None:
        raise typer.Exit(NOTHING_FEASIBLE)
