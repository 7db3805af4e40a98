"""What counts as done: final, not to be retried, and as precise as asked."""

import subprocess
import sys
from pathlib import Path

import pytest

from fakes_store import ENVIRONMENT, OTHER_ENVIRONMENT, ended, measured, network_point, row
from octprobe.store.index import ResumeIndex
from octprobe.store.records import Doubt, Status
from octprobe.store.row import Row
from octprobe.store.store import Store

POINT = network_point("0.5")
ENV = ENVIRONMENT.env_id


def index_of(tmp_path: Path, *parts: list[Row]) -> ResumeIndex:
    """Write parts and index them."""
    store = Store.create(tmp_path)
    for part in parts:
        store.append(part)
    return store.index()


def done(index: ResumeIndex, relative_ci: float = 0.01, *retry: str) -> bool:
    """Ask about the one point of these tests."""
    return index.done(POINT.point_id, ENV, relative_ci, frozenset(retry))


def test_an_unknown_point_is_not_done(tmp_path: Path) -> None:
    """An empty store has no attempts."""
    index = index_of(tmp_path)
    assert index.last(POINT.point_id, ENV) is None
    assert index.attempts(POINT.point_id, ENV) == 0
    assert not done(index)


def test_a_point_is_done_for_its_own_environment_only(tmp_path: Path) -> None:
    """Another version of torch is another environment."""
    index = index_of(tmp_path, [row(POINT, measured(80.0, 0.9))])
    assert done(index)
    assert not index.done(POINT.point_id, OTHER_ENVIRONMENT.env_id, 0.01)


@pytest.mark.parametrize(
    ("asked_then", "spread", "asked_now", "expected"),
    [
        (0.01, 0.2, 0.01, True),  # not reached, but the same was asked: measuring again would give no more
        (0.01, 0.2, 0.02, True),  # less is asked than before
        (0.05, 0.2, 0.01, False),  # more is asked, and it was not reached
        (0.05, 0.001, 0.01, True),  # more is asked, but it happened to be reached
    ],
)
def test_precision_binds_measured_rows(
    tmp_path: Path, asked_then: float, spread: float, asked_now: float, expected: bool
) -> None:
    """A row is done if it was asked for, or reached, at least the precision asked now."""
    written = row(POINT, measured(80.0, 0.9, spread=spread), relative_ci_asked=asked_then)
    assert (written.relative_ci_reached or 0) > 0
    assert done(index_of(tmp_path, [written]), asked_now) is expected


def test_a_measured_row_without_any_precision_is_not_done(tmp_path: Path) -> None:
    """Three samples have no interval; where nothing was asked either, nothing is known."""
    written = row(POINT, measured(80.0, count=3), relative_ci_asked=None)
    assert written.relative_ci_reached is None
    assert not done(index_of(tmp_path, [written]), 0.5)


@pytest.mark.parametrize(
    "status", [Status.SKIPPED, Status.FAILED, Status.TIMED_OUT, Status.CRASHED, Status.OUT_OF_MEMORY]
)
def test_other_endings_are_final_unless_their_status_is_named(tmp_path: Path, status: Status) -> None:
    """A failure is not tried again by itself, at whatever precision."""
    index = index_of(tmp_path, [ended(POINT, status)])
    assert done(index, 1e-9)
    assert not done(index, 0.01, status.value)
    assert done(index, 0.01, "interrupted", "unstable")


def test_interrupted_is_never_final(tmp_path: Path) -> None:
    """An interrupted point resumes."""
    assert not done(index_of(tmp_path, [ended(POINT, Status.INTERRUPTED)]))


def test_a_doubt_can_be_retried(tmp_path: Path) -> None:
    """--retry takes doubts as well as statuses."""
    index = index_of(tmp_path, [row(POINT, measured(80.0, 0.9, doubts=(Doubt.UNSTABLE, Doubt.BIMODAL)))])
    assert done(index)
    assert not done(index, 0.01, "bimodal")
    assert not done(index, 0.01, "measured")
    assert done(index, 0.01, "throttled", "failed")


def test_the_last_attempt_decides_whatever_the_order_of_parts(tmp_path: Path) -> None:
    """Attempts are ordered by their number; a clock that was set back changes nothing."""
    second = row(POINT, measured(80.0, 0.9), attempt=2, minutes=1)
    first = ended(POINT, Status.CRASHED, minutes=9)
    index = index_of(tmp_path, [second], [first])
    last = index.last(POINT.point_id, ENV)
    assert last is not None
    assert (last.status, last.attempt) == ("measured", 2)
    assert index.attempts(POINT.point_id, ENV) == 2


def test_equal_attempts_are_ordered_by_time(tmp_path: Path) -> None:
    """Two sweeps that both wrote attempt 1: the later row is the last."""
    index = index_of(
        tmp_path, [ended(POINT, Status.FAILED, minutes=2)], [ended(POINT, Status.CRASHED, minutes=1)]
    )
    last = index.last(POINT.point_id, ENV)
    assert last is not None
    assert last.status == "failed"


def test_the_reason_and_doubts_of_the_last_attempt_are_known(tmp_path: Path) -> None:
    """The engine prints why a point it passes over had ended."""
    last = index_of(tmp_path, [ended(POINT, Status.SKIPPED, "no GPU")]).last(POINT.point_id, ENV)
    assert last is not None
    assert (last.reason, last.doubts) == ("no GPU", ())


def test_damaged_parts_are_named_and_their_points_not_done(tmp_path: Path) -> None:
    """The sweep can warn, and measures the lost points anew."""
    store = Store.create(tmp_path)
    part = store.append([row(POINT, measured(80.0, 0.9))])
    part.write_bytes(b"torn")
    index = store.index()
    assert not done(index)
    assert len(index.warnings) == 1
    assert str(part) in index.warnings[0]


def test_the_index_needs_neither_pandas_nor_torch(tmp_path: Path) -> None:
    """The engine's parent stays light."""
    Store.create(tmp_path).append([row(POINT, measured(80.0, 0.9))])
    code = (
        "import sys; from octprobe.store.store import Store; from octprobe.store.flatten import make_row; "
        f"assert Store.open({str(tmp_path)!r}).index().by_point; "
        "print(sorted({'pandas', 'torch'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
