"""What a sweep says at its end: the front, and each network's fastest alpha with its verdict."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from octprobe.commands.pictures import print_front
from octprobe.commands.terminal import cell, print_indented, warn
from octprobe.explore.doubts import SharedDoubts, own_doubts, shared_doubts
from octprobe.explore.fastest import Fastest, fastest_alphas
from octprobe.explore.front import front_info
from octprobe.explore.labels import environment_label, group_label, varying_conditions
from octprobe.store.query import load_readable

# What fits a few screens at the end of a sweep; the rest is left to `front` and `show`.
SUMMARY_FRONTS = 12
SUMMARY_FINDINGS = 24


def print_summary(store: str | Path, console: Console) -> None:
    """Print a store's front over latency and MACs and each network's fastest alpha with its verdict.

    Raises:
        StoreError: there is no store, or it cannot be read.
    """
    loaded = load_readable(store)
    warn(loaded.damaged)
    info = front_info(loaded.frame, "latency", "macs")
    hint = f"octprobe front {store} --x {info.x.name} --y {info.y.name}"
    print_front(info, console, most=SUMMARY_FRONTS, hint=hint)
    print_fastest(fastest_alphas(loaded.frame), console, shared_doubts(info.records), most=SUMMARY_FINDINGS)


def print_fastest(
    findings: Sequence[Fastest], console: Console, shared: SharedDoubts, most: int | None = None
) -> None:
    """Print each subject's fastest alpha with its verdict in plain words, and how many beat vanilla.

    Args:
        findings: one a subject and its conditions.
        console: where to.
        shared: doubts by environment that have been said already.
        most: how many findings at most; all by default.
    """
    if not findings:
        return
    console.print()
    console.print(Text("Fastest alpha against vanilla, by the paired time ratio [95 % CI]", style="bold"))
    varying = varying_conditions([finding.conditions for finding in findings])
    several = len({finding.conditions["env_id"] for finding in findings}) > 1
    for finding in findings[:most]:
        _print_finding(finding, varying, shared, console, with_environment=several)
    hidden = len(findings) - len(findings[:most])
    if hidden:
        console.print(Text(f"and {hidden} more, as `octprobe show` lists them"))
    if len(findings) > 1:
        faster = sum(finding.beats_vanilla for finding in findings)
        console.print(
            Text(f"An alpha is FASTER than vanilla in {faster} of {len(findings)} cases.", style="bold")
        )


def _print_finding(
    finding: Fastest,
    varying: Sequence[str],
    shared: SharedDoubts,
    console: Console,
    *,
    with_environment: bool,
) -> None:
    title = group_label(finding.conditions, varying)
    if with_environment:
        title += f", {environment_label(finding.record or finding.conditions, with_id=True)}"
    console.print(cell(title, "bold cyan"), soft_wrap=True)
    doubts = own_doubts(finding.record, shared) if finding.record else []
    told = f" (doubts: {', '.join(doubts)})" if doubts else ""
    print_indented(console, cell(finding.sentence() + told, "green" if finding.beats_vanilla else ""), 2)
