"""Alpha maps and the policy: which convolutions get which alpha."""

from fractions import Fraction

import pytest
import timm
import torch
from torch import nn

from octave.nets import Small
from octprobe.errors import ConversionError
from octprobe.networks import build_network
from octprobe.octave import OctaveConv2d, octavize
from octprobe.octave.alpha_map import alphas_of_map, covers
from octprobe.octave.convert import alpha_groups
from octprobe.octave.fault import is_depthwise

CONVS = ["conv1", "layer1.0.conv1", "layer1.0.conv2", "layer10.0.conv1", "layer2.0.conv1", "layer2.1.conv1"]


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("layer1", "layer1.0.conv1", True),
        ("layer1", "layer10.0.conv1", False),
        ("layer1.*", "layer1.0.conv1", True),
        ("layer?", "layer2.1.conv1", True),
        ("*.conv2", "layer1.0.conv2", True),
        ("conv2", "layer1.0.conv2", False),
        ("LAYER1", "layer1.0.conv1", False),
    ],
)
def test_a_pattern_covers_a_name_or_what_lies_within(pattern: str, name: str, expected: bool) -> None:
    """Whole module names, case and all; a bare name covers its children."""
    assert covers(pattern, name) is expected


def test_the_last_match_wins() -> None:
    """Later patterns override, and what none matches is left out."""
    got = alphas_of_map({"layer*": 0.5, "layer2": "0.25", "layer2.1.*": 0}, CONVS)
    half, quarter = Fraction(1, 2), Fraction(1, 4)
    assert got == {
        "layer1.0.conv1": half,
        "layer1.0.conv2": half,
        "layer10.0.conv1": half,
        "layer2.0.conv1": quarter,
        "layer2.1.conv1": 0,
    }


def test_a_pattern_that_matches_nothing_is_refused_with_the_nearest_name() -> None:
    """A misspelt stage is named with what was meant, at alpha 0 too."""
    with pytest.raises(ConversionError, match=r"'laier2' matches no convolution; did you mean 'layer2'\?"):
        alphas_of_map({"layer1": 0.5, "laier2": 0.25}, CONVS)
    with pytest.raises(ConversionError, match=r"'fc' matches no convolution"):
        octavize(Small(), {"fc": 0})


def test_a_pattern_that_names_something_else_says_what_it_is() -> None:
    """A batch norm follows its convolution and has no alpha of its own."""
    with pytest.raises(ConversionError, match=r"'block1\.norm1' matches no convolution; it is a BatchNorm2d"):
        octavize(Small(), {"block1.norm1": 0.5})


def test_a_pattern_that_is_no_string_is_refused() -> None:
    """A number names no module."""
    with pytest.raises(ConversionError, match="alpha map: 1 is no pattern; it must be a string"):
        octavize(Small(), {1: 0.5})  # type: ignore[dict-item]  # wrong on purpose


def test_an_alpha_outside_its_range_names_its_pattern() -> None:
    """The place, the value and the rule."""
    with pytest.raises(ConversionError, match=r"alpha map: 'layer1': alpha is 1\.5; .*\[0, 1\]"):
        alphas_of_map({"layer1": 1.5}, CONVS)


def test_members_of_one_group_that_differ_are_listed() -> None:
    """All convolutions that are added into one stream need one alpha."""
    model = build_network("resnet50")
    with pytest.raises(ConversionError) as caught:
        octavize(model, {"layer1": 0.5, "layer1.1.conv3": 0.25})
    message = str(caught.value)
    assert "layer1.0.conv3 0.5, layer1.0.downsample.0 0.5, layer1.1.conv3 0.25, layer1.2.conv3 0.5" in message
    with pytest.raises(ConversionError, match=r"layer1\.0\.conv3 0\.5, layer1\.0\.downsample\.0 0, "):
        octavize(model, {"layer1.0.conv3": 0.5})


def test_any_other_network_is_octave_from_after_the_stem_to_before_the_last_down_sampling() -> None:
    """Both blocks, and the border out of them; stem and head are plain."""
    network = octavize(Small(), 0.5, torch.zeros(1, 3, 32, 32))
    octave = {name for name, module in network.named_modules() if isinstance(module, OctaveConv2d)}
    assert octave == {"block1.conv1", "block1.conv2", "block2.conv1", "block2.conv2", "down"}


