"""A sweep from groups to rows: resume, failures, retries, limits, stops."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine_helpers import SETTINGS, Flag, Memo, groups, instrument, journal, points
from octprobe.engine.local import LocalExecutor
from octprobe.engine.run import Origin, RunOptions, Summary, SweepRun
from octprobe.plan.space import Group
from octprobe.store.query import load_frame
from octprobe.store.store import Store

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
Sweep = Callable[..., tuple[Summary, Memo]]


@pytest.fixture
def sweep(tmp_path: Path) -> Sweep:
    """Give a sweep into a store under the test's folder."""

    def run(
        asked: tuple[Group, ...], options: RunOptions | None = None, stop: Flag | None = None
    ) -> tuple[Summary, Memo]:
        executor, memo = LocalExecutor(instrument(tmp_path)), Memo()
        try:
            origin = Origin("test", "digest", SETTINGS)
            store = Store.create(tmp_path / "store")
            run = SweepRun(
                origin, store, executor, memo, stop or Flag(), options or RunOptions(), lambda: NOW
            )
            return run.execute(asked), memo
        finally:
            executor.close()

    return run


def test_every_point_becomes_one_row(sweep: Sweep, tmp_path: Path) -> None:
    """Two groups of three points are six rows, measured once each."""
    summary, memo = sweep(groups("net", "other"))
    assert (summary.planned, summary.measured, summary.failed, summary.resumed) == (6, 6, 0, 0)
    assert len(memo.rows) == 6
    frame = load_frame(tmp_path / "store")
    assert sorted(frame["point_id"]) == sorted(p.point_id for g in groups("net", "other") for p in g.points)
    assert len(journal(tmp_path)) == 6


def test_a_second_run_measures_nothing(sweep: Sweep, tmp_path: Path) -> None:
    """The store is its own resume index."""
    sweep(groups("net"))
    summary, memo = sweep(groups("net"))
    assert (summary.planned, summary.measured, summary.resumed) == (3, 0, 3)
    assert (memo.pending, memo.resumed) == ([], 3)
    assert len(journal(tmp_path)) == 3


def test_a_new_point_of_a_done_group_is_measured_with_a_fresh_anchor(sweep: Sweep, tmp_path: Path) -> None:
    """The anchor is timed again as a sample giver, and makes no second row."""
    first, last = points("net")[:2], points("net")
    sweep((Group(first[0].anchor(), first),))
    summary, memo = sweep((Group(last[0].anchor(), last),))
    assert (summary.measured, summary.resumed) == (1, 2)
    assert [row.point_id for row in memo.rows] == [last[2].point_id]
    assert journal(tmp_path)[2:] == [last[0].point_id, last[2].point_id]


def test_fresh_measures_again_and_counts_the_attempt(sweep: Sweep, tmp_path: Path) -> None:
    """Old rows stay; readers see the last attempt."""
    sweep(groups("net"))
    _, memo = sweep(groups("net"), RunOptions(fresh=True))
    assert {row.attempt for row in memo.rows} == {2}
    frame = load_frame(tmp_path / "store")
    assert list(frame["attempt"]) == [2, 2, 2]


def test_a_crash_goes_to_the_culprit_and_the_others_are_measured(sweep: Sweep) -> None:
    """One segfault costs one point; its row carries the log's tail."""
    summary, memo = sweep(groups("crash", "net"))
    assert (summary.measured, summary.failed) == (5, 1)
    (row,) = [row for row in memo.rows if row.status == "crashed"]
    assert row.alpha == 0.5
    assert "about to crash" in (row.log_tail or "")


@pytest.mark.parametrize(
    ("fate", "status"),
    [("hang", "timed_out"), ("fail", "failed"), ("hungry", "out_of_memory"), ("odd", "skipped")],
)
def test_each_fate_is_a_status_and_the_sweep_goes_on(sweep: Sweep, fate: str, status: str) -> None:
    """Whatever befalls one point, the other two are measured and its row says why."""
    summary, memo = sweep(groups(fate))
    assert summary.measured == 2
    (row,) = [row for row in memo.rows if row.status != "measured"]
    assert (row.status, row.alpha) == (status, 0.5)
    assert row.reason


def test_a_point_without_memory_in_company_is_tried_alone(sweep: Sweep) -> None:
    """It fits with its anchor only, and is measured so; every row of the parted group says so."""
    summary, memo = sweep(groups("greedy"))
    assert (summary.measured, summary.failed) == (3, 0)
    assert all("the group's 3 subjects (the whole did not fit in memory)" in row.reason for row in memo.rows)


def test_points_after_a_crash_say_that_they_were_timed_apart(sweep: Sweep) -> None:
    """The two that were measured name what befell the whole."""
    _, memo = sweep(groups("crash"))
    told = [row.reason for row in memo.rows if row.status == "measured"]
    assert len(told) == 2
    assert all("(the whole crashed: the worker was ended by SIGSEGV)" in reason for reason in told)


def test_failed_points_are_left_alone_until_a_retry_names_them(sweep: Sweep, tmp_path: Path) -> None:
    """A failure is final; `--retry failed` tries again, and `--retry crashed` does not."""
    sweep(groups("fail"))
    again, _ = sweep(groups("fail"))
    assert (again.resumed, again.failed, again.failed_before) == (3, 0, 1)
    other, _ = sweep(groups("fail"), RunOptions(retry=frozenset({"crashed"})))
    assert other.resumed == 3
    retried, memo = sweep(groups("fail"), RunOptions(retry=frozenset({"failed"})))
    assert (retried.resumed, retried.failed) == (2, 1)
    assert memo.rows[0].attempt == 2


def test_a_limit_measures_so_many_points_and_leaves_the_rest(sweep: Sweep) -> None:
    """Four of six points now; the next run takes the other two."""
    first, _ = sweep(groups("net", "other"), RunOptions(limit=4))
    assert (first.planned, first.measured, first.left) == (6, 4, 2)
    second, _ = sweep(groups("net", "other"))
    assert (second.measured, second.resumed) == (2, 4)


def test_a_stop_before_the_second_group_leaves_it_for_the_next_run(sweep: Sweep) -> None:
    """What is measured is saved, the run says it was interrupted, and nothing is measured twice."""
    summary, memo = sweep(groups("net", "other"), stop=Flag(after_looks=0))
    assert summary.interrupted
    assert memo.rows == []
    resumed, _ = sweep(groups("net", "other"))
    assert (resumed.measured, resumed.interrupted) == (6, False)
