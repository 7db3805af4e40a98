"""A state of a store: its mark changes with its parts, and one reader serves all who ask."""

from pathlib import Path

import pytest

from fakes_store import measured, network_point, row
from octprobe.errors import StoreError
from octprobe.store.snapshot import shared_reader, snapshot
from octprobe.store.store import Store


def test_the_mark_changes_with_the_parts(tmp_path: Path) -> None:
    """The same parts have the same mark, and another reader serves another state."""
    store = Store.create(tmp_path)
    store.append([row(network_point("0"), measured(90.0))])
    first = snapshot(str(tmp_path))
    assert snapshot(str(tmp_path)) == first
    store.append([row(network_point("0.5"), measured(70.0))])
    second = snapshot(str(tmp_path))
    assert (first.parts, second.parts) == (1, 2)
    assert first.mark != second.mark
    assert shared_reader(second) is shared_reader(second)
    assert len(shared_reader(second).read(["alpha"]).frame) == 2


def test_earlier_attempts_are_rows_where_they_are_asked_for(tmp_path: Path) -> None:
    """Two readers of one state, one of each kind."""
    store = Store.create(tmp_path)
    store.append([row(network_point("0"), measured(90.0))])
    store.append([row(network_point("0"), measured(80.0), attempt=2, minutes=1)])
    now = snapshot(str(tmp_path))
    every = shared_reader(now, every_attempt=True).read(["latency_ms_median"]).frame
    assert every["latency_ms_median"].tolist() == [90.0, 80.0]
    assert shared_reader(now).read(["latency_ms_median"]).frame["latency_ms_median"].tolist() == [80.0]


def test_no_store_is_one_line(tmp_path: Path) -> None:
    """The pages show it."""
    with pytest.raises(StoreError, match="no such folder"):
        snapshot(str(tmp_path / "nowhere"))
