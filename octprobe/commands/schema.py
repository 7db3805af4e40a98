"""`octprobe schema`: the JSON Schemas of sweep files and recipes, for editors."""

from pathlib import Path
from typing import Annotated

import typer

from octprobe.errors import UsageError


def schema(
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write the schema to this file, not to the terminal."),
    ] = None,
    recipe: Annotated[
        bool, typer.Option("--recipe", help="The schema of recipes, which `octprobe accuracy` trains.")
    ] = False,
) -> None:
    """Print the JSON Schema of sweep files, or of recipes, or write it to a file for an editor's modeline.

    Raises:
        octprobe.errors.UsageError: the file cannot be written.
    """
    # pydantic takes longer to load than `octprobe --help` may take to answer.
    from octprobe.plan.json_schema import schema_text

    text = schema_text(recipe=recipe)
    if output is None:
        typer.echo(text, nl=False)
        return
    _write(output, text)


def _write(output: Path, text: str) -> None:
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"{output}: the schema cannot be written: {error.strerror}; name another file"
        ) from None
