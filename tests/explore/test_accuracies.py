"""Accuracies meet rows by architecture, alpha and resolution; families never mix."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fakes_store import ended, layer_point, measured, network_point, row
from octprobe.errors import UsageError
from octprobe.explore.accuracies import (
    ACCURACY_COLUMNS,
    architecture_of,
    match_of,
    with_accuracies,
)
from octprobe.facts.published import published_accuracies
from octprobe.plan.point import DesignPoint
from octprobe.plan.variant import Variant
from octprobe.store.accuracy import Accuracy
from octprobe.store.query import load_frame
from octprobe.store.records import Status
from octprobe.store.store import Store


def accuracy(**fields: Any) -> Accuracy:
    """Give ResNet-50's accuracy at alpha 0.5; `fields` change it."""
    usual = {
        "network": "resnet50",
        "architecture": "resnet50",
        "alpha": 0.5,
        "dataset": "imagenet1k",
        "top1_percent": 77.4,
        "baseline_top1_percent": 77.0,
        "resolution": 224,
        "kind": "published",
        "source_family": "authors",
        "source": "a page",
    }
    return Accuracy(**(usual | fields))


def frame_of(path: Path, points: Sequence[DesignPoint]) -> pd.DataFrame:
    """Give the rows of points, as a store gives them."""
    Store.create(path).append([row(point, measured(80.0)) for point in points])
    return load_frame(path)


def joined(path: Path, points: Sequence[DesignPoint], *known: Accuracy) -> pd.DataFrame:
    """Give points' rows with accuracies."""
    return with_accuracies(frame_of(path, points), known)


def top1(frame: pd.DataFrame) -> list[float | None]:
    """Give the top-1 column with None for null."""
    return [None if pd.isna(value) else value for value in frame["top1_percent"]]


def test_a_row_meets_the_accuracy_of_its_network_and_alpha(tmp_path: Path) -> None:
    """Figures, source and match stand beside the row; another alpha keeps its line with nulls."""
    found = joined(tmp_path, [network_point("0.5"), network_point("0.25")], accuracy(variant="preact"))
    first, second = found[list(ACCURACY_COLUMNS)].astype(object).values.tolist()
    nothing = pytest.approx(np.nan, nan_ok=True)
    assert first[:6] == [77.4, nothing, nothing, nothing, 77.0, 0.4]
    assert all(pd.isna(value) for value in (first[6], first[7], first[9]))
    assert [first[8], *first[10:]] == ["imagenet1k", "published", "authors", "a page", "pre-activation twin"]
    assert all(pd.isna(value) for value in second)


def test_columns_and_order_of_the_frame_stay(tmp_path: Path) -> None:
    """The join only adds; the frame given is not changed."""
    frame = frame_of(tmp_path, [network_point("0.25"), network_point("0.5"), network_point("0")])
    before = list(frame.columns)
    found = with_accuracies(frame, [accuracy()])
    assert list(frame.columns) == before
    assert list(found.columns) == [*before, *ACCURACY_COLUMNS]
    assert found["alpha"].tolist() == [0.25, 0.5, 0.0]
    assert found["latency_ms_samples"].tolist() == frame["latency_ms_samples"].tolist()


def test_several_families_give_a_line_each(tmp_path: Path) -> None:
    """A delta is of its own family; one family may be asked for."""
    other = accuracy(source_family="d-li14", top1_percent=77.64, baseline_top1_percent=77.15, variant="v1b")
    frame = frame_of(tmp_path, [network_point("0.5"), network_point("0.25")])
    found = with_accuracies(frame, [accuracy(), other])
    assert found["accuracy_family"].astype(object).tolist()[:2] == ["authors", "d-li14"]
    assert found["delta_top1_percent"].tolist()[:2] == [0.4, 0.49]
    assert found["alpha"].tolist() == [0.5, 0.5, 0.25]
    assert top1(with_accuracies(frame, [accuracy(), other], "d-li14")) == [77.64, None]


def test_an_unknown_family_is_an_error_with_those_there_are(tmp_path: Path) -> None:
    """A slip does not look like a store without accuracies."""
    frame = frame_of(tmp_path, [network_point("0.5")])
    with pytest.raises(UsageError, match="no accuracy is of the family 'author'; there are: authors"):
        with_accuracies(frame, [accuracy()], "author")


@pytest.mark.parametrize(
    "point",
    [
        network_point("0.5", "resnet101"),
        network_point("0.5", resolution=192),
        network_point("0.5", "my.module:resnet50"),
        network_point("0.5", variant=Variant(exchange="none")),
        network_point("0.5", variant=Variant(downsample="strided")),
        network_point("0.5", variant=Variant(octave_kernels="spatial")),
        network_point("0.5", variant=Variant(return_at="end")),
        layer_point("0.5", "0.5"),
    ],
)
def test_what_differs_has_no_accuracy(tmp_path: Path, point: DesignPoint) -> None:
    """Another network, resolution, variant, or a layer."""
    assert top1(joined(tmp_path, [point], accuracy())) == [None]


@pytest.mark.parametrize("network", ["resnet50", "torchvision:resnet50", "resnet50.a1_in1k"])
def test_one_architecture_under_several_names(tmp_path: Path, network: str) -> None:
    """Where the network comes from and whose weights it has do not change the architecture."""
    assert top1(joined(tmp_path, [network_point("0.5", network)], accuracy())) == [77.4]


