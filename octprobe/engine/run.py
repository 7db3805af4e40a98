"""A sweep: groups in, rows out; what is done is left alone, what fails is a row."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from octprobe.engine.protocol import Executor, GroupTask, StopFlag
from octprobe.engine.settle import settle
from octprobe.plan.point import DesignPoint
from octprobe.plan.space import Group
from octprobe.plan.spec import Measure
from octprobe.store.flatten import RowContext, make_row
from octprobe.store.index import NO_RETRY, ResumeIndex
from octprobe.store.records import Environment, Measurement, Status
from octprobe.store.row import Row
from octprobe.store.store import Store

FAILURES = frozenset({Status.FAILED, Status.OUT_OF_MEMORY, Status.TIMED_OUT, Status.CRASHED})


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """What the person asked for beside the sweep itself.

    Attributes:
        fresh: measure again what is done.
        retry: statuses and doubts whose points are measured again.
        limit: most points to measure in this run.
    """

    fresh: bool = False
    retry: frozenset[str] = NO_RETRY
    limit: int | None = None


@dataclass(frozen=True, kw_only=True)
class Summary:
    """How a run ended; `planned` is the sum of `resumed`, this run's rows and `left`."""

    planned: int
    resumed: int
    left: int
    by_status: Counter[str]
    failed_before: int
    interrupted: bool
    wall_s: float

    @property
    def measured(self) -> int:
        """Points measured in this run."""
        return self.by_status[Status.MEASURED]

    @property
    def skipped(self) -> int:
        """Points that cannot be measured here, by reason."""
        return self.by_status[Status.SKIPPED]

    @property
    def failed(self) -> int:
        """Points that failed in this run: out of memory, exception, crash or time-out."""
        return sum(self.by_status[status] for status in FAILURES)


class Watcher(Protocol):
    """Who is told how a run goes: a progress bar, plain lines, a test."""

    def planned(self, pending: Sequence[DesignPoint], resumed: int) -> None:
        """Hear what is to be done."""

    def note(self, text: str) -> None:
        """Hear what the worker does now."""

    def saved(self, rows: Sequence[tuple[DesignPoint, Row]]) -> None:
        """Hear that the rows of a group are safe on disk."""

    def say(self, text: str) -> None:
        """Hear a line for the person, such as a damaged part that was passed over."""


@dataclass(frozen=True)
class Origin:
    """Where a run's points come from, for their rows."""

    sweep: str
    spec_digest: str
    settings: Measure


@dataclass
class SweepRun:
    """One run of a sweep into a store."""

    origin: Origin
    store: Store
    executor: Executor
    watcher: Watcher
    stop: StopFlag
    options: RunOptions = field(default_factory=RunOptions)
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def execute(self, groups: Sequence[Group]) -> Summary:
        """Measure every point that is not done yet.

        Raises:
            StoreError: a row could not be written; rows written before are safe.
        """
        start = time.monotonic()
        environment = self.executor.environment()
        index = self.store.index()
        for warning in index.warnings:
            self.watcher.say(warning)
        tasks, resumed, failed_before = self._pending(groups, index, environment)
        pending = [point for task in tasks for point in task.points]
        planned = sum(len(group.points) for group in groups)
        self.watcher.planned(pending, resumed)
        by_status: Counter[str] = Counter()
        while tasks and not self.stop.is_set():
            tasks = self._run(tasks, index, by_status)
        return Summary(
            planned=planned,
            resumed=resumed,
            left=planned - resumed - by_status.total(),
            by_status=by_status,
            failed_before=failed_before,
            interrupted=self.stop.is_set()
            and by_status.total() - by_status[Status.INTERRUPTED] < len(pending),
            wall_s=time.monotonic() - start,
        )

    def _pending(
        self, groups: Iterable[Group], index: ResumeIndex, environment: Environment
    ) -> tuple[list[GroupTask], int, int]:
        tasks, resumed, failed_before = [], 0, 0
        room = self.options.limit
        for group in groups:
            pending = [p for p in group.points if not self._is_done(p, index, environment)]
            done = [p for p in group.points if p not in pending]
            resumed += len(done)
            failed_before += sum(self._has_failed(p, index, environment) for p in done)
            wanted = pending if room is None else pending[:room]
            room = None if room is None else room - len(wanted)
            if wanted:
                tasks.append(GroupTask(group.anchor, tuple(wanted), self.origin.settings))
        return tasks, resumed, failed_before

    def _is_done(self, point: DesignPoint, index: ResumeIndex, environment: Environment) -> bool:
        if self.options.fresh:
            return False
        asked = self.origin.settings.relative_ci
        return index.done(point.point_id, environment.env_id, asked, self.options.retry)

    def _has_failed(self, point: DesignPoint, index: ResumeIndex, environment: Environment) -> bool:
        last = index.last(point.point_id, environment.env_id)
        return last is not None and last.status in FAILURES

    def _run(self, tasks: list[GroupTask], index: ResumeIndex, by_status: Counter[str]) -> list[GroupTask]:
        """Run the tasks, keep what they gave, and return those to be run again, each a smaller one."""
        again: list[GroupTask] = []
        for outcome in self.executor.run(tasks, self.watcher.note, self.stop):
            final, retries = settle(outcome)
            again += retries
            rows = [
                (point, self._row(point, measurement, outcome.environment, index))
                for point, measurement in final
            ]
            if rows:
                self.store.append([row for _, row in rows])
                by_status.update(row.status for _, row in rows)
                self.watcher.saved(rows)
        return again

    def _row(
        self, point: DesignPoint, measurement: Measurement, environment: Environment, index: ResumeIndex
    ) -> Row:
        context = RowContext(
            sweep=self.origin.sweep,
            spec_digest=self.origin.spec_digest,
            attempt=index.attempts(point.point_id, environment.env_id) + 1,
            recorded_at=self.clock(),
            relative_ci_asked=self.origin.settings.relative_ci,
            verdict_band=self.origin.settings.band,
        )
        return make_row(point, measurement, environment, context)
