"""A design point and its identity."""

from decimal import Decimal

import pytest

from octprobe.plan.point import (
    RULES_VERSION,
    Conditions,
    DesignPoint,
    LayerSubject,
    NetworkSubject,
    exact_alpha,
)
from octprobe.plan.variant import NO_VARIANT, Variant


@pytest.mark.parametrize(
    ("value", "exact"),
    [
        (0, "0"),
        (-0.0, "0"),
        (0.125, "0.125"),
        ("0.50", "0.5"),
        (1, "1"),
        (Decimal("1.000"), "1"),
        (0.1, "0.1"),
    ],
)
def test_alpha_is_the_decimal_that_was_written(value: float | str | Decimal, exact: str) -> None:
    """No binary fraction and no trailing zero gets into an identity."""
    assert str(exact_alpha(value)) == exact


@pytest.mark.parametrize("value", [1.25, -0.1, float("nan"), float("inf"), "half", "1e9999999"])
def test_alpha_outside_the_unit_interval(value: float | str) -> None:
    """What is no share is a ValueError."""
    with pytest.raises(ValueError, match="alpha must"):
        exact_alpha(value)


STAGES = (("layer1", Decimal("0.5")), ("layer2.*", Decimal("0.25")))
USUAL = Variant()


def network_point(alpha: str, variant: Variant = USUAL, **conditions: int | str) -> DesignPoint:
    """Make a point of resnet50."""
    subject = NetworkSubject(network="resnet50", alpha=Decimal(alpha))
    return DesignPoint(subject=subject, conditions=Conditions(**conditions), variant=variant)  # type: ignore[arg-type]  # one dict


def mapped_point(variant: Variant = USUAL) -> DesignPoint:
    """Make a point of resnet50 with an alpha map."""
    return DesignPoint(subject=NetworkSubject(network="resnet50", alpha=STAGES), variant=variant)


def layer_point(alpha_in: str, alpha_out: str, variant: Variant = USUAL, **shape: int | str) -> DesignPoint:
    """Make a point of a convolution of 128 channels on 28 pixels."""
    subject = LayerSubject(
        in_channels=128,
        out_channels=128,
        alpha_in=Decimal(alpha_in),
        alpha_out=Decimal(alpha_out),
        **({"padding": "same"} | shape),  # type: ignore[arg-type]  # fields of one dict
    )
    conditions = Conditions(resolution=28, memory_format="channels_last")
    return DesignPoint(subject=subject, conditions=conditions, variant=variant)


@pytest.mark.parametrize(
    ("point", "point_id"),
    [
        (network_point("0", batch=8, memory_format="channels_last"), "52b795f736fea06e"),
        (network_point("0.5", batch=8, memory_format="channels_last"), "04b14fd76a3e769b"),
        (network_point("0.75", mode="train", dtype="tf32", threads=1), "e1fc9f9576b2ccd3"),
        (mapped_point(), "39830a9d3cd9175f"),
        (layer_point("0", "0.5"), "b003c1d387e809cf"),
        (layer_point("0.5", "0.25"), "0e915e2376302429"),
        (layer_point("0.5", "0.25", kernel_size=1), "75d0e362a91b9ae4"),
    ],
    ids=lambda value: value.label() if isinstance(value, DesignPoint) else value,
)
def test_an_identity_is_for_ever(point: DesignPoint, point_id: str) -> None:
    """What stores hold already stays the same work, whatever axes are added."""
    assert point.point_id == point_id


