"""What stands of an outcome and what is tried again: every point ends once, whatever fits or dies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine_helpers import SETTINGS, points
from fakes import ENVIRONMENT
from fakes_store import latency_of
from octprobe.engine.protocol import GroupOutcome, GroupTask, Part, WorkerDeath
from octprobe.engine.settle import settle
from octprobe.plan.point import DesignPoint
from octprobe.store.records import Measurement, Status

ALPHAS = ("0", "0.125", "0.25", "0.375", "0.5", "0.75")
NO_ROOM = "the whole did not fit in memory"
KERNEL = "most likely by the kernel because memory ran out"
STARVED = Measurement(status=Status.OUT_OF_MEMORY, reason="RuntimeError: out of memory")
CRASH = WorkerDeath(Status.CRASHED, "the worker was ended by SIGSEGV", "tail")
KILL = WorkerDeath(Status.CRASHED, "the worker was ended by SIGKILL", None)
WANT = WorkerDeath(Status.OUT_OF_MEMORY, "OutOfMemoryError: no more", None)
SILENCE = WorkerDeath(Status.TIMED_OUT, "the worker said nothing for 60 s", None)


def task_of(*alphas: str) -> GroupTask:
    """Give a task of a network's points."""
    members = points("net", alphas)
    return GroupTask(members[0].anchor(), members, SETTINGS)


def timed(together: int) -> Measurement:
    """Give a measurement taken in company."""
    return Measurement(status=Status.MEASURED, latency=replace(latency_of(10.0), timed_together=together))


def outcome(task: GroupTask, *starved: str, anchor: Status | None = Status.MEASURED) -> GroupOutcome:
    """Make the outcome of a task in which the points of some alphas found no memory."""
    ends = {
        point.point_id: STARVED if alpha_of(point) in starved else timed(len(task.subjects) - len(starved))
        for point in task.points
    }
    return GroupOutcome(task, ENVIRONMENT, ends, anchor_status=anchor)


def alpha_of(point: DesignPoint) -> str:
    """Give a point's alpha as its author wrote it."""
    return str(point.exact_axes()["alpha"])


def alphas_of(tasks: Sequence[GroupTask]) -> list[list[str]]:
    """Give the alphas of each task's points."""
    return [[alpha_of(point) for point in task.points] for task in tasks]


def reasons(final: Sequence[tuple[DesignPoint, Measurement]]) -> list[str | None]:
    """Give the reasons in the order of the points."""
    return [measurement.reason for _, measurement in final]


def test_a_whole_group_that_fits_stands_without_a_remark() -> None:
    """Nothing is said where nothing happened."""
    final, retries = settle(outcome(task_of("0", "0.5")))
    assert (reasons(final), retries) == ([None, None], [])


def test_points_that_fitted_keep_their_figures_and_the_others_go_on_together() -> None:
    """Three of five subjects fit; the two that did not are one smaller group with the anchor."""
    task = task_of("0", "0.125", "0.25", "0.5", "0.75")
    final, (retry,) = settle(outcome(task, "0.25", "0.75"))
    assert [alpha_of(point) for point, _ in final] == ["0", "0.125", "0.5"]
    assert set(reasons(final)) == {f"timed in a smaller group: 3 of the group's 5 subjects ({NO_ROOM})"}
    assert alphas_of([retry]) == [["0.25", "0.75"]]
    assert retry.subjects == (task.anchor, *retry.points)
    assert retry.part == Part(5, NO_ROOM)


def test_the_row_of_a_smaller_group_remembers_the_first_whole() -> None:
    """Two of five, though the group it was cut from last had four."""
    task = replace(task_of("0.5"), part=Part(5, NO_ROOM))
    final, retries = settle(outcome(task))
    assert reasons(final) == [f"timed in a smaller group: 2 of the group's 5 subjects ({NO_ROOM})"]
    assert retries == []


def test_the_remark_stands_before_what_else_is_to_be_said() -> None:
    """A figure that is missing is not forgotten over it."""
    task = replace(task_of("0.5"), part=Part(5, NO_ROOM))
    whole = outcome(task)
    ((name, measurement),) = whole.measurements.items()
    broken = replace(whole, measurements={name: replace(measurement, reason="no memory: it broke")})
    ((_, said),), _ = settle(broken)
    assert (
        said.reason
        == f"timed in a smaller group: 2 of the group's 5 subjects ({NO_ROOM}); no memory: it broke"
    )


def test_a_group_of_which_nothing_fits_beside_the_anchor_goes_on_in_halves() -> None:
    """Three points are two and one."""
    final, retries = settle(outcome(task_of("0.125", "0.25", "0.5"), "0.125", "0.25", "0.5"))
    assert final == []
    assert alphas_of(retries) == [["0.125", "0.25"], ["0.5"]]
    assert all(retry.with_anchor for retry in retries)


