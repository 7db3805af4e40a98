"""`octprobe dashboard`: which store, which address, one line for what is wrong, a clean end."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit.web.cli
from streamlit import net_util
from streamlit.web.server import server_util

from benchmarks.served import free_port, served
from octprobe.commands import dashboard as module
from octprobe.commands.dashboard import (
    app_script,
    chosen_store,
    dashboard,
    page_address,
    refuse_taken_port,
    streamlit_arguments,
)
from octprobe.demo import demo_store
from octprobe.errors import MachineError, StoreError, UsageError
from octprobe.store.store import Store

EVERY_ADDRESS = "0.0.0.0"  # noqa: S104 - nothing is bound to it


@pytest.fixture(autouse=True)
def _no_store_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OCTPROBE_STORE", raising=False)


@pytest.fixture
def taken() -> Iterator[int]:
    """Give a port that somebody else serves at."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_the_argument_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing named is no store at all, for the app to say what to do."""
    assert chosen_store(None, demo=False) is None
    monkeypatch.setenv("OCTPROBE_STORE", "there")
    assert chosen_store(None, demo=False) == Path("there")
    assert chosen_store(Path("here"), demo=False) == Path("here")
    assert chosen_store(None, demo=True) == demo_store()
    monkeypatch.setenv("OCTPROBE_STORE", "")
    assert chosen_store(None, demo=False) is None


def test_a_store_and_the_demonstration_exclude_each_other() -> None:
    """One of them is meant, and only the person knows which."""
    with pytest.raises(UsageError, match="here: --demo opens a store of its own"):
        chosen_store(Path("here"), demo=True)


def test_no_such_store_is_told_before_streamlit_is_loaded(tmp_path: Path) -> None:
    """In one line, with exit code 2."""
    code = (
        "import sys; from octprobe.commands.main import main\n"
        "sys.argv = ['octprobe', 'dashboard', 'nowhere']\n"
        "try: main()\n"
        "finally: print('streamlit' in sys.modules)"
    )
    command = [sys.executable, "-c", code]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert (ended.returncode, ended.stdout) == (2, "False\n")
    assert ended.stderr.startswith("octprobe: nowhere: no such folder.")
    assert ended.stderr.count("\n") == 1


def test_a_port_in_use_is_one_line(taken: int) -> None:
    """Naming the port and the way out; a port that was given back is free at once."""
    with pytest.raises(UsageError, match=rf"^127.0.0.1:{taken}: cannot be served at \(Address already"):
        refuse_taken_port("127.0.0.1", taken)
    refuse_taken_port("127.0.0.1", free_port())


@pytest.mark.parametrize(
    ("address", "rule"),
    [
        ("", "is not known here"),
        ("no address", "is not known here"),
        ("." * 300, "is not known here"),
        ("192.0.2.1", "Cannot assign requested address"),
    ],
)
def test_an_address_of_another_machine_is_refused(address: str, rule: str) -> None:
    """An empty one would serve to everybody."""
    with pytest.raises(UsageError, match=rule):
        refuse_taken_port(address, free_port())


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("127.0.0.1", "http://127.0.0.1:8501"),
        (EVERY_ADDRESS, "http://localhost:8501"),
        ("::1", "http://[::1]:8501"),
    ],
)
def test_the_page_s_address_can_be_opened(address: str, shown: str) -> None:
    """Every address is none that a browser opens."""
    assert page_address(address, 8501) == shown


def test_streamlit_is_told_the_store_after_its_own_options() -> None:
    """A store named like an option stays a store; other hosts' names count only where others are served."""
    start = ["run", "app.py", "--server.address=127.0.0.1", "--server.port=80", "--"]
    assert streamlit_arguments(Path("app.py"), Path("--x"), "127.0.0.1", 80) == [*start, "--x"]
    assert streamlit_arguments(Path("app.py"), None, "127.0.0.1", 80) == start
    assert "--server.allowedHosts=*" in streamlit_arguments(Path("app.py"), None, EVERY_ADDRESS, 80)


@pytest.mark.parametrize(
    ("address", "allowed"),
    [("localhost", []), ("::1", []), ("127.0.0.2", ["--server.allowedHosts=127.0.0.2"])],
)
def test_an_address_of_this_machine_alone_allows_no_other_s_name(address: str, allowed: list[str]) -> None:
    """A page elsewhere that rebinds its name to this machine is refused."""
    found = streamlit_arguments(Path("app.py"), None, address, 80)
    assert [one for one in found if "allowedHosts" in one] == allowed


def test_the_app_is_found_in_the_repository_and_its_absence_is_told(
    repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An installed package has it inside, which goes first."""
    assert app_script() == repository / "app" / "streamlit_app.py"
    monkeypatch.setattr(module.octprobe, "__file__", str(tmp_path / "octprobe" / "__init__.py"))
    with pytest.raises(MachineError, match="is not installed whole"):
        app_script()
    inside = tmp_path / "octprobe" / "dashboard_app" / "streamlit_app.py"
    inside.parent.mkdir(parents=True)
    inside.touch()
    assert app_script() == inside


def test_a_page_of_another_origin_makes_the_server_ask_nobody(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Streamlit would ask an outside server for this machine's address; the line names where to look."""
    monkeypatch.setattr(net_util, "get_external_ip", net_util.get_external_ip)
    asked: list[str] = []
    monkeypatch.setattr(net_util, "_make_blocking_http_get", lambda url, timeout: asked.append(url))
    judged: list[bool] = []

    def start(arguments: list[str], *, standalone_mode: bool) -> None:
        judged.append(server_util.is_url_from_allowed_origins("http://evil.invalid"))

    monkeypatch.setattr(streamlit.web.cli, "main", start)
    Store.create(tmp_path)
    port = free_port()
    dashboard(tmp_path, port=port)
    assert (judged, asked) == ([False], [])
    assert capsys.readouterr().out == (
        f"{tmp_path}: open http://127.0.0.1:{port} in a browser; Ctrl-C ends it\n"
    )


def test_a_missing_store_raises_its_own_error(tmp_path: Path) -> None:
    """The one the other commands raise."""
    with pytest.raises(StoreError, match="no such folder"):
        dashboard(tmp_path / "nowhere")


@pytest.mark.slow
def test_it_serves_and_ctrl_c_ends_it_quietly(tmp_path: Path) -> None:
    """One line, a healthy script, no upload, exit code 0, no traceback."""
    Store.create(tmp_path / "store")
    with served("store", folder=tmp_path) as running:
        assert running.line.startswith("store: open http://127.0.0.1:")
        assert running.fetch("/_stcore/script-health-check") == (200, "ok")
        code, said = running.end()
    assert (code, said) == (0, "")


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_though_its_reader_left(tmp_path: Path, number: signal.Signals) -> None:
    """What it would say last has nowhere to go, and nothing waits for that."""
    with served("--demo", folder=tmp_path) as running:
        assert running.process.stdout is not None
        running.process.stdout.close()
        running.process.send_signal(number)
        assert running.process.wait(60) == 0
