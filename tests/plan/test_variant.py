"""Forms of the octave operator: what comes to the same is one, and what is unusual is named."""

import itertools
from decimal import Decimal

import pytest

from octprobe.plan.variant import NO_VARIANT, Variant, variant_label, variant_of_layer

EXCHANGES = ("both", "h2l", "l2h", "none")
HALF, NONE, ALL = Decimal("0.5"), Decimal(0), Decimal(1)


@pytest.mark.parametrize(
    ("axes", "label"),
    [
        (vars(Variant()), ""),
        (vars(NO_VARIANT), ""),
        ({}, ""),
        ({"kernel": "two"}, "two"),
        ({"exchange": "none", "downsample": "strided"}, "exchange none strided"),
        ({"octave_kernels": "spatial", "return_at": "layer3"}, "spatial return layer3"),
        (
            vars(Variant(kernel="three", exchange="h2l", downsample="max", return_at="end")),
            "three exchange h2l max return end",
        ),
    ],
)
def test_only_what_is_unusual_is_named(axes: dict[str, object], label: str) -> None:
    """A usual variant has no name, as an anchor has none."""
    assert variant_label(axes) == label


def of_layer(
    alpha_in: Decimal,
    alpha_out: Decimal,
    exchange: str = "both",
    downsample: str = "max",
    *,
    halves: bool = False,
    is_depthwise: bool = False,
) -> tuple[str | None, str | None]:
    """Give the exchange and the way to down-sample that such a layer has."""
    asked = Variant(exchange=exchange, downsample=downsample)
    found = variant_of_layer(asked, alpha_in, alpha_out, halves=halves, is_depthwise=is_depthwise)
    assert (found.kernel, found.octave_kernels, found.return_at) == ("four", None, None)
    return found.exchange, found.downsample


@pytest.mark.parametrize(
    ("alphas", "names"),
    [
        ((HALF, HALF), EXCHANGES),
        ((HALF, NONE), ("both",) * 4),
        ((HALF, ALL), ("both",) * 4),
        ((NONE, HALF), ("both",) * 4),
        ((NONE, ALL), ("both",) * 4),
        ((ALL, HALF), ("both",) * 4),
        ((ALL, NONE), ("both",) * 4),
        ((ALL, ALL), ("both",) * 4),
    ],
)
def test_exchanges_that_come_to_the_same_have_one_name(
    alphas: tuple[Decimal, Decimal], names: tuple[str, ...]
) -> None:
    """At a border every path is the only way in or out, so nothing is left to choose."""
    assert tuple(of_layer(*alphas, exchange)[0] for exchange in EXCHANGES) == names


def test_a_depthwise_layer_exchanges_nothing() -> None:
    """Whatever is asked for; only its stride makes anything low."""
    for exchange in EXCHANGES:
        assert of_layer(HALF, HALF, exchange, is_depthwise=True) == ("both", "average")
        assert of_layer(HALF, HALF, exchange, halves=True, is_depthwise=True) == ("both", "max")


@pytest.mark.parametrize("halves", [False, True])
def test_a_way_to_downsample_counts_where_something_becomes_low(halves: bool) -> None:
    """On the path from high to low, or before a stride unless the high output comes from the low input."""
    used = {
        (alpha_in, alpha_out, exchange)
        for alpha_in, alpha_out in itertools.product((NONE, HALF, ALL), repeat=2)
        for exchange in EXCHANGES
        if (alpha_in, alpha_out) != (NONE, NONE)
        and of_layer(alpha_in, alpha_out, exchange, halves=halves)[1] == "max"
    }
    from_plain = {(NONE, out, exchange) for out in (HALF, ALL) for exchange in EXCHANGES}
    exchanged = {(HALF, HALF, "both"), (HALF, HALF, "h2l"), *((HALF, ALL, name) for name in EXCHANGES)}
    strided = set(itertools.product((HALF,), (NONE, HALF, ALL), EXCHANGES))
    strided |= set(itertools.product((ALL,), (HALF, ALL), EXCHANGES))
    assert used == from_plain | exchanged | (strided if halves else set())
