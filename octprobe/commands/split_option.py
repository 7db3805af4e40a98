"""The option of commands that choose: by which images accuracies are compared."""

from typing import Annotated

import typer

from octprobe.store.accuracy_run import Split

SplitOption = Annotated[
    Split,
    typer.Option(
        help="Images by which own trainings are compared: validation (test where a family has no other), or "
        "test, whose figures then are no fair report of what was chosen."
    ),
]
