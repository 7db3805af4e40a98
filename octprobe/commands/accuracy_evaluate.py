"""`octprobe accuracy evaluate`: a checkpoint on a folder of images."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from octprobe.store.accuracy_run import AccuracyRun


def evaluate(
    network: Annotated[str, typer.Argument(help="Network's name, as in a sweep.", show_default=False)],
    *,
    alpha: Annotated[str, typer.Option(help="0.5, or a map: layer1=0.5,layer2=0.25.")],
    checkpoint: Annotated[
        str, typer.Option(help="File of the weights (safetensors or torch.save), or pretrained.")
    ],
    data: Annotated[Path, typer.Option(help="Folder that holds a folder of images a class.")],
    store: Annotated[Path, typer.Option(help="Store that the row goes into.")],
    dataset: Annotated[
        str | None,
        typer.Option(help="Name of the data set; by default the folder's with a digest of its files."),
    ] = None,
    recipe: Annotated[
        str | None,
        typer.Option(help="How the weights were trained: deltas hold among checkpoints of one recipe."),
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of the training, if known.")] = None,
    resolution: Annotated[
        int | None, typer.Option(min=1, help="Side of the square input; by default the network's own.")
    ] = None,
    mean: Annotated[
        list[float] | None,
        typer.Option(
            min=0, max=1, help="Mean of the pixels, as the weights were trained; once, or once a channel."
        ),
    ] = None,
    std: Annotated[
        list[float] | None, typer.Option(min=0, max=1, help="Standard deviation of the pixels, likewise.")
    ] = None,
    class_map: Annotated[
        Path | None, typer.Option(help="Text file: folders' names a line, in the order of the answers.")
    ] = None,
    batch: Annotated[int, typer.Option(min=1, help="Images at once.")] = 64,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    allow_import: Annotated[
        bool, typer.Option("--allow-import", help="Allow module:function networks, which run that code.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the row as a JSON object.")] = False,
) -> None:
    """Evaluate a checkpoint at an alpha on a folder of images, and keep top-1 and top-5 in a store.

    Images are scaled, cropped and normalised as timm does for the network; a network for grey images that
    does not say its way is given them whole, normalised as Fashion-MNIST. Weights that were trained with
    another mean and deviation need --mean and --std, or they answer wrong. The checkpoint is one of the
    vanilla network or of any of its octave forms: their state dicts are the same.
    """
    from octprobe.accuracy.checked import Checked, evaluated_row
    from octprobe.accuracy.imagefolder import Wanted
    from octprobe.commands.accuracy_runs_view import print_runs
    from octprobe.commands.accuracy_show import run_object
    from octprobe.commands.machine import torch_place
    from octprobe.commands.parsing import parse_alpha
    from octprobe.commands.terminal import make_console, print_json
    from octprobe.store.accuracy_runs import append_runs, probe

    probe(store)
    place, env_id = torch_place(device)
    checked = Checked(
        network=network,
        alpha=parse_alpha(alpha),
        checkpoint=checkpoint,
        folder=data,
        dataset=dataset,
        recipe=recipe,
        seed=seed,
        images=Wanted(resolution=resolution, mean=mean, deviation=std, batch=batch, class_map=class_map),
        device=place,
        env_id=env_id,
        allow_import=allow_import,
    )
    row: AccuracyRun = evaluated_row(checked)
    append_runs(store, [row])
    if as_json:
        print_json(run_object(row))
    else:
        print_runs([row], make_console())