def test_other_conversion_rules_make_other_octave_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Vanilla stays what it is, and so do groups; a single layer has the rules of the protocol."""

    def ids() -> list[str]:
        points = (network_point("0.5"), mapped_point(), network_point("0"), layer_point("0.5", "0.5"))
        return [*(point.point_id for point in points), network_point("0.5").group_id]

    before = ids()
    monkeypatch.setattr("octprobe.plan.point.RULES_VERSION", RULES_VERSION + 1)
    assert [old == new for old, new in zip(before, ids(), strict=True)] == [False, False, True, True, True]


VARIANTS = [
    Variant(exchange="h2l"),
    Variant(exchange="none"),
    Variant(downsample="strided"),
    Variant(downsample="max"),
    Variant(octave_kernels="spatial"),
    Variant(return_at="end"),
    Variant(return_at="layer3"),
]


def test_variants_are_work_of_their_own_in_one_group() -> None:
    """Each has its own identity, and all are compared with one anchor."""
    points = [network_point("0.5", variant) for variant in (USUAL, *VARIANTS)]
    assert len({point.point_id for point in points}) == len(points)
    assert {point.group_id for point in points} == {network_point("0").point_id}
    assert {point.anchor() for point in points} == {network_point("0")}


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: str(vars(variant)))
def test_alpha_zero_has_no_variant(variant: Variant) -> None:
    """Where nothing is octave, no form of it has effect."""
    assert network_point("0", variant) == network_point("0")
    assert layer_point("0", "0", variant).variant == network_point("0", variant).variant == NO_VARIANT


def test_an_alpha_map_says_itself_which_layers_are_octave() -> None:
    """So what the policy may leave out or add has no effect; the form of each layer has."""
    extent = Variant(octave_kernels="spatial", return_at="end")
    assert mapped_point(extent) == mapped_point()
    assert (mapped_point().variant.octave_kernels, mapped_point().variant.return_at) == (None, None)
    assert mapped_point(Variant(exchange="none")).point_id != mapped_point().point_id


def test_a_layer_has_the_axes_that_are_its_own() -> None:
    """No policy chooses among one; an exchange that it has no use for is the usual one."""
    asked = Variant(exchange="l2h", downsample="max", octave_kernels="spatial", return_at="end")
    assert layer_point("0.5", "0.5", asked).variant == Variant(
        exchange="l2h", octave_kernels=None, return_at=None
    )
    assert layer_point("0", "0.5", Variant(exchange="none")) == layer_point("0", "0.5")
    strided = layer_point("0.5", "0.5", asked, stride=2, padding=1)
    assert (strided.variant.exchange, strided.variant.downsample) == ("l2h", "max")


def test_a_label_names_what_is_unusual_of_a_variant() -> None:
    """Beside alpha, as both say which octave network it is."""
    assert network_point("0.5", Variant(exchange="none", return_at="end"), batch=8).label() == (
        "resnet50 alpha 0.5 exchange none return end, batch 8, 224 px, contiguous"
    )
    assert layer_point("0.5", "0.5", Variant(downsample="strided")).label() == (
        "conv 128->128 k3 s1 psame alpha 0.5->0.5 strided, batch 1, 28 px, channels_last"
    )
    assert network_point("0.5").label() == "resnet50 alpha 0.5, batch 1, 224 px, contiguous"


def test_points_that_differ_in_alpha_share_a_group() -> None:
    """The group is named after its anchor."""
    group = network_point("0").point_id
    assert {network_point(a).group_id for a in ("0", "0.25", "0.5")} == {group}
    assert network_point("0.5", batch=8).group_id != group


def test_alpha_zero_is_one_point_however_it_is_written() -> None:
    """A map of zeros converts nothing, so it is the anchor."""
    zeros = NetworkSubject(network="resnet50", alpha=(("layer1", Decimal(0)), ("layer2", Decimal(0))))
    assert DesignPoint(subject=zeros) == network_point("0")
    assert network_point("0").variant.kernel is None
    assert network_point("0.5").variant.kernel == "four"


def test_order_of_an_alpha_map_matters() -> None:
    """The last match wins, so the order is part of the identity."""
    pairs = (("layer1", Decimal("0.5")), ("layer*", Decimal("0.25")))
    one = DesignPoint(subject=NetworkSubject(network="resnet50", alpha=pairs))
    other = DesignPoint(subject=NetworkSubject(network="resnet50", alpha=pairs[::-1]))
    assert one.point_id != other.point_id
    assert one.group_id == other.group_id == network_point("0").point_id


def test_layer_sides_are_told_apart() -> None:
    """A layer that is low at its input is another layer than one that is low at its output."""
    sides = {"alpha_in": Decimal("0.5"), "alpha_out": Decimal(0)}
    fields = {
        "in_channels": 64,
        "out_channels": 64,
        "kernel_size": 3,
        "stride": 1,
        "padding": 1,
        "dilation": 1,
        "groups": 1,
    }
    one = DesignPoint(subject=LayerSubject(**fields, **sides))  # type: ignore[arg-type]  # fields of one dict
    swapped = {"alpha_in": sides["alpha_out"], "alpha_out": sides["alpha_in"]}
    other = DesignPoint(subject=LayerSubject(**fields, **swapped))  # type: ignore[arg-type]  # fields of one dict
    assert one.point_id != other.point_id
    assert one.group_id == other.group_id
    assert one.axes()["alpha_in"] == 0.5
