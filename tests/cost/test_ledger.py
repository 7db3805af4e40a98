"""Counts kept between runs."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from fakes import COST
from fakes_store import small_layer
from octprobe.cache import Cache
from octprobe.cost import ledger as module
from octprobe.cost.ledger import Ledger, count_fully, count_quickly
from octprobe.plan.point import Conditions, DesignPoint, NetworkSubject
from octprobe.plan.variant import Variant
from octprobe.store.records import Cost


def point(network: str = "resnet18", alpha: str = "0.5", **conditions: object) -> DesignPoint:
    """Give a network's point."""
    return DesignPoint(
        subject=NetworkSubject(network=network, alpha=Decimal(alpha)), conditions=Conditions(**conditions)
    )


class Counter:
    """A count that says how often it was made."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self, asked: DesignPoint) -> Cost:
        self.made += 1
        return replace(COST, macs=self.made)


def test_a_point_is_counted_once(tmp_path: Path) -> None:
    """The second ledger reads what the first wrote, as an equal value."""
    counter = Counter()
    first = Ledger(counter, "full", Cache("costs", tmp_path)).cost(point())
    again = Ledger(counter, "full", Cache("costs", tmp_path)).cost(point())
    assert (counter.made, first) == (1, again)


@pytest.mark.parametrize(
    "conditions",
    [
        {"batch": 8},
        {"dtype": "bfloat16"},
        {"memory_format": "channels_last"},
        {"threads": 1},
        {"execution": "compiled"},
    ],
)
def test_axes_without_effect_share_a_count(tmp_path: Path, conditions: dict[str, object]) -> None:
    """Figures are an item's, in float32."""
    counter = Counter()
    kept = Ledger(counter, "full", Cache("costs", tmp_path))
    kept.cost(point())
    kept.cost(point(**conditions))
    assert counter.made == 1


def test_a_training_call_has_a_count_for_each_batch(tmp_path: Path) -> None:
    """An item's share of its peak depends on how many share the weights' gradients; no other axis matters."""
    counter = Counter()
    kept = Ledger(counter, "full", Cache("costs", tmp_path))
    for batch in (1, 8, 8):
        kept.cost(point(mode="train", batch=batch))
        kept.cost(point(mode="train", batch=batch, dtype="bfloat16"))
    assert counter.made == 2
    kept.cost(point(batch=8))
    assert counter.made == 3


def test_counting_a_training_point_uses_its_batch() -> None:
    """Quickly and fully: of eight items each has less of the weight's gradient than of two."""
    layer = small_layer().subject
    for count in (count_quickly, count_fully):
        two, eight = (
            count(replace(point(mode="train", batch=batch, resolution=6), subject=layer), allow_import=False)
            for batch in (2, 8)
        )
        assert eight.peak_live_bytes < two.peak_live_bytes
        assert eight.macs_executed == two.macs_executed == 3 * two.macs_dispatched


@pytest.mark.parametrize(
    "variant",
    [
        Variant(exchange="none"),
        Variant(downsample="max"),
        Variant(octave_kernels="spatial"),
        Variant(return_at="end"),
    ],
    ids=str,
)
def test_a_variant_has_a_count_of_its_own(tmp_path: Path, variant: Variant) -> None:
    """It is another network; at alpha 0 it is the same one."""
    counter = Counter()
    kept = Ledger(counter, "full", Cache("costs", tmp_path))
    for alpha in ("0.5", "0"):
        kept.cost(point(alpha=alpha))
        kept.cost(replace(point(alpha=alpha), variant=variant))
    assert counter.made == 3


def test_resolution_alpha_network_and_kind_have_counts_of_their_own(tmp_path: Path) -> None:
    """Five questions, five counts."""
    counter, cache = Counter(), Cache("costs", tmp_path)
    kept = Ledger(counter, "full", cache)
    for asked in (point(), point(resolution=64), point(alpha="0.25"), point("resnet26")):
        kept.cost(asked)
    Ledger(counter, "quick", cache).cost(point())
    assert counter.made == 5


def test_a_persons_own_network_is_counted_every_time(tmp_path: Path) -> None:
    """Its code may have changed; torchvision's is versioned."""
    counter = Counter()
    kept = Ledger(counter, "full", Cache("costs", tmp_path))
    for name in ("my.module:net", "my.module:net", "torchvision:resnet18", "torchvision:resnet18"):
        kept.cost(point(name))
    assert counter.made == 3


def test_a_change_of_method_forgets_old_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another version of torch or of our own counters asks anew."""
    counter = Counter()
    kept = Ledger(counter, "full", Cache("costs", tmp_path))
    kept.cost(point())
    monkeypatch.setattr(module, "_method", lambda: "another")
    kept.cost(point())
    assert counter.made == 2


@pytest.mark.parametrize("damage", [{"macs": 1}, {"path_macs": {"odd": 1}}, {"path_macs": None}])
def test_an_answer_of_another_shape_is_counted_again(tmp_path: Path, damage: dict[str, object]) -> None:
    """A cache that an older octprobe wrote, or that is damaged, costs time and nothing else."""
    counter = Counter()
    cache = Cache("costs", tmp_path)
    kept = Ledger(counter, "full", cache)
    cache.put(kept._question(point()), damage)
    assert kept.cost(point()).macs == 1
    assert counter.made == 1
