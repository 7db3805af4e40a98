"""`octprobe accuracy show`: the accuracies of a store."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from octprobe.store.accuracy_run import Split

if TYPE_CHECKING:
    from octprobe.store.accuracy_run import AccuracyRun


def show(
    store: Annotated[Path, typer.Argument(help="Folder that `octprobe accuracy` wrote.", show_default=False)],
    *,
    split: Annotated[
        Split, typer.Option(help="Images: test for what is reported, validation for choosing.")
    ] = Split.TEST,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the rows a seed and split as a JSON list; absent is null.")
    ] = False,
) -> None:
    """Show accuracies over seeds with their interval, and what a training took, by source family."""
    from octprobe.commands.accuracy_runs_view import print_runs
    from octprobe.commands.terminal import make_console, print_json, warn
    from octprobe.store.accuracy_runs import read_runs, refuse_no_runs

    runs = read_runs(store)
    refuse_no_runs(store, runs)
    warn(runs.damaged)
    if as_json:
        print_json([run_object(row) for row in runs.rows])
    else:
        print_runs(runs.rows, make_console(), split)


def run_object(row: "AccuracyRun") -> dict[str, Any]:
    """Give a row as plain values, without its answers a bit an image."""
    from dataclasses import asdict

    from octprobe.store.tabular import plain_value

    return {name: plain_value(value) for name, value in asdict(row).items() if name != "correct"}