def test_points_that_would_meet_the_same_company_again_go_on_in_halves() -> None:
    """Of the group the anchor alone had memory, and the anchor comes along again."""
    final, retries = settle(outcome(task_of("0", "0.25", "0.5"), "0.25", "0.5"))
    assert [alpha_of(point) for point, _ in final] == ["0"]
    assert alphas_of(retries) == [["0.25"], ["0.5"]]


def test_a_want_of_memory_while_timing_halves_the_group() -> None:
    """All were built, and the rounds needed more than was left."""
    task = task_of("0", "0.25", "0.5", "0.75")
    final, retries = settle(GroupOutcome(task, ENVIRONMENT, {}, death=WANT))
    assert (final, alphas_of(retries)) == ([], [["0", "0.25"], ["0.5", "0.75"]])


def test_a_point_that_does_not_fit_beside_its_anchor_is_timed_alone() -> None:
    """It has times and no ratio, and its row says so."""
    final, (retry,) = settle(outcome(task_of("0.5"), "0.5"))
    assert final == []
    assert retry.subjects == points("net", ["0.5"])
    final, retries = settle(
        GroupOutcome(retry, ENVIRONMENT, {retry.points[0].point_id: timed(1)}, anchor_status=None)
    )
    assert reasons(final) == [f"timed without its anchor: 1 of the group's 2 subjects ({NO_ROOM})"]
    assert retries == []


def test_a_point_and_its_anchor_that_want_memory_while_timing_are_timed_apart() -> None:
    """The same two together once more would tell nothing new."""
    _, retries = settle(GroupOutcome(task_of("0", "0.5"), ENVIRONMENT, {}, death=WANT))
    assert alphas_of(retries) == [["0"], ["0.5"]]
    assert [len(retry.subjects) for retry in retries] == [1, 1]
    final, _ = settle(outcome(retries[0]))
    assert reasons(final) == [f"timed in a smaller group: 1 of the group's 2 subjects ({NO_ROOM})"]


def test_an_anchor_without_memory_is_no_company_for_anyone() -> None:
    """Its status stands, for it comes first; the others may fit alone, and one that fitted has no ratio."""
    task = task_of("0", "0.25", "0.5", "0.75")
    final, retries = settle(outcome(task, "0", "0.25", "0.5", anchor=Status.OUT_OF_MEMORY))
    assert [(alpha_of(point), measurement.status) for point, measurement in final] == [
        ("0", Status.OUT_OF_MEMORY),
        ("0.75", Status.MEASURED),
    ]
    assert reasons(final)[1] == f"timed without its anchor: 1 of the group's 4 subjects ({NO_ROOM})"
    assert [retry.subjects for retry in retries] == [(point,) for point in points("net", ["0.25", "0.5"])]


def test_a_point_without_memory_alone_is_out_of_memory() -> None:
    """There is nothing smaller."""
    for task in (task_of("0"), replace(task_of("0.5"), with_anchor=False)):
        ((_, measurement),), retries = settle(outcome(task, "0", "0.5", anchor=None))
        assert (measurement, retries) == (STARVED, [])


@pytest.mark.parametrize(
    ("death", "why"),
    [
        (CRASH, "the whole crashed: the worker was ended by SIGSEGV"),
        (SILENCE, "the whole timed out: the worker said nothing for 60 s"),
        (KILL, f"the whole crashed: the worker was ended by SIGKILL, {KERNEL}"),
    ],
)
def test_a_dead_groups_points_go_on_one_by_one_and_say_why(death: WorkerDeath, why: str) -> None:
    """Each unfinished point becomes a task of its own, with its anchor."""
    task = task_of("0", "0.25", "0.5")
    final, retries = settle(GroupOutcome(task, ENVIRONMENT, {}, death=death))
    assert (final, alphas_of(retries)) == ([], [["0"], ["0.25"], ["0.5"]])
    assert retries[2].subjects == points("net", ["0", "0.5"])
    final, _ = settle(outcome(retries[2]))
    assert reasons(final) == [f"timed in a smaller group: 2 of the group's 3 subjects ({why})"]


def test_points_that_were_done_before_a_death_stand() -> None:
    """Only what is unfinished is tried again."""
    task = task_of("0", "0.25", "0.5")
    done = {task.points[1].point_id: timed(3)}
    final, retries = settle(GroupOutcome(task, ENVIRONMENT, done, death=CRASH))
    assert [alpha_of(point) for point, _ in final] == ["0.25"]
    assert alphas_of(retries) == [["0"], ["0.5"]]


