"""`octprobe accuracy train` and `elastic`: a recipe in, weights and accuracies of a store out."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from octprobe.accuracy.checkpoint import Task
    from octprobe.accuracy.experiment import Experiment
    from octprobe.commands.training_view import TrainingView
    from octprobe.plan.recipe import Kind, Recipe
    from octprobe.store.accuracy_run import AccuracyRun

_FILE = typer.Argument(help="The recipe, such as sweeps/fashion.yaml.", show_default=False)
_STORE = typer.Option(help="Folder for weights and rows; by default results/NAME of the recipe.")
_DATA = typer.Option(help="Folder of the data set's files, where they are not found by themselves.")
_ALLOW_IMPORT = typer.Option("--allow-import", help="Allow module:function networks, which run that code.")
_JSON = typer.Option("--json", help="End with one JSON object on stdout.")


def train(
    file: Annotated[Path, _FILE],
    store: Annotated[Path | None, _STORE] = None,
    data: Annotated[Path | None, _DATA] = None,
    allow_import: Annotated[bool, _ALLOW_IMPORT] = False,
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Train the network of a recipe at each of its alphas alone, from each seed; what is done is kept.

    Ends early at Ctrl-C or when it is killed: the same command then goes on after the last epoch that was
    done, to the same weights. Exit code 1 where a training diverged or failed.
    """
    from octprobe.plan.recipe import Kind

    _run_recipe(Kind.TRAINED, file, store, data, allow_import=allow_import, as_json=as_json)


def elastic(
    file: Annotated[Path, _FILE],
    store: Annotated[Path | None, _STORE] = None,
    data: Annotated[Path | None, _DATA] = None,
    allow_import: Annotated[bool, _ALLOW_IMPORT] = False,
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Train the network of a recipe once a seed, for all of its alphas together; what is done is kept.

    Its checkpoint gives the accuracy of any alpha or alpha map: `octprobe accuracy at CHECKPOINT`. Otherwise
    as `octprobe accuracy train`.
    """
    from octprobe.plan.recipe import Kind

    _run_recipe(Kind.ELASTIC, file, store, data, allow_import=allow_import, as_json=as_json)


def _run_recipe(
    kind: "Kind", file: Path, store: Path | None, data: Path | None, *, allow_import: bool, as_json: bool
) -> None:
    from octprobe.accuracy.experiment import pending, tasks_of
    from octprobe.accuracy.sources import data_name
    from octprobe.commands.accuracy_runs_view import print_runs
    from octprobe.commands.machine import network_fault_of
    from octprobe.commands.terminal import make_console, print_json, warn
    from octprobe.commands.training_view import open_training_view
    from octprobe.plan.recipe import read_recipe
    from octprobe.store.accuracy_runs import read_runs

    recipe = read_recipe(file, network_fault=network_fault_of(allow_import=allow_import))
    folder = store or Path("results") / recipe.name
    held = read_runs(folder)
    warn(held.damaged)
    tasks = tasks_of(recipe, kind)
    left = pending(tasks, held.rows, data_name(recipe, data))
    view = open_training_view(left, resumed=len(tasks) - len(left), as_json=as_json)
    rows: list[AccuracyRun] = []
    try:
        if left:
            rows = _trained(_experiment(recipe, folder, data, allow_import=allow_import), left, view)
    finally:
        view.close()
    counts = _counts(rows)
    if as_json:
        print_json({"planned": len(tasks), "resumed": len(tasks) - len(left), **counts, "store": str(folder)})
    else:
        print_runs(read_runs(folder).rows, make_console())
    raise typer.Exit(1 if counts["diverged"] or counts["failed"] else 0)


def _experiment(recipe: "Recipe", folder: Path, data: Path | None, *, allow_import: bool) -> "Experiment":
    from octprobe.accuracy.experiment import Experiment
    from octprobe.accuracy.sources import read_data
    from octprobe.commands.machine import torch_place

    device, env_id = torch_place(recipe.device)
    images = read_data(recipe, data)
    return Experiment(folder, images, device, env_id, allow_import=allow_import)


def _trained(experiment: "Experiment", tasks: "Sequence[Task]", view: "TrainingView") -> "list[AccuracyRun]":
    rows: list[AccuracyRun] = []
    try:
        for task in tasks:
            rows.extend(experiment.run(task, view))
    except KeyboardInterrupt:
        view.say("Ended early; the epochs done are kept, and the same command goes on after them.")
        raise
    return rows


def _counts(rows: "Sequence[AccuracyRun]") -> dict[str, int]:
    """Count trainings by how they ended: an elastic one is one, however many alphas it gave."""
    from octprobe.store.accuracy_run import RunStatus

    ended = {
        (row.seed, None if row.kind == "elastic" else (row.alpha, row.alpha_map)): row.status for row in rows
    }
    wanted = (RunStatus.TRAINED, RunStatus.DIVERGED, RunStatus.FAILED)
    return {str(status): sum(each == status for each in ended.values()) for status in wanted}
