"""`octprobe accuracy at`: the accuracy of a trained checkpoint at any alpha."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from octprobe.store.accuracy_run import Split

if TYPE_CHECKING:
    from octprobe.accuracy.answer import Asked
    from octprobe.store.accuracy_run import AccuracyRun


def at(
    checkpoint: Annotated[
        str,
        typer.Argument(help="A file under accuracy/checkpoints/ of a store.", show_default=False),
    ],
    *,
    alpha: Annotated[
        list[str],
        typer.Option(help="0.5, or a map: layer1=0.5,layer2=0.25. Give it several times for several."),
    ],
    split: Annotated[
        Split,
        typer.Option(help="Images asked about: validation to choose by, test once the choice is made."),
    ] = Split.VALIDATION,
    data: Annotated[
        Path | None, typer.Option(help="Folder of the data set's files, if not found by themselves.")
    ] = None,
    store: Annotated[
        Path | None, typer.Option(help="Keep the rows in this store; else they are only shown.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    allow_import: Annotated[
        bool, typer.Option("--allow-import", help="Allow module:function networks, which run that code.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the rows as a JSON list.")] = False,
) -> None:
    """Ask a checkpoint at any alpha or alpha map; an elastic one serves all, with statistics of each.

    Batch-norm statistics of an alpha that was not trained are estimated from training images first. Compare
    alphas by validation images, and ask about test images of the chosen one: the best of many is lucky too.
    """
    from octprobe.accuracy.answer import answers_at
    from octprobe.commands.accuracy_runs_view import print_runs
    from octprobe.commands.accuracy_show import run_object
    from octprobe.commands.parsing import parse_alpha
    from octprobe.commands.terminal import make_console, print_json, warn
    from octprobe.store.accuracy_runs import probe

    wanted = dict.fromkeys(parse_alpha(text) for text in alpha)
    if store is not None:
        probe(store)
    asked = _asked(checkpoint, split, data, device, allow_import=allow_import)
    rows = list(answers_at(asked, wanted))
    if store is not None:
        _keep(store, rows)
    warn(filter(None, [asked.checkpoint.note_on(rows[0].dataset)]))
    if as_json:
        print_json([run_object(row) for row in rows])
    else:
        print_runs(rows, make_console(), split)


def _keep(store: Path, rows: "list[AccuracyRun]") -> None:
    """Keep the rows that are new; of those of the training itself the store knows more."""
    from octprobe.store.accuracy_runs import append_runs, key_of, read_runs

    held = {key_of(row) for row in read_runs(store).rows}
    new = [row for row in rows if key_of(row) not in held]
    if new:
        append_runs(store, new)


def _asked(checkpoint: str, split: Split, data: Path | None, device: str, *, allow_import: bool) -> "Asked":
    from octprobe.accuracy.answer import Asked
    from octprobe.accuracy.checkpoint import read_finished
    from octprobe.commands.machine import torch_place

    held = read_finished(checkpoint)
    return Asked(held, data, split, *torch_place(device), allow_import=allow_import)
