"""How far a sweep is and how long the rest takes."""

from datetime import timedelta
from pathlib import Path

import pytest

from fakes_store import NOON, measured, network_point, row
from octprobe.explore.progress import Progress, progress
from octprobe.store.snapshot import snapshot
from octprobe.store.store import Store

SPEC = """\
version: 1
name: two
question: does it run?
subject: network
device: cpu
axes:
  network: [resnet50]
  alpha: [0, 0.25, 0.5, 0.75]
  batch: [1]
"""


def wanted(done: int, planned: int | None, minutes: float) -> Progress:
    """Give a sweep of which so many rows were written within so many minutes from noon."""
    pace = 60 * minutes / (done - 1) if done > 1 else None
    return Progress("two", done, planned, NOON + timedelta(minutes=minutes), pace)


@pytest.mark.parametrize(
    ("done", "planned", "minutes", "now", "said"),
    [
        (3, 5, 4, 5, "two: 3 of 5 points of its file, ETA 4 min 00 s at the pace so far"),
        (5, 5, 4, 5, "two: 5 of 5 points of its file"),
        (1, 5, 0, 5, "two: 1 of 5 points of its file"),
        (3, 5, 4, 60, "two: 3 of 5 points of its file"),
        (3, None, 4, 5, "two: 3 points"),
    ],
    ids=["under way", "done", "one row", "quiet for an hour", "no file"],
)
def test_progress_is_said(done: int, planned: int | None, minutes: float, now: float, said: str) -> None:
    """An ETA only while rows arrive, more than one has, and some are left."""
    assert wanted(done, planned, minutes).sentence(NOON + timedelta(minutes=now)) == said


def test_a_store_knows_its_plan(tmp_path: Path) -> None:
    """The sweep file that is kept beside the rows says how many points there will be."""
    store = Store.create(tmp_path)
    digest = store.keep_spec(SPEC)
    store.append([row(network_point("0"), measured(90.0), spec_digest=digest, sweep="two")])
    store.append([row(network_point("0.5"), measured(70.0, 0.8), minutes=2, spec_digest=digest, sweep="two")])
    found = progress(snapshot(str(tmp_path)))
    assert found is not None
    assert (found.sweep, found.done, found.planned) == ("two", 2, 4)
    assert found.sentence(NOON + timedelta(minutes=3)).endswith("ETA 4 min 00 s at the pace so far")
    assert found.last == NOON + timedelta(minutes=2)


def test_the_pace_is_that_since_the_last_pause(tmp_path: Path) -> None:
    """Of the sweep's own rows; a night between two of them slows nothing down."""
    store = Store.create(tmp_path)
    digest = store.keep_spec(SPEC)
    store.append([row(network_point("0"), measured(90.0), spec_digest=digest)])
    store.append([row(network_point("0.25"), measured(80.0), minutes=600, spec_digest=digest)])
    store.append([row(network_point("0.5"), measured(70.0), minutes=603, spec_digest=digest)])
    store.append([row(network_point("0", batch=8), measured(90.0), minutes=601, spec_digest="other")])
    found = progress(snapshot(str(tmp_path)))
    assert found is not None
    assert found.seconds_a_point == 180
    assert found.sentence(NOON + timedelta(minutes=604)).endswith("ETA 3 min 00 s at the pace so far")
