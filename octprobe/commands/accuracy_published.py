"""`octprobe accuracy published`: what authors have printed."""

from typing import Annotated

import typer


def published(
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the rows as a JSON list; absent is null.")
    ] = False,
) -> None:
    """Show the accuracies that authors have printed, by source family; deltas hold within one family."""
    from dataclasses import asdict

    from octprobe.commands.accuracy_view import print_accuracies
    from octprobe.commands.terminal import make_console, print_json
    from octprobe.facts.published import published_accuracies

    accuracies = published_accuracies()
    if as_json:
        print_json([asdict(each) for each in accuracies])
    else:
        print_accuracies(accuracies, make_console())
