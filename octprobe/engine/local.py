"""The local executor: this machine's device, one group after another."""

from collections.abc import Callable, Iterable, Iterator

from octprobe.engine.process import WorkerDied
from octprobe.engine.protocol import GroupOutcome, GroupTask, InstrumentSpec, StopFlag
from octprobe.engine.station import Station
from octprobe.errors import MachineError
from octprobe.store.records import Environment


class LocalExecutor:
    """Runs tasks on one device of this machine.

    Args:
        spec: the instrument that its workers load.
        side_by_side: whether its workers start at once; see `Station`.
    """

    def __init__(self, spec: InstrumentSpec, *, side_by_side: bool = False) -> None:
        self._station = Station(spec, side_by_side=side_by_side)

    def start(self) -> None:
        """Let the workers begin to load, and do not wait for them."""
        self._station.start()

    def environment(self) -> Environment:
        """See `Executor`.

        Raises:
            MachineError: the worker that looks at the device could not start.
        """
        try:
            return self._station.environment()
        except WorkerDied as died:
            last_line = (died.death.log_tail or "").rpartition("\n")[2]
            detail = f" ({last_line})" if last_line else ""
            raise MachineError(f"cannot measure on this machine: {died.death.reason}{detail}") from died

    def run(
        self, tasks: Iterable[GroupTask], note: Callable[[str], None], stop: StopFlag
    ) -> Iterator[GroupOutcome]:
        """See `Executor`."""
        for task in tasks:
            if stop.is_set():
                return
            yield self._station.measure(task, note, stop)

    def close(self) -> None:
        """See `Executor`."""
        self._station.close()

    def kill(self) -> None:
        """End the workers at once, whatever they are at."""
        self._station.kill()
