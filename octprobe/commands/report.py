"""`octprobe report`: a store as one page, or as the text of a pull request."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from octprobe.errors import UsageError

if TYPE_CHECKING:
    from octprobe.report.contents import Read


class Format(StrEnum):
    """What a report is written as."""

    HTML = "html"
    MD = "md"


def report(
    store: Annotated[Path, typer.Argument(help="Folder that `octprobe sweep` wrote.", show_default=False)],
    *,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="The file; Markdown goes to the terminal without one.", show_default=False
        ),
    ] = None,
    form: Annotated[
        Format,
        typer.Option("--format", help="html: one page that opens offline; md: text for a pull request."),
    ] = Format.HTML,
    force: Annotated[bool, typer.Option("--force", help="Replace a file of that name.")] = False,
) -> None:
    """Write what a store says: verdicts, break-even, doubts, figures with their tables, failures."""
    from octprobe.commands.terminal import warn
    from octprobe.report.contents import read_contents  # pandas takes half a second to import
    from octprobe.store.publish import refuse_taken, write_whole

    if output is None and form is Format.HTML:
        raise UsageError("a page needs a file: add -o report.html, or --format md for text in the terminal")
    if output is not None:
        refuse_taken(output, overwrite=force)
    read = read_contents(store)
    warn(read.damaged)
    text = _written(read, form)
    if output is None:
        sys.stdout.write(text)
        return
    content = text.encode("utf-8", "replace")
    write_whole(output, lambda file: file.write(content), overwrite=force)
    typer.echo(f"{output}: {len(content):,} bytes, nothing outside it is needed to open it")


def _written(read: "Read", form: Format) -> str:
    if form is Format.MD:
        from octprobe.report.markdown import comment

        return comment(read.contents)
    from octprobe.report.html import page  # so does plotly

    return page(read)
