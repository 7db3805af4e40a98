"""`octprobe selftest`: how often the verdict is right on this machine."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from octprobe.measure.selftest import Tally

# What a noisy machine may take for each subject of a comparison; a quiet one needs a second.
_SECONDS = 5.0


def selftest(
    *,
    comparisons: Annotated[int, typer.Option(min=1, help="Comparisons of each kind.")] = 40,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    max_seconds: Annotated[
        float, typer.Option(min=0.1, help="Most timed seconds a subject of a comparison.")
    ] = _SECONDS,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list.")] = False,
) -> None:
    """Compare equal work, and work that differs by exactly 5 %, and count how often the verdict is right."""
    from rich.progress import track

    from octprobe.commands.terminal import make_console, print_json
    from octprobe.measure.device import open_device
    from octprobe.measure.lookout import open_lookout
    from octprobe.measure.selftest import EQUAL, MORE, Trial, run_trials, tally_up
    from octprobe.plan.spec import Measure

    opened, settings = open_device(device), Measure(max_seconds=max_seconds)
    experiments = (EQUAL, MORE)
    trials = run_trials(opened, open_lookout(opened), settings, settings.band, experiments, comparisons)
    console = make_console(stderr=as_json)
    done: list[Trial] = []
    try:
        total = len(experiments) * comparisons
        done.extend(track(trials, "comparing", total, console=console, transient=True))
    finally:  # what Ctrl-C leaves is worth seeing
        if as_json:
            print_json([_as_object(tally) for tally in tally_up(done)])
        else:
            console.print(_table(tally_up(done)))


def _as_object(tally: "Tally") -> dict[str, Any]:
    from octprobe.stats import Verdict

    share = tally.right_share
    return {
        "experiment": tally.experiment.name,
        "true_ratio": tally.experiment.true_ratio,
        "ratio_median": tally.ratio_median,
        "comparisons": len(tally.trials),
        "judged": len(tally.judged),
        **{str(verdict).lower(): tally.count(verdict) for verdict in Verdict},
        "right_share": share.median if share else None,
        "right_share_ci": [share.low, share.high] if share else None,
    }


def _table(tallies: "Sequence[Tally]") -> "Table":
    from rich.table import Table

    from octprobe.stats import Verdict

    table = Table(box=None, pad_edge=False)
    for heading in ("comparison", "true ratio", "measured", "n", *Verdict, "right", "95 % CI"):
        table.add_column(heading, justify="left" if heading == "comparison" else "right")
    for tally in tallies:
        share = tally.right_share
        table.add_row(
            tally.experiment.name,
            f"{tally.experiment.true_ratio:.3f}",
            f"{tally.ratio_median:.3f}",
            str(len(tally.trials)),
            *(str(tally.count(verdict)) for verdict in Verdict),
            *(
                (f"{share.median:.1%}", f"[{share.low:.1%}, {share.high:.1%}]")
                if share
                else ("-", "too few pairs")
            ),
        )
    return table
