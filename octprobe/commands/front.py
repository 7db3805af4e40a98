"""`octprobe front`: the points that nothing beats on two objectives."""

from pathlib import Path
from typing import Annotated

import typer


def front(
    store: Annotated[Path, typer.Argument(help="Folder that `octprobe sweep` wrote.", show_default=False)],
    *,
    x: Annotated[
        str, typer.Option(help="First objective: latency, macs, memory, ... or a column.")
    ] = "latency",
    y: Annotated[str, typer.Option(help="Second objective.")] = "macs",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the points as a JSON list, those off the front flagged.")
    ] = False,
) -> None:
    """Show the front over two objectives, one for each device, batch, resolution, dtype, mode and threads."""
    from octprobe.commands.pictures import print_front  # pandas takes half a second to import
    from octprobe.commands.terminal import make_console, print_json, warn
    from octprobe.explore.environments import incomparable
    from octprobe.explore.front import front_info, front_records
    from octprobe.store.query import load_readable

    loaded = load_readable(store)
    warn(loaded.damaged)
    info = front_info(loaded.frame, x, y)
    if as_json:
        warn([*info.left_out, *filter(None, [incomparable(info.records)])])
        print_json(front_records(info))
    else:
        print_front(info, make_console())
