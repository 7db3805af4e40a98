"""The parent's side of one worker: started, asked, waited for, ended."""

import contextlib
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from octprobe.engine.protocol import InstrumentSpec, Note, StopFlag, WorkerDeath
from octprobe.engine.worker import Answer, Broken, Quit, Stop, serve
from octprobe.store.records import Status

# How long a parent sleeps between looks at its stop flag: long enough not to disturb a timed block.
_LOOK_SECONDS = 0.5
# Enough of a log for the last traceback, little enough to keep in a row.
_LOG_TAIL_BYTES = 4000
_GRACE_SECONDS = 5.0
# A worker that was killed leaves the semaphore of tqdm's lock behind; the tracker removes it silently.
_NO_LEAK_WARNING = "ignore::UserWarning:multiprocessing.resource_tracker"
# Loading torch, timm and a CUDA context takes seconds; a minute and more on a cold disk.
_START_TIMEOUT_SECONDS = 300.0


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Block SIGINT; a process started meanwhile keeps it blocked, so that Ctrl-C reaches the parent only."""
    # Starting the tracker unblocks SIGINT again, so it must be running before.
    sys.warnoptions.append(_NO_LEAK_WARNING)
    resource_tracker.ensure_running()
    sys.warnoptions.remove(_NO_LEAK_WARNING)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class WorkerDied(Exception):
    """A worker ended, fell silent or gave up; carries how."""

    def __init__(self, death: WorkerDeath) -> None:
        super().__init__(death.reason)
        self.death = death


class WorkerProcess:
    """One spawned worker.

    Args:
        spec: the instrument that it loads.
        log: file that takes its output.

    Attributes:
        is_ready: whether it was heard of, and so has loaded.
    """

    def __init__(self, spec: InstrumentSpec, log: Path) -> None:
        context = multiprocessing.get_context("spawn")
        self._log = log
        self.is_ready = False
        self._connection: Connection
        self._connection, child = context.Pipe()
        self._process = context.Process(target=serve, args=(child, spec, log, os.getpid()), daemon=True)
        with _interrupts_held():
            self._process.start()
        child.close()

    def ask(
        self,
        request: object,
        timeout_seconds: float,
        note: Callable[[str], None] = lambda _: None,
        stop: StopFlag | None = None,
    ) -> Any:
        """Send a request and wait for its answer, passing notes on and a wish to stop in.

        Args:
            request: one of the requests of `octprobe.engine.worker`.
            timeout_seconds: silence after which the worker counts as hung.
            note: told what the worker does.
            stop: looked at now and then; once set, the worker is told to stop.

        Raises:
            WorkerDied: the process ended, fell silent for too long, or could not do what was asked.
        """
        try:
            self._connection.send(request)
            return self._await_answer(timeout_seconds, note, stop)
        except (EOFError, BrokenPipeError, ConnectionResetError):
            raise WorkerDied(self._crash()) from None

    def close(self) -> None:
        """Ask the worker to go, and see that it has gone."""
        with contextlib.suppress(OSError):
            self._connection.send(Quit())
        self._process.join(_GRACE_SECONDS)
        self.kill()

    def kill(self) -> None:
        """End the worker and whatever it started."""
        if self._process.is_alive() and self._process.pid is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.kill()
        self._process.join()
        self._connection.close()

    def _await_answer(
        self, timeout_seconds: float, note: Callable[[str], None], stop: StopFlag | None
    ) -> Any:
        heard, told = time.monotonic(), False
        while True:
            if self._connection.poll(_LOOK_SECONDS):
                heard, self.is_ready = time.monotonic(), True
                match self._connection.recv():
                    case Note(text):
                        note(text)
                    case Answer(value):
                        return value
                    case Broken(status, reason):
                        raise WorkerDied(WorkerDeath(status, reason, self._log_tail()))
            elif time.monotonic() - heard > self._patience_seconds(timeout_seconds):
                raise WorkerDied(self._hang(self._patience_seconds(timeout_seconds)))
            if stop and stop.is_set() and not told:
                self._connection.send(Stop())
                told = True

    def _patience_seconds(self, timeout_seconds: float) -> float:
        return timeout_seconds if self.is_ready else max(_START_TIMEOUT_SECONDS, timeout_seconds)

    def _hang(self, silence_seconds: float) -> WorkerDeath:
        self.kill()
        reason = f"the worker said nothing for {silence_seconds:g} s (measure.timeout_seconds)"
        return WorkerDeath(Status.TIMED_OUT, reason, self._log_tail())

    def _crash(self) -> WorkerDeath:
        self._process.join(_GRACE_SECONDS)
        code = self._process.exitcode
        if code is not None and code < 0:
            how = f"the worker was ended by {signal.Signals(-code).name}"
        else:
            how = f"the worker ended with exit code {code}"
        self.kill()
        return WorkerDeath(Status.CRASHED, how, self._log_tail())

    def _log_tail(self) -> str | None:
        with contextlib.suppress(OSError):
            return self._log.read_bytes()[-_LOG_TAIL_BYTES:].decode(errors="replace").strip() or None
        return None
