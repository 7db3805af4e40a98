"""New rows in a page that is run again, and a kept file that is no sweep."""

from pathlib import Path

import pytest

from fakes_store import measured, network_point, row
from octprobe.store.store import Store
from pages_of_app import opened, shown


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
