"""`octprobe trace`: where the time of a recorded trace went."""

from pathlib import Path
from typing import Annotated

import typer


def trace(
    file: Annotated[
        Path,
        typer.Argument(
            help="Chrome trace that torch.profiler exported, .json or .json.gz.", show_default=False
        ),
    ],
    *,
    top: Annotated[int, typer.Option(min=1, help="Operators shown in the table, the longest first.")] = 15,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object with every operator; absent is null.")
    ] = False,
) -> None:
    """Sum a trace up: kernels, busy time, time by operator, communication and layout conversion."""
    from octprobe.commands.terminal import make_console, print_json, warn
    from octprobe.commands.trace_view import as_object, gaps, print_summary
    from octprobe.trace.summary import summarise
    from octprobe.trace.timeline import read_timeline

    summary = summarise(read_timeline(file))
    warn(f"{file}: {gap}" for gap in gaps(summary))
    if as_json:
        print_json(as_object(summary))
    else:
        print_summary(make_console(), str(file), summary, top)
