"""The names of other makers turned into the network's own."""

import pytest
import timm

from octprobe.weights.names import in_names_of

PLAIN = ["conv.weight", "bn.bias"]


@pytest.mark.parametrize(
    "prefix",
    ["", "module.", "_orig_mod.", "model.", "module._orig_mod.", "_orig_mod.module.", "model.module."],
)
def test_prefixes_of_wrappers_come_off(prefix: str) -> None:
    """In either order; the tensors stay with their names."""
    state = {f"{prefix}{name}": number for number, name in enumerate(PLAIN)}
    assert in_names_of(PLAIN, state) == {"conv.weight": 0, "bn.bias": 1}


def test_a_prefix_of_some_names_stays() -> None:
    """It is a part of the network then, which does not fit, and is named so."""
    state = {"module.conv.weight": 0, "bn.bias": 1}
    assert in_names_of(PLAIN, state) == state


def test_a_network_may_have_a_part_called_module() -> None:
    """Its names are its own, and one wrapping too many is taken off no more; so with `model`."""
    for part in ("module", "model"):
        network = [f"{part}.{name}" for name in PLAIN]
        assert in_names_of(network, dict.fromkeys(network)) == dict.fromkeys(network)


def test_nothing_is_renamed_to_nothing() -> None:
    """An empty checkpoint ends, too."""
    assert in_names_of(PLAIN, {}) == {}


# Three blocks' names as efficientnet_pytorch writes them, beside timm's.
BY_HAND = {
    "_conv_stem.weight": "conv_stem.weight",
    "_bn0.running_mean": "bn1.running_mean",
    "_blocks.0._depthwise_conv.weight": "blocks.0.0.conv_dw.weight",
    "_blocks.0._bn1.bias": "blocks.0.0.bn1.bias",
    "_blocks.0._se_reduce.bias": "blocks.0.0.se.conv_reduce.bias",
    "_blocks.0._project_conv.weight": "blocks.0.0.conv_pw.weight",
    "_blocks.0._bn2.weight": "blocks.0.0.bn2.weight",
    "_blocks.1._expand_conv.weight": "blocks.1.0.conv_pw.weight",
    "_blocks.1._bn0.weight": "blocks.1.0.bn1.weight",
    "_blocks.2._expand_conv.weight": "blocks.1.1.conv_pw.weight",
    "_blocks.2._depthwise_conv.weight": "blocks.1.1.conv_dw.weight",
    "_blocks.2._bn1.num_batches_tracked": "blocks.1.1.bn2.num_batches_tracked",
    "_blocks.2._se_expand.weight": "blocks.1.1.se.conv_expand.weight",
    "_blocks.2._project_conv.weight": "blocks.1.1.conv_pwl.weight",
    "_blocks.2._bn2.running_var": "blocks.1.1.bn3.running_var",
    "_blocks.15._expand_conv.weight": "blocks.6.0.conv_pw.weight",
    "_blocks.15._bn2.running_var": "blocks.6.0.bn3.running_var",
    "_conv_head.weight": "conv_head.weight",
    "_bn1.weight": "bn2.weight",
    "_fc.bias": "classifier.bias",
}


def test_efficientnet_pytorch_gets_timms_names() -> None:
    """Counted through there, within a stage here; parts of a block are numbered by their place."""
    network = list(timm.create_model("tf_efficientnet_b0").state_dict())
    assert in_names_of(network, {name: name for name in BY_HAND}) == {
        new: old for old, new in BY_HAND.items()
    }
    wrapped = in_names_of(network, dict.fromkeys(f"module.{name}" for name in BY_HAND))
    assert set(wrapped) == set(BY_HAND.values()) <= set(network)


def test_what_timm_has_no_place_for_keeps_its_name() -> None:
    """So that it is named as the file has it; a network with such names of its own is left alone."""
    network = list(timm.create_model("tf_efficientnet_b0").state_dict())
    strange = dict.fromkeys(
        ["_blocks.16._bn1.bias", "_blocks.0._bn9.bias", "_blocks.x", "_swish.alpha", "epoch"]
    )
    assert in_names_of(network, strange) == strange
    assert in_names_of(list(BY_HAND), dict.fromkeys(BY_HAND)) == dict.fromkeys(BY_HAND)
