"""The dashboard as a person starts it: a process of its own, found by the line it prints, ended by Ctrl-C."""

import contextlib
import http.client
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

# Loading Streamlit on a busy machine takes some seconds; a page that runs its script takes more.
_PATIENCE_SECONDS = 60
_LOOKS = 600


@dataclass(frozen=True)
class Served:
    """A dashboard that answers.

    Attributes:
        url: what its line names.
        process: where it runs.
        line: what it said on standard output.
    """

    url: str
    process: "subprocess.Popen[str]"
    line: str

    def fetch(self, path: str) -> tuple[int, str]:
        """Give the status and text of what lies at a path."""
        connection = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=_PATIENCE_SECONDS)
        with contextlib.closing(connection):
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

    def end(self) -> tuple[int, str]:
        """Press Ctrl-C; give the exit code and what was said on standard error."""
        self.process.send_signal(signal.SIGINT)
        _, said = self.process.communicate(timeout=_PATIENCE_SECONDS)
        return self.process.returncode, said


def free_port() -> int:
    """Give a port that nothing serves at."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


@contextlib.contextmanager
def served(*arguments: str, folder: Path, environment: Mapping[str, str] | None = None) -> Iterator[Served]:
    """Start `octprobe dashboard` in a folder and give it once it answers; end it whatever happens.

    Args:
        arguments: what follows `octprobe dashboard --port N`.
        folder: where it is started, and the person's home.
        environment: variables that are set besides.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "octprobe", "dashboard", "--port", str(free_port()), *arguments],
        cwd=folder,
        env=_plain_environment(folder) | dict(environment or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield _once_it_answers(process)
    finally:
        process.kill()
        process.communicate()


def _plain_environment(home: Path) -> dict[str, str]:
    """Give the environment without a store, without settings of Streamlit, with a home of its own."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name != "OCTPROBE_STORE" and not name.startswith("STREAMLIT_")
    }
    return kept | {"HOME": str(home), "STREAMLIT_SERVER_SCRIPT_HEALTH_CHECK_ENABLED": "true"}


def _once_it_answers(process: "subprocess.Popen[str]") -> Served:
    line = process.stdout.readline() if process.stdout else ""
    found = re.search(r"http://\S+", line)
    if found is None:
        raise AssertionError(f"no address was said: {line}{process.communicate()[1]}")
    result = Served(found.group(), process, line)
    for _ in range(_LOOKS):
        with contextlib.suppress(OSError):
            if result.fetch("/_stcore/health")[0] == 200:
                return result
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_PATIENCE_SECONDS / _LOOKS)
            raise AssertionError(f"it ended: {process.communicate()[1]}")
    raise AssertionError(f"{result.url} did not answer in {_PATIENCE_SECONDS} s")
