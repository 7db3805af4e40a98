"""The published accuracies are those of the shared file, exact, each with its source."""

from pathlib import Path

import pytest

from octprobe.facts import published
from octprobe.facts.published import published_accuracies
from octprobe.store.accuracy import Accuracy

HERE = Path(published.__file__).with_name("published_accuracy.csv")
SHARED = Path(__file__).parents[3] / "shared" / "facts" / "published_accuracy.csv"


def find(family: str, network: str, alpha: float) -> Accuracy:
    """Give the one row of a family, network and alpha."""
    found = [
        row
        for row in published_accuracies()
        if (row.source_family, row.network, row.alpha) == (family, network, alpha)
    ]
    assert len(found) == 1
    return found[0]


@pytest.mark.skipif(not SHARED.exists(), reason="the shared facts lie beside a founder's checkout only")
def test_the_packaged_file_is_the_shared_one() -> None:
    """A correction there must come here."""
    assert HERE.read_text() == SHARED.read_text()


def test_a_row_is_read_whole() -> None:
    """Figures as printed; MACs and parameters in whole units."""
    row = find("authors", "resnet50", 0.125)
    assert (row.architecture, row.variant, row.dataset) == ("resnet50", "preact", "imagenet1k")
    assert (row.top1_percent, row.top5_percent, row.baseline_top1_percent) == (78.2, 93.9, 77.0)
    assert (row.delta_top1_percent, row.resolution) == (1.2, 224)
    assert (row.macs, row.parameters) == (3_565_000_000, 25_600_000)
    assert (row.kind, row.seeds, row.recipe, row.alpha_map) == ("published", None, None, None)
    assert row.source == "facebookresearch/OctConv README @87c44f79"


def test_an_empty_cell_is_absent() -> None:
    """No baseline, no delta; no top-5, no name in timm, no MACs: none is 0."""
    deep_stem = find("authors", "resnet152_deepstem", 0.125)
    assert (deep_stem.architecture, deep_stem.baseline_top1_percent) == (None, None)
    assert deep_stem.delta_top1_percent is None
    chainer = find("xu3kev", "resnet50_chainer_90ep", 0.25)
    assert (chainer.macs, chainer.top5_percent, chainer.variant) == (None, None, "chainer 90 epochs")


def test_every_baseline_is_the_familys_own_row_at_alpha_0() -> None:
    """A delta compares a source with itself; where its alpha 0 is not printed there is none."""
    rows = published_accuracies()
    plain = {(row.source_family, row.network): row.top1_percent for row in rows if row.alpha == 0}
    for row in rows:
        assert row.baseline_top1_percent == plain.get((row.source_family, row.network))


def test_every_row_names_family_and_source() -> None:
    """No figure without who says it."""
    assert len(published_accuracies()) == 53
    assert {row.source_family for row in published_accuracies()} == {"authors", "d-li14", "xu3kev"}
    assert all(row.source for row in published_accuracies())