PAPERS_CHOICE = {
    "densenet121": (
        "features.denseblock1.denselayer1.conv1",
        "features.denseblock3.denselayer24.conv2",
        2 * (6 + 12 + 24) + 2,
    ),
    "mobilenetv1_100": ("blocks.0.0.conv_pw", "blocks.3.4.conv_pw", 10),
    "mobilenetv2_100": ("blocks.1.0.conv_pw", "blocks.4.2.conv_pw", 12),
    "mobilenetv3_large_100": ("blocks.1.0.conv_pw", "blocks.4.1.conv_pw", 11),
    "efficientnet_b0": ("blocks.1.0.conv_pw", "blocks.4.2.conv_pw", 10),
    "mixnet_s": ("blocks.1.0.conv_pw.0", "blocks.4.2.conv_pw.1", 20),
    "torchvision:mobilenet_v2": ("features.2.conv.0.0", "features.13.conv.0.0", 12),
    "torchvision:efficientnet_b0": ("features.2.0.block.0.0", "features.5.2.block.0.0", 10),
    "regnety_002": ("s1.b1.conv1.conv", "s3.b4.conv3.conv", 21),
    "vgg11_bn": ("features.4", "features.22", 6),
    "resnext50_32x4d": ("layer1.0.conv1", "layer3.5.conv3", 42),
    "torchvision:densenet121": (
        "features.denseblock1.denselayer1.conv1",
        "features.denseblock3.denselayer24.conv2",
        86,
    ),
}


@pytest.mark.parametrize("name", PAPERS_CHOICE)
def test_each_family_has_the_papers_layers(name: str) -> None:
    """The first and the last dense convolution with an octave output, and how many there are."""
    with torch.device("meta"):
        model = build_network(name)
    network = octavize(model, 0.5)
    chosen = [
        name
        for name, module in network.named_modules()
        if isinstance(module, OctaveConv2d) and module.low_out and not is_depthwise(module)
    ]
    assert (chosen[0], chosen[-1], len(chosen)) == PAPERS_CHOICE[name]


@pytest.mark.parametrize("name", ["torchvision:vgg11", "torchvision:mnasnet0_5"])
def test_the_general_policy_converts_other_networks(name: str) -> None:
    """A chain and a network of depthwise convolutions keep their shapes."""
    with torch.device("meta"):
        model = build_network(name)
    network = octavize(model, 0.5)
    assert any(isinstance(module, OctaveConv2d) for module in network.modules())
    assert network(torch.empty(1, 3, 96, 96, device="meta")).shape == (1, 1000)


def test_a_network_without_a_place_for_octave_is_refused() -> None:
    """One convolution is all stem; a network without any has nothing to convert."""
    with pytest.raises(ConversionError, match=r"policy finds no convolution .* alpha map"):
        octavize(nn.Sequential(nn.Conv2d(3, 4, 3, padding=1)), 0.5)
    with pytest.raises(ConversionError, match="has no convolution"):
        octavize(nn.Sequential(nn.Linear(3, 4)), 0.5)


@pytest.mark.parametrize("size", [8, 32])
def test_an_inverted_network_is_converted_at_sizes_that_leave_its_last_blocks_one_pixel(size: int) -> None:
    """As on small images of other data sets."""
    with torch.device("meta"):
        model = build_network("mobilenetv2_050")
    network = octavize(model, 0.5, torch.empty(1, 3, size, size, device="meta"))
    assert any(isinstance(module, OctaveConv2d) for module in network.modules())


@pytest.mark.parametrize("name", ["mobilenetv1_100", "darknet53", "mobilenetv3_small_100"])
def test_the_layers_chosen_do_not_hang_on_the_resolution(name: str) -> None:
    """At 32 pixels the last stages have a single position, and are still the last ones."""
    model = timm.create_model(name)
    found = {
        size: alpha_groups(model, 0.5, torch.zeros(1, 3, size, size)).groups.groups() for size in (32, 224)
    }
    chosen = {size: [g.convs for g in groups if not g.split.is_plain] for size, groups in found.items()}
    assert chosen[32] == chosen[224] != []
