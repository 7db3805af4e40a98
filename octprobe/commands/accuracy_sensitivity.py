"""`octprobe accuracy sensitivity`: what each alpha group of an elastic network costs alone."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from octprobe.accuracy.checkpoint import Checkpoint
    from octprobe.accuracy.experiment import Experiment


def sensitivity(
    checkpoint: Annotated[
        Path, typer.Argument(help="Weights of `octprobe accuracy elastic`.", show_default=False)
    ],
    store: Annotated[Path, typer.Option(help="Folder of the store that the rows go to.", show_default=False)],
    data: Annotated[
        Path | None,
        typer.Option(help="Folder of the data set's files, where they are not found by themselves."),
    ] = None,
    allow_import: Annotated[bool, typer.Option(help="Allow module:function, which runs that code.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the rows as a JSON list.")] = False,
) -> None:
    """Show how much validation accuracy is lost when one alpha group alone goes to each alpha.

    Everything else stays at alpha 0. `octprobe groups` shows the groups; rows are kept in the store.
    """
    from octprobe.accuracy.checkpoint import read_finished
    from octprobe.accuracy.sensitivity import look
    from octprobe.commands.accuracy_sensitivity_view import as_objects, print_sensitivities
    from octprobe.commands.terminal import make_console, print_json, warn
    from octprobe.store.accuracy_runs import probe
    from octprobe.store.sensitivities import append_sensitivities

    probe(store)
    found = read_finished(str(checkpoint))
    experiment = _experiment(found, store, data, allow_import=allow_import)
    rows = list(look(found, experiment))
    append_sensitivities(store, rows)
    warn(filter(None, [found.note_on(experiment.data.name)]))
    if as_json:
        print_json(as_objects(rows))
    else:
        print_sensitivities(rows, make_console())


def _experiment(found: "Checkpoint", store: Path, data: Path | None, *, allow_import: bool) -> "Experiment":
    from octprobe.accuracy.experiment import Experiment
    from octprobe.accuracy.sources import read_data
    from octprobe.commands.machine import torch_place

    device, env_id = torch_place(found.task.recipe.device)
    return Experiment(store, read_data(found.task.recipe, data), device, env_id, allow_import=allow_import)
