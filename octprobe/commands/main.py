"""The door: every subcommand by name, and the one place where errors become a line and an exit code."""

import contextlib
import errno
import os
import sys
import traceback
from typing import Annotated

import typer

from octprobe import __version__
from octprobe.commands.accuracy import accuracy
from octprobe.commands.break_even import break_even
from octprobe.commands.compare import compare
from octprobe.commands.cost import cost
from octprobe.commands.dashboard import dashboard
from octprobe.commands.doctor import doctor
from octprobe.commands.export import export
from octprobe.commands.export_rows import export_rows
from octprobe.commands.front import front
from octprobe.commands.groups import groups
from octprobe.commands.profile import profile
from octprobe.commands.query import query
from octprobe.commands.recommend import recommend
from octprobe.commands.report import report
from octprobe.commands.schema import schema
from octprobe.commands.selftest import selftest
from octprobe.commands.show import show
from octprobe.commands.sweep import sweep
from octprobe.commands.trace import trace
from octprobe.errors import OctprobeError

# sysexits.h: EX_SOFTWARE, an internal fault.
_BUG_EXIT_CODE = 70
# What a shell gives for a process that SIGPIPE ended.
_BROKEN_PIPE_EXIT_CODE = 141
# What typer puts in the place of an output whose reader left, before it ends with 1.
_LEFT_READER = "PacifyFlushWrapper"

app = typer.Typer(
    name="octprobe",
    help="Profile Octave Convolution on your own hardware and choose alpha for a budget.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (
    sweep,
    show,
    front,
    recommend,
    compare,
    break_even,
    report,
    dashboard,
    query,
    export_rows,
    trace,
    cost,
    groups,
    profile,
    export,
    schema,
    doctor,
    selftest,
):
    app.command()(command)
app.add_typer(accuracy, name="accuracy")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"octprobe {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Profile Octave Convolution on your own hardware and choose alpha for a budget."""


def _lost_output(error: OSError) -> int:
    """Say in a line that what was printed could not be taken; a pipe's reader that left needs no line."""
    with contextlib.suppress(OSError, ValueError):  # what is left in the buffer has nowhere to go
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if error.errno != errno.EPIPE:
        where = f"{error.filename}: " if error.filename else "output: "
        typer.echo(f"octprobe: {where}{error.strerror or error}", err=True)
    return _BROKEN_PIPE_EXIT_CODE if error.errno == errno.EPIPE else OctprobeError.exit_code


def main() -> None:
    """Run the command line; what a person can put right is one line on stderr and exit code 2."""
    try:
        app()
    except OctprobeError as error:
        if error.__cause__ is not None and os.environ.get("OCTPROBE_DEBUG"):
            traceback.print_exception(error.__cause__)
        typer.echo(f"octprobe: {error}", err=True)
        sys.exit(error.exit_code)
    except SystemExit as ending:
        if type(sys.stdout).__name__ == _LEFT_READER:
            sys.exit(_lost_output(BrokenPipeError(errno.EPIPE, "")))
        sys.exit(ending.code)
    except KeyboardInterrupt:
        typer.echo("octprobe: interrupted", err=True)
        sys.exit(130)
    except OSError as error:
        sys.exit(_lost_output(error))
    except Exception as error:  # the last door: a bug of ours is a line too, its traceback only on request
        if os.environ.get("OCTPROBE_DEBUG"):
            traceback.print_exc()
        typer.echo(
            f"octprobe: {type(error).__name__}: {error}. This is a fault of octprobe; "
            "set OCTPROBE_DEBUG=1 to see where.",
            err=True,
        )
        sys.exit(_BUG_EXIT_CODE)
