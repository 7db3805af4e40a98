"""The child's side: a process that builds, times and accounts, and speaks to its parent through a pipe."""

import contextlib
import ctypes
import os
import signal
import sys
import traceback
from dataclasses import dataclass
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from octprobe.engine.protocol import GroupTask, Instrument, InstrumentSpec, Note
from octprobe.errors import OctprobeError
from octprobe.measure.failure import reason_of, status_of
from octprobe.plan.point import DesignPoint
from octprobe.store.records import Status

# Linux's number for "send me this signal when my parent dies" (sys/prctl.h).
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Describe:
    """Ask for the environment."""


@dataclass(frozen=True)
class TimeGroup:
    """Ask for a group's latencies."""

    task: GroupTask


@dataclass(frozen=True)
class AccountPoint:
    """Ask for a point's cost, memory and device time."""

    point: DesignPoint
    latency_ms: float | None


@dataclass(frozen=True)
class Stop:
    """Ask to end after the round in hand."""


@dataclass(frozen=True)
class Quit:
    """Ask to end the process."""


@dataclass(frozen=True)
class Answer:
    """A request's result."""

    value: Any


@dataclass(frozen=True)
class Broken:
    """A request's failure; the worker is to be replaced."""

    status: Status
    reason: str


def serve(connection: Connection, spec: InstrumentSpec, log: Path, parent: int) -> None:
    """Answer requests until told to quit or the parent is gone."""
    _settle_in(log, parent)
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        instrument = _load(spec)
        connection.send(Note("worker ready"))
        while not isinstance(request := connection.recv(), Quit):
            if isinstance(instrument, Broken):
                connection.send(instrument)
            elif not isinstance(request, Stop):
                connection.send(_answer(instrument, request, connection))
        _leave()


def _leave() -> None:
    """End at once: taking torch down object by object takes a second, and nothing here needs it."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(0)


def _settle_in(log: Path, parent: int) -> None:
    """Leave the terminal's process group, die with the parent, and write to the log from here on."""
    os.setsid()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit("the parent was gone before its worker began")
    # Inductor takes what follows `--only` among the arguments for a benchmark's name, and puts it into code.
    del sys.argv[1:]
    # Else torch's profiler fills the log of a machine without a GPU with lines on its absence.
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(descriptor, stream)


def _load(spec: InstrumentSpec) -> Instrument | Broken:
    module, _, name = spec.target.partition(":")
    try:
        instrument: Instrument = getattr(import_module(module), name)(**spec.arguments)
    except OctprobeError as error:
        return Broken(Status.FAILED, str(error))
    except (
        Exception
    ) as error:  # a package that does not load is the machine's owner's to mend; told in one line
        traceback.print_exc()
        return Broken(status_of(error), reason_of(error))
    return instrument


def _answer(instrument: Instrument, request: object, connection: Connection) -> Answer | Broken:
    try:
        return Answer(_perform(instrument, request, connection))
    except (BrokenPipeError, EOFError):
        raise
    except (
        Exception
    ) as error:  # the boundary of the process: whatever failed becomes a status, never a lost sweep
        traceback.print_exc()
        return Broken(status_of(error), reason_of(error))


def _perform(instrument: Instrument, request: object, connection: Connection) -> object:
    match request:
        case Describe():
            return instrument.environment()
        case TimeGroup(task):
            return instrument.time_group(
                task,
                lambda text: connection.send(Note(text)),
                lambda number: _go_on_after(number, connection),
            )
        case AccountPoint(point, latency_ms):
            connection.send(Note(f"profiling {point.label()}"))
            return instrument.account(point, latency_ms)
    raise ValueError(f"a worker cannot answer {type(request).__name__}")


def _go_on_after(number: int, connection: Connection) -> bool:
    connection.send(Note(f"round {number} done"))
    return not (connection.poll() and isinstance(connection.recv(), Stop))