def test_alpha_0_has_no_variant_and_meets_its_accuracy(tmp_path: Path) -> None:
    """Null is how a vanilla row says that no variant applies."""
    vanilla = accuracy(alpha=0.0, top1_percent=77.0)
    assert top1(joined(tmp_path, [network_point("0")], vanilla)) == [77.0]


def test_an_accuracy_without_timms_name_joins_nothing(tmp_path: Path) -> None:
    """Not even a layer, whose network is null too."""
    points = [layer_point("0.5", "0.5"), network_point("0.5")]
    assert top1(joined(tmp_path, points, accuracy(architecture=None))) == [None, None]
    assert top1(joined(tmp_path / "b", points)) == [None, None]


def test_alpha_maps_meet_by_their_text(tmp_path: Path) -> None:
    """A map is no uniform alpha, and a uniform alpha no map."""
    frame = frame_of(tmp_path, [network_point("0.5"), network_point("0.25")])
    frame.loc[0, ["alpha", "alpha_map"]] = [np.nan, '{"layer1": 0.5}']
    mapped = accuracy(alpha=None, alpha_map='{"layer1": 0.5}', top1_percent=70.0)
    assert top1(with_accuracies(frame, [mapped, accuracy()])) == [70.0, None]


def test_a_frame_of_categories_joins_alike(tmp_path: Path) -> None:
    """What reads millions of rows gives text as categories."""
    frame = frame_of(tmp_path, [network_point("0.5"), network_point("0"), layer_point("0.5", "0.5")])
    light = frame[["network", "alpha", "alpha_map", "resolution", "exchange", "downsample"]].copy()
    light[["octave_kernels", "return_at"]] = frame[["octave_kernels", "return_at"]]
    for name in ("network", "alpha_map", "exchange", "downsample", "octave_kernels", "return_at"):
        light[name] = light[name].astype("category")
    assert top1(with_accuracies(light, [accuracy()])) == [77.4, None, None]


def test_an_empty_frame_gets_the_columns(tmp_path: Path) -> None:
    """No rows are no error."""
    Store.create(tmp_path)
    found = with_accuracies(load_frame(tmp_path), published_accuracies())
    assert len(found) == 0
    assert set(ACCURACY_COLUMNS) <= set(found.columns)


def test_joining_twice_is_joining_once(tmp_path: Path) -> None:
    """The columns are replaced, not doubled."""
    frame = frame_of(tmp_path, [network_point("0.5")])
    once = with_accuracies(frame, [accuracy()])
    pd.testing.assert_frame_equal(with_accuracies(once, [accuracy()]), once)


def test_rows_that_failed_keep_their_line(tmp_path: Path) -> None:
    """An accuracy does not depend on the device."""
    Store.create(tmp_path).append([ended(network_point("0.5"), Status.FAILED)])
    assert top1(with_accuracies(load_frame(tmp_path), [accuracy()])) == [77.4]


def test_the_join_is_the_one_that_a_loop_makes() -> None:
    """Every row against every published accuracy, in numbers and order."""
    generator = np.random.default_rng(0)
    networks = np.array(["resnet50", "resnet101", "torchvision:mobilenet_v2", "a.b:c", None], dtype=object)
    size = 300
    frame = pd.DataFrame(
        {
            "network": generator.choice(networks, size),
            "alpha": generator.choice([0.0, 0.125, 0.25, 0.375, 0.5, 0.75, np.nan], size),
            "alpha_map": None,
            "resolution": generator.choice([192, 224], size),
            "exchange": generator.choice(np.array([None, "both", "none"], dtype=object), size),
            "downsample": None,
            "octave_kernels": None,
            "return_at": None,
        }
    )
    expected: list[tuple[int, float | None]] = []
    for place, record in enumerate(frame.to_dict("records")):
        name = None if pd.isna(record["network"]) else architecture_of(record["network"])
        fits = record["exchange"] != "none" and record["resolution"] == 224 and name is not None
        found = [
            each.top1_percent
            for each in published_accuracies()
            if fits and (each.architecture, each.alpha) == (name, record["alpha"])
        ]
        expected.extend((place, value) for value in found or [None])
    given = with_accuracies(frame.assign(place=range(size)), published_accuracies())
    assert list(zip(given["place"], top1(given), strict=True)) == expected
    assert len(given) > size


@pytest.mark.parametrize(
    ("network", "name"),
    [
        ("torchvision:mobilenet_v2", "mobilenetv2_100"),
        ("mobilenetv2_100.ra_in1k", "mobilenetv2_100"),
        ("my.module:resnet50", "my.module:resnet50"),
    ],
)
def test_timms_name_of_a_network(network: str, name: str | None) -> None:
    """A factory of your own may build anything under any name."""
    assert architecture_of(network) == name


@pytest.mark.parametrize(
    ("variant", "match"),
    [
        (None, "exact"),
        ("v1b", "exact"),
        ("preact", "pre-activation twin"),
        ("chainer 90 epochs", "chainer 90 epochs"),
    ],
)
def test_how_an_accuracy_matches(variant: str | None, match: str) -> None:
    """timm's ResNets have the stride of v1b; all else is said."""
    assert match_of(accuracy(variant=variant)) == match
