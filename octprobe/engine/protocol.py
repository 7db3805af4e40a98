"""The engine's words: tasks, what workers say, and what can be exchanged: the instrument, the executor."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from octprobe.plan.point import DesignPoint
from octprobe.plan.spec import Measure
from octprobe.store.records import Environment, Measurement, Status


@dataclass(frozen=True)
class InstrumentSpec:
    """An instrument by name, so that the parent need not import what measures.

    Attributes:
        target: `module:class`.
        arguments: what the class is called with; plain values.
    """

    target: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Part:
    """Why a task holds fewer subjects than its group.

    Attributes:
        whole: subjects of the whole group, the anchor included.
        why: what befell the whole.
    """

    whole: int
    why: str


@dataclass(frozen=True)
class GroupTask:
    """The unit of execution: points that differ in alpha and variant, and the anchor they are compared with.

    Attributes:
        anchor: the alpha 0 point; measured for comparison even where it is not among `points`.
        points: the points that are to become rows.
        part: set where the group could not be measured whole.
        with_anchor: whether the anchor is measured; without it there are times and no ratios.
    """

    anchor: DesignPoint
    points: tuple[DesignPoint, ...]
    settings: Measure
    part: Part | None = None
    with_anchor: bool = field(default=True, kw_only=True)

    @property
    def subjects(self) -> tuple[DesignPoint, ...]:
        """Give the anchor and the points, each once, the anchor first."""
        first = (self.anchor,) if self.with_anchor else ()
        return (*first, *(point for point in self.points if point not in first))


@dataclass(frozen=True)
class WorkerDeath:
    """How a worker ended before its time."""

    status: Status
    reason: str
    log_tail: str | None


@dataclass(frozen=True)
class GroupOutcome:
    """What became of one task.

    Attributes:
        measurements: by point_id; a point is absent where the worker died before it was known.
        anchor_status: how the anchor ended, be it among the points or not; None where nothing tells.
        death: how the worker died, if it did.
        stopped: whether a request to stop cut the task short.
    """

    task: GroupTask
    environment: Environment
    measurements: Mapping[str, Measurement]
    anchor_status: Status | None = None
    death: WorkerDeath | None = None
    stopped: bool = False


@dataclass(frozen=True)
class Note:
    """A worker's word on what it does, for the progress line."""

    text: str


class Instrument(Protocol):
    """What measures; lives in a worker."""

    def environment(self) -> Environment:
        """Describe the machine that figures hold for."""

    def time_group(
        self, task: GroupTask, note: Callable[[str], None], after_round: Callable[[int], bool]
    ) -> tuple[Mapping[str, Measurement], frozenset[str]]:
        """Time a group's subjects side by side, no profiler loaded.

        Gives a measurement a subject by point_id, and those that need no more rounds.
        """

    def account(self, point: DesignPoint, latency_ms: float | None) -> Measurement:
        """Count one point's work and read its memory and device time; its latency stays None."""


class StopFlag(Protocol):
    """Whether the person has asked for an end."""

    def is_set(self) -> bool:
        """Tell whether to end after the round in hand."""


class Executor(Protocol):
    """Where tasks run: on this machine's device, or on many machines."""

    def environment(self) -> Environment:
        """Describe where tasks would run."""

    def run(
        self, tasks: Iterable[GroupTask], note: Callable[[str], None], stop: StopFlag
    ) -> Iterator[GroupOutcome]:
        """Run the tasks, one a device at a time, and give each outcome as it comes; end early on `stop`."""

    def close(self) -> None:
        """Let the workers go."""
