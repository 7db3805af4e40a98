"""`octprobe accuracy train` and `elastic`: a recipe in, weights and accuracies of a store out."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from octprobe.accuracy.checkpoint import Task
    from octprobe.accuracy.crew import Crew, Worked
    from octprobe.accuracy.experiment import Experiment
    from octprobe.accuracy.sources import Found
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
    done, to the same weights. Given twice at once, both share the work. Exit code 1 where a training diverged
    or failed.
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
    from octprobe.accuracy.claim import remove_traces
    from octprobe.accuracy.crew import Crew, Worked
    from octprobe.accuracy.experiment import pending, tasks_of
    from octprobe.accuracy.sources import find_data
    from octprobe.commands.machine import network_fault_of
    from octprobe.commands.terminal import warn
    from octprobe.commands.training_view import open_training_view
    from octprobe.plan.recipe import read_recipe
    from octprobe.store.accuracy_runs import read_runs

    recipe = read_recipe(file, network_fault=network_fault_of(allow_import=allow_import))
    folder = store or Path("results") / recipe.name
    found = find_data(recipe, data)
    held = read_runs(folder)
    warn(held.damaged)
    tasks = tasks_of(recipe, kind, found.name)
    left = pending(tasks, held.rows)
    remove_traces(folder, [task for task in tasks if task not in left])
    experiment = _experiment(file, recipe, found, folder, allow_import=allow_import) if left else None
    view = open_training_view(left, resumed=len(tasks) - len(left), as_json=as_json)
    try:
        worked = _trained(Crew(experiment, held.rows, view), left, view) if experiment else Worked([], 0)
    finally:
        view.close()
    counts = _counts(worked.rows)
    summary = {"planned": len(tasks), "resumed": len(tasks) - len(left), **counts}
    _show(summary | {"elsewhere": worked.elsewhere, "store": str(folder)}, folder, as_json=as_json)
    raise typer.Exit(1 if counts["diverged"] or counts["failed"] else 0)


def _experiment(
    file: Path, recipe: "Recipe", found: "Found", folder: Path, *, allow_import: bool
) -> "Experiment":
    """Make sure of all that a training needs before the first one begins."""
    from octprobe.accuracy.experiment import Experiment
    from octprobe.accuracy.preflight import refuse_hopeless
    from octprobe.accuracy.sources import in_memory
    from octprobe.commands.machine import torch_place
    from octprobe.store.accuracy_runs import probe

    device, env_id = torch_place(recipe.device)
    probe(folder)
    images = in_memory(found, recipe)
    refuse_hopeless(file, recipe, images, allow_import=allow_import)
    return Experiment(folder, images, device, env_id, allow_import=allow_import)


def _trained(crew: "Crew", tasks: "Sequence[Task]", view: "TrainingView") -> "Worked":
    try:
        return crew.work_off(tasks)
    except KeyboardInterrupt:
        view.say("Ended early; the epochs done are kept, and the same command goes on after them.")
        raise


def _show(summary: dict[str, object], folder: Path, *, as_json: bool) -> None:
    from octprobe.commands.accuracy_runs_view import print_runs
    from octprobe.commands.terminal import make_console, print_json
    from octprobe.store.accuracy_runs import read_runs

    if as_json:
        print_json(summary)
    else:
        print_runs(read_runs(folder).rows, make_console())


def _counts(rows: "Sequence[AccuracyRun]") -> dict[str, int]:
    """Count trainings by how they ended: an elastic one is one, however many alphas it gave."""
    from octprobe.store.accuracy_run import RunStatus

    ended = {
        (row.seed, None if row.kind == "elastic" else (row.alpha, row.alpha_map)): row.status for row in rows
    }
    wanted = (RunStatus.TRAINED, RunStatus.DIVERGED, RunStatus.FAILED)
    return {str(status): sum(each == status for each in ended.values()) for status in wanted}
