"""A recommendation read from a store is the one of its whole frame, however few columns were read."""

from pathlib import Path

import pytest

from fakes_store import measured, network_point, resnet_rows, row
from octprobe.explore import store_advice
from octprobe.explore.advice.request import make_request
from octprobe.explore.recommend import recommend
from octprobe.store.query import load_frame
from octprobe.store.store import Store

TIMES = [("0", 80.0, None, 400), ("0.25", 78.0, 0.97, 300), ("0.5", 70.0, 0.9, 200)]


@pytest.mark.parametrize("few", [0, 50_000])
@pytest.mark.parametrize(
    "asked",
    [
        {"minimize": "latency"},
        {"maximize": "top1", "at_most": ["latency=79ms"]},
        {"minimize": "macs", "at_most": ["latency=1ms", "memory=1kB"]},
    ],
    ids=["latency", "top1", "nothing feasible"],
)
def test_a_store_gives_the_advice_of_its_frame(
    few: int, asked: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows of other networks, conditions and attempts lie between those that count."""
    monkeypatch.setattr(store_advice, "_FEW_ROWS", few)
    store = Store.create(tmp_path)
    for network in ("resnet26", "resnet50"):
        store.append([row(network_point("0.5", network, batch=64), measured(500.0))])
        store.append(resnet_rows(TIMES, network=network))
    store.append([row(network_point("0.5", "resnet50"), measured(60.0, 0.8), minutes=5, attempt=2)])
    request = make_request(where={"batch": 1}, **asked)  # type: ignore[arg-type]  # of several kinds
    found = store_advice.store_advice(tmp_path, request)
    assert found.damaged == ()
    assert found.advice.as_json() == recommend(load_frame(tmp_path), request).as_json()