def test_a_point_that_dies_alone_gets_the_status() -> None:
    """The death is the point's own; a kill says what most likely stands behind it."""
    ((_, measurement),), retries = settle(GroupOutcome(task_of("0.5"), ENVIRONMENT, {}, death=CRASH))
    assert (measurement.status, measurement.reason, measurement.log_tail) == (
        Status.CRASHED,
        "the worker was ended by SIGSEGV",
        "tail",
    )
    assert retries == []
    final, _ = settle(GroupOutcome(task_of("0.5"), ENVIRONMENT, {}, death=KILL))
    assert reasons(final) == [f"the worker was ended by SIGKILL, {KERNEL}"]


def test_a_point_that_was_forgotten_is_a_failure_not_a_silence() -> None:
    """Every point ends as exactly one row, even against a broken instrument."""
    ((_, measurement),), retries = settle(GroupOutcome(task_of("0.5"), ENVIRONMENT, {}))
    assert (measurement.status, retries) == (Status.FAILED, [])


@dataclass
class Machine:
    """Ends tasks as a device of so much memory would.

    Attributes:
        sizes: memory that each subject's model takes, by alpha; they come in the order of the task.
        memory: how much there is.
        rounds_take: what timing needs beside the models.
        deadly: alphas that take the worker down as soon as they are built.
        leaks: whether a model that did not fit keeps its memory until the task ends.
    """

    sizes: Mapping[str, int]
    memory: int
    rounds_take: int
    deadly: frozenset[str]
    leaks: bool
    successes: list[DesignPoint] = field(default_factory=list)

    def run(self, task: GroupTask) -> GroupOutcome:
        """Build the subjects one after another, then time them."""
        ends, free = {}, self.memory
        for subject in task.subjects:
            size = self.sizes[alpha_of(subject)]
            if alpha_of(subject) in self.deadly:
                return GroupOutcome(task, ENVIRONMENT, {}, death=CRASH)
            ends[subject.point_id] = timed(len(task.subjects)) if size <= free else STARVED
            free -= size if size <= free else self.leaks * free
        if free < self.rounds_take and any(end is not STARVED for end in ends.values()):
            return GroupOutcome(task, ENVIRONMENT, {}, death=WANT)
        anchor = ends.get(task.anchor.point_id)
        found = {point.point_id: ends[point.point_id] for point in task.points}
        self.successes += [point for point in task.points if ends[point.point_id] is not STARVED]
        return GroupOutcome(task, ENVIRONMENT, found, anchor_status=anchor.status if anchor else None)

    def fate(self, point: DesignPoint) -> Status:
        """Say how a point must end: by what it is alone, but for an anchor that takes everyone down."""
        if {alpha_of(point), "0"} & self.deadly:
            return Status.CRASHED
        fits = self.sizes[alpha_of(point)] + self.rounds_take <= self.memory
        return Status.MEASURED if fits else Status.OUT_OF_MEMORY


machines = st.builds(
    Machine,
    sizes=st.fixed_dictionaries({alpha: st.integers(1, 12) for alpha in ALPHAS}),
    memory=st.integers(0, 40),
    rounds_take=st.integers(0, 4),
    deadly=st.frozensets(st.sampled_from(ALPHAS), max_size=2),
    leaks=st.booleans(),
)


@given(machines, st.lists(st.sampled_from(ALPHAS), min_size=1, max_size=len(ALPHAS), unique=True))
def test_every_point_ends_once_as_it_would_alone(machine: Machine, alphas: list[str]) -> None:
    """Whatever fits together and whatever dies, each point gets one measurement, and success only once."""
    tasks, ended = [task_of(*alphas)], []
    while tasks:
        task = tasks.pop()
        final, retries = settle(machine.run(task))
        ended += final
        for retry in retries:
            assert (len(retry.points), retry.with_anchor) < (len(task.points), task.with_anchor)
        tasks += retries
    assert {point: measurement.status for point, measurement in ended} == {
        point: machine.fate(point) for point in points("net", alphas)
    }
    assert len(ended) == len(alphas)
    assert len(set(machine.successes)) == len(machine.successes)


@pytest.mark.parametrize("ending", [Status.OUT_OF_MEMORY, Status.FAILED, Status.CRASHED])
def test_a_point_resumed_beside_an_anchor_that_cannot_run_says_so(ending: Status) -> None:
    """The anchor makes no row of this run, so the point's own must tell why it has no ratio."""
    (point,) = points("n", ["0.5"])
    task = GroupTask(point.anchor(), (point,), SETTINGS)
    outcome = GroupOutcome(task, ENVIRONMENT, {point.point_id: timed(1)}, anchor_status=ending)
    final, retries = settle(outcome)
    assert retries == []
    assert reasons(final) == [f"timed without its anchor, which ended {ending}"]
