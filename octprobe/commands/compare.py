"""`octprobe compare`: what changed between two stores, environments, sweeps or dates."""

import re
from pathlib import Path
from typing import Annotated

import typer

from octprobe.errors import UsageError

_PERCENT = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)\s*%", re.ASCII)
# Above this a check checks nothing, and a band holds everything.
_LARGEST_MARGIN_PERCENT = 1000.0
_LARGEST_BAND_PERCENT = 50.0


def compare(
    a: Annotated[Path, typer.Argument(metavar="A", help="Store of side A, before.", show_default=False)],
    b: Annotated[
        Path | None,
        typer.Argument(
            metavar="[B]",
            help="Store of side B, after; without it the options part the one store.",
            show_default=False,
        ),
    ] = None,
    *,
    environments: Annotated[
        tuple[str, str] | None,
        typer.Option(help="env_id of A and of B, or how each begins.", show_default=False),
    ] = None,
    sweeps: Annotated[
        tuple[str, str] | None, typer.Option(help="Name of A's sweep and of B's.", show_default=False)
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            help="Part one store by date: A is what was recorded before, B what was recorded since, "
            "as 2026-11-24 or 2026-11-24T13:30 (UTC).",
            show_default=False,
        ),
    ] = None,
    by: Annotated[
        str, typer.Option(help="Figure to judge by: latency, or time_ratio, which drift does not move.")
    ] = "latency",
    band: Annotated[str, typer.Option(help="Half width of what counts as the same.")] = "1%",
    fail_above: Annotated[
        str | None,
        typer.Option(
            help="Exit with 1 if a point is shown to be slower by more than this, such as 5%, or no "
            "longer runs.",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the comparison as one JSON object.")] = False,
) -> None:
    """Compare the same points on two sides: ratio B/A with interval, corrected verdict, what else differs."""
    from octprobe.commands.compare_view import print_comparison  # pandas takes half a second to import
    from octprobe.commands.terminal import make_console, print_json, warn
    from octprobe.explore.compare import compare as compared
    from octprobe.explore.comparison.change import Basis
    from octprobe.explore.comparison.record import comparison_record
    from octprobe.explore.comparison.sides import read_side, sides_of

    sides = sides_of(a, b, environments=environments, sweeps=sweeps, since=since)
    half_width = _share("--band", band, _LARGEST_BAND_PERCENT)
    margin = None if fail_above is None else _share("--fail-above", fail_above, _LARGEST_MARGIN_PERCENT)
    if by not in set(Basis):
        raise UsageError(f"--by {by}: choose from {', '.join(Basis)}")
    before, after = (read_side(side) for side in sides)
    warn(dict.fromkeys(str(part) for part in (*before.damaged, *after.damaged)))
    found = compared(before.frame, after.frame, band=half_width, fail_above=margin, basis=Basis(by))
    if as_json:
        print_json({"a": str(sides[0]), "b": str(sides[1])} | comparison_record(found))
    else:
        print_comparison(found, sides, make_console())
    if margin is not None and not found.tested:
        warn([f"--fail-above {fail_above}: no point has samples enough on both sides, so nothing was tested"])
    if found.failed:
        raise typer.Exit(1)


def _share(option: str, text: str, largest: float) -> float:
    """Read a percentage as a share.

    Raises:
        UsageError: it has no percent sign, or does not lie in [0, largest] percent.
    """
    parsed = _PERCENT.fullmatch(text.strip())
    percent = float(parsed[1]) if parsed else None
    if percent is None or percent > largest:
        raise UsageError(
            f"{option} {text}: give a percentage from 0% to {largest:g}%, with its sign, such as 5%"
        )
    return percent / 100
