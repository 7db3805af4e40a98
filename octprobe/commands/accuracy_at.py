"""`octprobe accuracy at`: the accuracy of a trained checkpoint at any alpha."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from octprobe.accuracy.answer import Asked
    from octprobe.store.accuracy_run import AccuracyRun


class Split(StrEnum):
    """Which images are asked about."""

    VALIDATION = "validation"
    TEST = "test"


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
        Split, typer.Option(help="Images asked about; choices are made by validation alone.")
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

    Batch-norm statistics of an alpha that was not trained are estimated from training images first.
    """
    from octprobe.accuracy.answer import answers_at
    from octprobe.commands.accuracy_runs_view import print_runs
    from octprobe.commands.accuracy_show import run_object
    from octprobe.commands.parsing import parse_alpha
    from octprobe.commands.terminal import make_console, print_json

    wanted = dict.fromkeys(parse_alpha(text) for text in alpha)
    asked = _asked(checkpoint, split, data, device, allow_import=allow_import)
    rows = list(answers_at(asked, wanted))
    if store is not None:
        _keep(store, rows)
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
    return Asked(checkpoint, held, data, str(split), *torch_place(device), allow_import=allow_import)
