"""`octprobe doctor`: what can be measured on this machine, what cannot, and why."""

import json
from typing import Annotated

import typer


def doctor(
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list.")] = False,
) -> None:
    """Tell what can be measured on this machine, what cannot, and why."""
    from dataclasses import asdict

    from octprobe.measure.device import open_device
    from octprobe.measure.examine import examine

    findings = list(examine(open_device(device)))
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings]))
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for heading in ("", "subject", "found", "why, and what to do"):
        table.add_column(heading, overflow="fold")
    for finding in findings:
        mark = {True: "[green]yes[/]", False: "[yellow]no[/]", None: ""}[finding.usable]
        table.add_row(mark, finding.subject, escape(finding.state), escape(finding.reason or ""))
    Console(highlight=False).print(table)
