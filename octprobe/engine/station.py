"""One device and its two workers: a group goes in, its measurements come out."""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from statistics import median
from types import TracebackType
from typing import Self

from octprobe.engine.process import WorkerDied, WorkerProcess
from octprobe.engine.protocol import (
    GroupOutcome,
    GroupTask,
    InstrumentSpec,
    StopFlag,
    WorkerDeath,
)
from octprobe.engine.worker import AccountPoint, Describe, TimeGroup
from octprobe.plan.point import DesignPoint
from octprobe.store.records import Environment, Measurement, Status

# Silence allowed while the environment is read; a task brings its own limit.
_DESCRIBE_TIMEOUT_SECONDS = 60.0

Say = Callable[[str], None]


class Station:
    """Measures one group at a time.

    The timing worker runs no profiler and is kept for the next group while it is healthy. Accounting has
    a worker of its own, so that a profiler cannot touch a latency; on CUDA it serves one point only, as
    later profiler sessions of a process lose records.

    Args:
        spec: the instrument that the workers load.
        side_by_side: start both workers at once, before anything is timed; loading torch takes each two
            seconds. Not for CUDA, where a second process on the device would be company.
    """

    def __init__(self, spec: InstrumentSpec, *, side_by_side: bool = False) -> None:
        self._spec = spec
        self._side_by_side = side_by_side
        self._folder = tempfile.TemporaryDirectory(prefix="octprobe-")
        self._timing: WorkerProcess | None = None
        self._accounting: WorkerProcess | None = None
        self._environment: Environment | None = None
        self._started = 0

    def __enter__(self) -> Self:
        """Use as a context that lets the workers go."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let the workers go."""
        self.close()

    def start(self) -> None:
        """Let the workers begin to load, and do not wait for them."""
        self._timing_worker()
        if self._side_by_side:
            self._accounting = self._accounting or self._start()

    def environment(self) -> Environment:
        """Describe the device, asking a worker the first time.

        Raises:
            WorkerDied: the worker could not start.
        """
        if self._environment is None:
            self.start()
            described: Environment = self._timing_worker().ask(Describe(), _DESCRIBE_TIMEOUT_SECONDS)
            self._environment = described
        return self._environment

    def measure(self, task: GroupTask, note: Say, stop: StopFlag) -> GroupOutcome:
        """Time a group, then account for each of its points that was timed."""
        environment = self.environment()
        try:
            timed, settled = self._time(task, note, stop)
        except WorkerDied as died:
            return GroupOutcome(task, environment, {}, death=died.death)
        measurements = {
            point.point_id: self._finish(point, timed[point.point_id], point.point_id in settled, task, note)
            for point in task.points
        }
        anchor = timed.get(task.anchor.point_id)
        return GroupOutcome(
            task,
            environment,
            measurements,
            anchor_status=anchor.status if anchor else None,
            stopped=any(m.status is Status.INTERRUPTED for m in measurements.values()),
        )

    def close(self) -> None:
        """Let the workers go."""
        for worker in (self._timing, self._accounting):
            if worker:
                worker.close()
        self._timing = self._accounting = None
        self._folder.cleanup()

    def kill(self) -> None:
        """End the workers at once."""
        for worker in (self._timing, self._accounting):
            if worker:
                worker.kill()
        self._timing = self._accounting = None

    def _time(
        self, task: GroupTask, note: Say, stop: StopFlag
    ) -> tuple[Mapping[str, Measurement], frozenset[str]]:
        timing = self._timing_worker()
        self._await_accounting()
        try:
            timed, settled = timing.ask(TimeGroup(task), task.settings.timeout_seconds, note, stop)
        except WorkerDied:
            timing.kill()
            self._timing = None
            raise
        return timed, settled

    def _finish(
        self, point: DesignPoint, measurement: Measurement, is_settled: bool, task: GroupTask, note: Say
    ) -> Measurement:
        if measurement.latency is None or measurement.status is not Status.MEASURED:
            return measurement
        if not is_settled:
            return replace(
                measurement, status=Status.INTERRUPTED, reason="stopped before its rounds were done"
            )
        account = self._account(point, measurement, task, note)
        if isinstance(account, WorkerDeath):
            reason = f"no memory and device time: {account.reason}"
            return replace(measurement, reason=reason, log_tail=account.log_tail)
        return _join(measurement, account)

    def _account(
        self, point: DesignPoint, measurement: Measurement, task: GroupTask, note: Say
    ) -> Measurement | WorkerDeath:
        latency = measurement.latency
        latency_ms = median(latency.samples_ms) if latency else None
        self._accounting = self._accounting or self._start()
        try:
            account: Measurement = self._accounting.ask(
                AccountPoint(point, latency_ms), task.settings.timeout_seconds, note
            )
        except WorkerDied as died:
            self._drop_accounting()
            return died.death
        if self.environment().device_kind != "cpu":
            self._drop_accounting()
        return account

    def _drop_accounting(self) -> None:
        if self._accounting:
            self._accounting.kill()
        self._accounting = None

    def _await_accounting(self) -> None:
        """Time nothing while the other worker loads; if it cannot load, the accounts will say so."""
        if self._accounting and not self._accounting.is_ready:
            try:
                self._accounting.ask(Describe(), _DESCRIBE_TIMEOUT_SECONDS)
            except WorkerDied:
                self._drop_accounting()

    def _timing_worker(self) -> WorkerProcess:
        self._timing = self._timing or self._start()
        return self._timing

    def _start(self) -> WorkerProcess:
        self._started += 1
        return WorkerProcess(self._spec, Path(self._folder.name) / f"{self._started}.log")


def _join(timed: Measurement, account: Measurement) -> Measurement:
    """Add the account to the times; a wrong output makes the point a failed one that keeps its figures."""
    builds = [spent for spent in (timed.seconds.build, account.seconds.build) if spent is not None]
    return replace(
        timed,
        status=account.status,
        reason="; ".join(filter(None, (account.reason, timed.reason))) or None,
        doubts=tuple(dict.fromkeys((*timed.doubts, *account.doubts))),
        cost=account.cost,
        memory=account.memory,
        breakdown=account.breakdown,
        output_error=account.output_error,
        seconds=replace(
            account.seconds,
            build=sum(builds) if builds else None,
            warm_up=timed.seconds.warm_up,
            latency=timed.seconds.latency,
        ),
    )
