"""`octprobe accuracy`: how often octave networks answer right, and who says so."""

import typer

from octprobe.commands.accuracy_at import at
from octprobe.commands.accuracy_evaluate import evaluate
from octprobe.commands.accuracy_inferior import inferior
from octprobe.commands.accuracy_published import published
from octprobe.commands.accuracy_sensitivity import sensitivity
from octprobe.commands.accuracy_show import show
from octprobe.commands.accuracy_train import elastic, train

accuracy = typer.Typer(
    help="How often octave networks answer right: published, evaluated, trained.", no_args_is_help=True
)


@accuracy.callback()
def _group() -> None:
    """How often octave networks answer right: published, evaluated, trained; each figure with its source."""


for command in (train, elastic, at, evaluate, show, inferior, sensitivity, published):
    accuracy.command()(command)
