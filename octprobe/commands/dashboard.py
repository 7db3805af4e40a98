"""`octprobe dashboard`: a store in a browser, served to this machine alone."""

import contextlib
import importlib
import ipaddress
import os
import socket
from pathlib import Path
from typing import Annotated

import typer

import octprobe
from octprobe.errors import MachineError, OctprobeError, UsageError

STORE_VARIABLE = "OCTPROBE_STORE"
DEFAULT_PORT = 8501
LOOPBACK = "127.0.0.1"
# The names that the app's own settings allow.
_LOOPBACK_NAMES = ("localhost", LOOPBACK, "::1")
# Addresses that stand for every one of the machine's own; a browser needs one of them.
_EVERY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 - a person may ask for it, and it is told apart here only
_SCRIPT = "streamlit_app.py"
_PAGES_NEED = ("octprobe.report.overview", "octprobe.report.changes", "octprobe.figures.front")


def dashboard(
    store: Annotated[
        Path | None,
        typer.Argument(
            help=f"Folder that `octprobe sweep` wrote; else that of {STORE_VARIABLE}.", show_default=False
        ),
    ] = None,
    *,
    demo: Annotated[
        bool, typer.Option("--demo", help="Open the small measured store that comes with octprobe.")
    ] = False,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to serve at.")] = DEFAULT_PORT,
    address: Annotated[
        str, typer.Option(help="Address to serve at; 0.0.0.0 shows the results to the whole network.")
    ] = LOOPBACK,
) -> None:
    """Browse a store in a browser: its state, the front, the alpha for a budget, layers, reasons, changes."""
    from octprobe.store.store import Store  # pyarrow takes a third of a second to import

    chosen = chosen_store(store, demo=demo)
    if chosen is not None:
        Store.open(chosen)
    script = app_script()
    refuse_taken_port(address, port)
    _serve(script, chosen, address, port)


def chosen_store(store: Path | None, *, demo: bool) -> Path | None:
    """Give the store to show: the one named, the demonstration, or the environment's; None where none is.

    Raises:
        UsageError: a store and the demonstration are both asked for.
    """
    from octprobe.demo import demo_store

    if store is not None and demo:
        raise UsageError(f"{store}: --demo opens a store of its own; give a store or --demo, not both")
    if demo:
        return demo_store()
    named = os.environ.get(STORE_VARIABLE)
    return store or (Path(named) if named else None)


def app_script() -> Path:
    """Give the app's script: in the package where it was installed, beside it in the repository.

    Raises:
        MachineError: the installation has no app.
    """
    package = Path(octprobe.__file__).parent
    scripts = (package / "dashboard_app" / _SCRIPT, package.parent / "app" / _SCRIPT)
    for script in scripts:
        if script.is_file():
            return script
    raise MachineError(f"{scripts[0]}: is missing, so octprobe is not installed whole; install it again")


def refuse_taken_port(address: str, port: int) -> None:
    """Stop before Streamlit is loaded where the address cannot be served at.

    Raises:
        UsageError: the port is in use or not allowed, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        # To a socket an empty address is every one, which nobody asked for.
        socket.getaddrinfo(address or " ", port)
        socket.create_server((address, port), family=family).close()
    except (socket.gaierror, UnicodeError) as error:
        raise UsageError(
            f"--address {address!r}: is not known here; give an address of this machine, such as {LOOPBACK}"
        ) from error
    except OSError as error:
        raise UsageError(
            f"{_in_url(address)}:{port}: cannot be served at ({os.strerror(error.errno or 0)}); "
            "give another --port or --address"
        ) from error


def page_address(address: str, port: int) -> str:
    """Give what a browser on this machine opens."""
    return f"http://{'localhost' if address in _EVERY_ADDRESS else _in_url(address)}:{port}"


def streamlit_arguments(script: Path, store: Path | None, address: str, port: int) -> list[str]:
    """Give Streamlit's command line; what it leaves open stands in the app's `.streamlit/config.toml`."""
    settings = [f"--server.address={address}", f"--server.port={port}"]
    if not _is_loopback(address):
        # Who serves to others may be called by any name of the machine.
        settings.append("--server.allowedHosts=*")
    elif address not in _LOOPBACK_NAMES:
        settings.append(f"--server.allowedHosts={address}")
    return ["run", str(script), *settings, "--", *([] if store is None else [str(store)])]


def _is_loopback(address: str) -> bool:
    """Say whether an address is this machine's alone; a name is what all its addresses are."""
    found = socket.getaddrinfo(address, None)
    return all(ipaddress.ip_address(place[0]).is_loopback for *_, place in found)


def _in_url(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def _serve(script: Path, store: Path | None, address: str, port: int) -> None:
    """Serve until Ctrl-C, which Streamlit takes as the end."""
    from streamlit import net_util
    from streamlit.web.cli import main as streamlit  # Streamlit takes a second to import

    from octprobe.commands.terminal import printable

    # To judge a page of another origin Streamlit asks an outside server for this machine's address.
    net_util.get_external_ip = lambda: None
    _load(store)
    shown = "no store" if store is None else printable(store)
    typer.echo(f"{shown}: open {page_address(address, port)} in a browser; Ctrl-C ends it")
    # Streamlit says "Stopping..." before it stops; to a reader that left, it would never come to that.
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, contextlib.redirect_stdout(nowhere):
        streamlit(streamlit_arguments(script, store, address, port), standalone_mode=False)


def _load(store: Path | None) -> None:
    """Load before the first page is asked for what it needs: the figures' libraries and the rows' columns."""
    from octprobe.explore.front_record import CHOICE_COLUMNS
    from octprobe.explore.labels import LABEL_COLUMNS
    from octprobe.explore.progress import progress
    from octprobe.report.overview import COLUMNS
    from octprobe.store.snapshot import shared_reader, snapshot

    for name in _PAGES_NEED:
        importlib.import_module(name)
    if store is not None:
        with contextlib.suppress(OctprobeError):  # the pages say it
            shown = snapshot(str(store))
            shared_reader(shown).read((*LABEL_COLUMNS, *COLUMNS, *CHOICE_COLUMNS))
            progress(shown)
