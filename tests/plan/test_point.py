"""A design point and its identity."""

from decimal import Decimal

import pytest

from octprobe.plan.point import Conditions, DesignPoint, LayerSubject, NetworkSubject, exact_alpha


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


def network_point(alpha: str, **conditions: int | str) -> DesignPoint:
    """Make a point of resnet50."""
    subject = NetworkSubject(network="resnet50", alpha=Decimal(alpha))
    return DesignPoint(subject=subject, conditions=Conditions(**conditions))  # type: ignore[arg-type]  # one dict


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
