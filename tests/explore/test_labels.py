"""Names that a person reads."""

import pytest

from fakes_store import ENVIRONMENT, layer_point, measured, network_point, row
from octprobe.explore.groups import Group, gather, in_order
from octprobe.explore.labels import (
    alpha_label,
    environment_label,
    group_label,
    member_label,
    row_label,
    subject_label,
    varying_conditions,
)
from octprobe.plan.variant import Variant


@pytest.mark.parametrize(
    ("record", "label"),
    [
        ({"alpha": 0.125}, "0.125"),
        ({"alpha": 0.0}, "0"),
        ({"alpha_map": '{"layer1": 0.5, "layer2": 0.25}'}, "layer1:0.5/layer2:0.25"),
        ({"alpha_map": "[1]"}, "[1]"),
        ({"alpha_map": "{"}, "{"),
        ({"alpha_in": 0.5, "alpha_out": 0.5}, "0.5"),
        ({"alpha_in": 0.0, "alpha_out": 0.5}, "0->0.5"),
        ({}, "-"),
    ],
)
def test_alpha_label(record: dict[str, object], label: str) -> None:
    """Uniform, mapped, of a layer, damaged or absent."""
    assert alpha_label(record) == label


def test_members_name_an_unusual_variant_only() -> None:
    """Four convolutions are what everyone ships."""
    assert member_label({"alpha": 0.5, "kernel": "four", "point_id": "a", "group_id": "b"}) == "alpha 0.5"
    assert member_label({"alpha": 0.5, "kernel": "two", "point_id": "a", "group_id": "b"}) == "alpha 0.5 two"
    asked = Variant(exchange="none", downsample="strided", return_at="layer3")
    strange = vars(row(network_point("0.5", variant=asked), measured(1.0)))
    assert member_label(strange) == "alpha 0.5 exchange none strided return layer3"
    assert row_label(strange) == (
        "resnet50 alpha 0.5 exchange none strided return layer3, 224 px, batch 1, float32, infer, "
        "contiguous, eager"
    )


def test_subjects_are_networks_or_shapes() -> None:
    """Dilation and groups appear where they are not 1."""
    layer = vars(row(layer_point("0", "0.5", groups=2, stride=2), measured(1.0)))
    assert subject_label(layer) == "conv 64->64 k3 s2 p1 g2"
    assert subject_label(vars(row(network_point("0"), measured(1.0)))) == "resnet50"


def test_groups_are_told_apart_by_what_differs() -> None:
    """What all share is not repeated."""
    first = vars(row(network_point("0", batch=1, memory_format="channels_last"), measured(1.0)))
    second = vars(row(network_point("0", batch=8, memory_format="channels_last"), measured(1.0)))
    varying = varying_conditions([first, second])
    assert varying == ["batch"]
    assert [group_label(record, varying) for record in (first, second)] == [
        "resnet50, batch 1",
        "resnet50, batch 8",
    ]


def test_environments_have_a_model_and_a_version() -> None:
    """The id is added where names do not tell apart."""
    record = vars(row(network_point("0"), measured(1.0)))
    assert environment_label(record) == "Fake CPU 3000, torch 2.9.0"
    assert environment_label(record, with_id=True).endswith(f"env {ENVIRONMENT.env_id}")


def test_members_stand_in_the_order_of_alpha_and_groups_in_that_of_batch() -> None:
    """Rows come in the order they were measured in, which is random."""
    rows = [
        vars(row(network_point(a, batch=b), measured(1.0))) for a, b in (("0.5", 8), ("0", 8), ("0.25", 1))
    ]
    groups = gather(rows)
    assert [[member["alpha"] for member in group.members] for group in groups] == [[0.25], [0.0, 0.5]]
    assert groups[0].anchor is None
    assert groups[1].anchor is not None


def test_the_usual_variant_stands_first() -> None:
    """Then the others by name, axis by axis, whatever the alphabet says of the usual one."""
    variants = [Variant(return_at="end"), Variant(exchange="none"), Variant(), Variant(downsample="max")]
    rows = [vars(row(network_point("0.5", variant=variant), measured(1.0))) for variant in variants]
    rows += [vars(row(network_point("0.25", variant=Variant(exchange="h2l")), measured(1.0)))]
    (group,) = gather(rows)
    assert [member_label(member) for member in group.members] == [
        "alpha 0.25 exchange h2l",
        "alpha 0.5",
        "alpha 0.5 return end",
        "alpha 0.5 max",
        "alpha 0.5 exchange none",
    ]


def test_a_share_needs_both_figures() -> None:
    """No anchor, no figure, or an anchor of 0: no share."""
    anchor = {"point_id": "a", "group_id": "a", "macs": 0, "weights_bytes": 4}
    member = {"point_id": "b", "group_id": "a", "macs": 5, "weights_bytes": 2, "kernels": 1}
    group = Group((anchor, member))
    assert group.share_of_anchor(member, "weights_bytes") == 0.5
    assert group.share_of_anchor(member, "macs") is None
    assert group.share_of_anchor(member, "kernels") is None
    assert Group((member,)).share_of_anchor(member, "macs") is None


def test_absent_values_sort_last() -> None:
    """None is never compared with a number."""
    assert sorted([(None,), (2,), (1,)], key=in_order) == [(1,), (2,), (None,)]
