"""The address holds what is shown, and nonsense in it falls back to the defaults."""

from pathlib import Path

import pytest

from demo_store import write_demo
from pages_of_app import PAGES, opened, shown

NONSENSE = ("", "-1", "nan", "<script>", "9" * 400, "../../etc/passwd")
_PARAMETERS = (
    *("x", "y", "accuracy_from", "goal", "max_latency", "min_top1", "max_macs", "a", "b", "compare", "by"),
    *("side_a", "since", "columns", "failure", "batch", "network", "subject", "execution", "demo"),
)


@pytest.fixture
def demo(tmp_path: Path) -> str:
    """Give a store as a sweep leaves it."""
    return str(write_demo(tmp_path / "store"))


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("value", NONSENSE)
def test_nonsense_falls_back(monkeypatch: pytest.MonkeyPatch, demo: str, page: str, value: str) -> None:
    """The page shows what it shows without."""
    plain = opened(monkeypatch, demo, page=page)
    odd = opened(monkeypatch, demo, page=page, **dict.fromkeys(_PARAMETERS, value))
    assert [one.value for one in odd.selectbox] == [one.value for one in plain.selectbox]
    assert [one.value for one in odd.slider] == [one.value for one in plain.slider]
    assert [frame.value.columns.tolist() for frame in odd.dataframe] == [
        frame.value.columns.tolist() for frame in plain.dataframe
    ]


def test_a_link_opens_the_same_view(monkeypatch: pytest.MonkeyPatch, demo: str) -> None:
    """The address gives back what the widgets chose; that they write it the browser's tests see."""
    address = {"x": "macs", "y": "latency", "batch": "8"}
    app = opened(monkeypatch, demo, page="front")
    for name, value in address.items():
        app.selectbox(key=name).set_value(value).run()
    again = opened(monkeypatch, demo, page="front", **address)
    assert "Latency against MACs" in shown(again)
    assert shown(again) == shown(app)


def test_the_sidebar_narrows_the_rows(monkeypatch: pytest.MonkeyPatch, demo: str) -> None:
    """And offers only what takes more than one value."""
    app = opened(monkeypatch, demo, page="rows", network="resnet26", batch="8")
    assert "5 rows" in [one.value for one in app.text]
    offered = {one.key for one in app.selectbox}
    assert {"network", "batch", "execution", "subject", "resolution"} <= offered
    assert not {"env_id", "dtype", "mode", "threads"} & offered


def test_a_narrowing_that_leaves_nothing_is_said(monkeypatch: pytest.MonkeyPatch, demo: str) -> None:
    """In a line that lists what there is."""
    app = opened(monkeypatch, demo, page="rows", network="resnet101", batch="8")
    assert "no row has it; batch is 64" in shown(app)


def test_columns_come_from_the_address(monkeypatch: pytest.MonkeyPatch, demo: str) -> None:
    """Repeated parameters are a list."""
    app = opened(monkeypatch, demo, page="rows", columns="macs")
    assert app.dataframe[0].value.columns.tolist() == ["macs, MACs/item"]
