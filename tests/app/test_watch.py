"""How far a sweep is, how long the rest takes, and new rows in a page that is run again."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fakes_store import NOON, measured, network_point, row
from octprobe.store.store import Store
from pages_of_app import app_module, opened, shown

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
watch = app_module("watch")


def progress(done: int, planned: int | None, minutes: float) -> object:
    """Give a sweep of which so many rows were written within so many minutes from noon."""
    return watch.Progress("two", done, planned, NOON, NOON + timedelta(minutes=minutes))


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
    assert progress(done, planned, minutes).sentence(NOON + timedelta(minutes=now)) == said


def test_a_store_knows_its_plan(tmp_path: Path) -> None:
    """The sweep file that is kept beside the rows says how many points there will be."""
    store = Store.create(tmp_path)
    digest = store.keep_spec(SPEC)
    store.append([row(network_point("0"), measured(90.0), spec_digest=digest, sweep="two")])
    store.append([row(network_point("0.5"), measured(70.0, 0.8), minutes=2, spec_digest=digest, sweep="two")])
    opened_store = app_module("data").opened(str(tmp_path))
    found = watch.progress(*opened_store[:2])
    assert (found.sweep, found.done, found.planned) == ("two", 2, 4)
    assert found.sentence(NOON + timedelta(minutes=3)).endswith("ETA 4 min 00 s at the pace so far")
    assert datetime.now(UTC) > found.last


def test_a_new_part_shows_in_the_next_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What is kept of a store is kept for one state of its parts."""
    store = Store.create(tmp_path)
    store.append([row(network_point("0"), measured(90.0))])
    app = opened(monkeypatch, str(tmp_path), page="rows")
    assert "1 rows" in [one.value for one in app.text]
    store.append([row(network_point("0.5"), measured(70.0, 0.8), minutes=1)])
    assert "2 rows" in [one.value for one in app.run().text]


def test_a_kept_file_that_is_no_sweep_is_no_fault(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The points are counted without a plan; a digest that is a path opens nothing."""
    store = Store.create(tmp_path)
    digest = store.keep_spec("!!python/object/apply:os.system [false]")
    store.append([row(network_point("0"), measured(90.0), spec_digest=digest)])
    assert "quickstart: 1 points" in shown(opened(monkeypatch, str(tmp_path)))
    store.append([row(network_point("0.5"), measured(70.0), minutes=1, spec_digest="../../etc/passwd")])
    assert "quickstart: 1 points" in shown(opened(monkeypatch, str(tmp_path)))
