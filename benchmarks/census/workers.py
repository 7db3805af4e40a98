"""Processes that examine architectures: each has one at a time, a limit of time and one of memory."""

import multiprocessing
import resource
import signal
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait

import torch

from benchmarks.census.architectures import parameters_of
from benchmarks.census.examine import examine
from benchmarks.census.row import Criterion, Findings, Row

# Of the processor's time, so that a busy machine refuses no architecture.
SECONDS_LIMIT = 120.0
# The largest architectures that run take a third of it.
MEMORY_LIMIT_BYTES = 8 * 2**30
# By the clock on the wall: for a process that waits, and with room for loading torch and timm.
_SILENCE_SECONDS = 900.0
_GRACE_SECONDS = 5.0
# How often limits are looked at.
_LOOK_SECONDS = 1.0

# Module and architecture; a row and the processor's seconds that it took.
Asked = tuple[str, str]
Answer = tuple[Row, float]


def examine_all(asked: Sequence[Asked], workers: int, done: Callable[[Row, float], None]) -> None:
    """Examine architectures side by side.

    Args:
        asked: module and architecture of each.
        workers: how many processes.
        done: told each row and the processor's seconds, in the order in which they end.
    """
    waiting, pool = deque(asked), [Worker() for _ in range(min(workers, len(asked)))]
    try:
        while waiting or any(worker.is_busy for worker in pool):
            for worker in pool:
                if waiting and not worker.is_busy:
                    worker.ask(waiting.popleft())
            for answer in _answers([worker for worker in pool if worker.is_busy]):
                done(*answer)
    finally:
        for worker in pool:
            worker.close()


def _answers(busy: "Sequence[Worker]") -> list[Answer]:
    wait([worker.connection for worker in busy], _LOOK_SECONDS)
    return [answer for worker in busy if (answer := worker.answer())]


class Worker:
    """A process that examines one architecture after another; one that fails is replaced.

    Args:
        serve: what the process does.
        silence_seconds: after which a process counts as hung.

    Attributes:
        connection: becomes readable when there is an answer.
    """

    connection: Connection

    def __init__(
        self,
        serve: Callable[[Connection], object] | None = None,
        silence_seconds: float = _SILENCE_SECONDS,
    ) -> None:
        self._serve, self._silence_seconds = serve or _serve, silence_seconds
        self._process: multiprocessing.process.BaseProcess | None = None
        self._asked: Asked | None = None
        self._until = 0.0

    @property
    def is_busy(self) -> bool:
        """Tell whether an architecture has been asked that is not answered."""
        return self._asked is not None

    def ask(self, asked: Asked) -> None:
        """Begin with an architecture."""
        self._asked, self._until = asked, time.monotonic() + self._silence_seconds
        if self._process is None or not self._process.is_alive():
            self._start()
        with suppress(ConnectionError):  # it died at once, which the answer tells
            self.connection.send(asked)

    def answer(self) -> Answer | None:
        """Give the row, whatever became of the process; None while it is at work and has time left."""
        try:
            if self.connection.poll():
                answer: Answer = self.connection.recv()
                self._asked = None
                return answer
        except (EOFError, ConnectionError):
            return self._failed(*self._end())
        if time.monotonic() < self._until:
            return None
        return self._failed(
            Criterion.TIME, f"the process that judged it was silent for {self._silence_seconds:g} s"
        )

    def close(self) -> None:
        """End the process: at once where it is at work, else it is asked to go."""
        if self._process is None:
            return
        if self.is_busy:
            self._process.kill()
        self.connection.close()
        self._process.join(_GRACE_SECONDS)
        self._process.kill()
        self._process.join()
        self._process = None

    def _failed(self, criterion: Criterion, reason: str) -> Answer:
        self.close()
        assert self._asked is not None  # noqa: S101  # only who was asked is looked at
        (module, architecture), self._asked = self._asked, None
        findings = Findings.refused(criterion, reason)
        # Its own clock has gone with the process.
        return Row(architecture, module, parameters_of(architecture), findings), SECONDS_LIMIT

    def _start(self) -> None:
        self.close()
        context = multiprocessing.get_context("spawn")
        self.connection, child = context.Pipe()
        self._process = context.Process(target=self._serve, args=(child,), daemon=True)
        self._process.start()
        child.close()

    def _end(self) -> tuple[Criterion, str]:
        assert self._process is not None  # noqa: S101  # as above
        self._process.join(_GRACE_SECONDS)
        code = self._process.exitcode or 0
        if code == -signal.SIGPROF:
            return Criterion.TIME, f"judging it takes more than {SECONDS_LIMIT:g} s of the processor"
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        return Criterion.DEATH, f"the process that judged it {how}"


def _serve(connection: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to act on
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_LIMIT_BYTES, MEMORY_LIMIT_BYTES))
    torch.set_num_threads(1)
    with suppress(EOFError):
        while True:
            asked = connection.recv()
            signal.setitimer(signal.ITIMER_PROF, SECONDS_LIMIT)  # its signal ends the process
            start = time.process_time()
            connection.send((examine(*asked), time.process_time() - start))
