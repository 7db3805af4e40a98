"""A network's design space against counts by hand, and against what really converts."""

import csv
import itertools
import math
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path

import pytest
import timm
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

from octave.nets import Small
from octprobe.cost.design_group import DesignGroup, DesignSpace, written
from octprobe.cost.design_space import design_space
from octprobe.errors import ConversionError, UnrealisableAlphaError
from octprobe.networks import build_network
from octprobe.octave import octavize
from octprobe.octave.network import OctaveNetwork

GOLDEN = {
    row["network"]: int(row["macs"])
    for row in csv.DictReader((Path(__file__).parents[1] / "octave" / "golden_macs.csv").open())
    if Decimal(row["alpha"]) == 0
}
BLOCKS = {1: 3, 2: 4, 3: 6}
IMAGE = torch.empty(1, 3, 32, 32, device="meta")


class Grouped(nn.Module):
    """Three channels a group in the middle, which no decimal number of thirds divides evenly."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, 2, 1)
        self.expand = nn.Conv2d(8, 12, 1)
        self.grouped = nn.Conv2d(12, 12, 3, padding=1, groups=4)
        self.project = nn.Conv2d(12, 8, 1)
        self.down = nn.Conv2d(8, 16, 3, 2, 1)
        self.fc = nn.Linear(16, 5)

    def forward(self, x: Tensor) -> Tensor:
        """Classify (B, 3, H, W) into five."""
        x = functional.relu(self.stem(x))
        x = x + self.project(functional.relu(self.grouped(functional.relu(self.expand(x)))))
        return self.fc(self.down(x).mean((2, 3)))


@cache
def grouped() -> tuple[nn.Module, tuple[Fraction, ...] | None]:
    """Give that network and the alphas that its first group allows."""
    model = Grouped()
    return model, by_first(design_space(model, 32))["expand"].allowed


def on_meta(name: str) -> nn.Module:
    """Build a network without values."""
    with torch.device("meta"):
        return build_network(name)


def space_of(name: str) -> DesignSpace:
    """Give a network's design space."""
    return design_space(on_meta(name))


def by_first(space: DesignSpace) -> dict[str, DesignGroup]:
    """Give the groups by the name of their first convolution."""
    return {group.convs[0]: group for group in space.groups}


def octave_convs(
    model: nn.Module, alphas: dict[str, Fraction], image: Tensor | None = None
) -> list[set[str]]:
    """Give the groups that an alpha map makes octave."""
    network = octavize(model, alphas, image)
    assert isinstance(network, OctaveNetwork)
    return [set(group.convs) for group in network.conversion.groups]


def rounds(groups: Sequence[DesignGroup]) -> list[list[DesignGroup]]:
    """Put groups into as few rounds as let each be in one without any given other: Sperner's families."""
    count = next(count for count in itertools.count(2) if math.comb(count, count // 2) >= len(groups))
    places = itertools.combinations(range(count), count // 2)
    placed = list(zip(groups, places, strict=False))
    return [[group for group, place in placed if number in place] for number in range(count)]


def test_the_groups_of_resnet50_are_those_of_its_definition() -> None:
    """A residual stream a stage, whose convolutions are added up, and two convolutions a block."""
    space = space_of("resnet50")
    expected = {("conv1",)}
    for stage, count in {**BLOCKS, 4: 3}.items():
        first, *others = (f"layer{stage}.{block}.conv3" for block in range(count))
        expected.add((first, f"layer{stage}.0.downsample.0", *others))
        expected |= {(f"layer{stage}.{block}.conv{i}",) for block in range(count) for i in (1, 2)}
    assert {group.convs for group in space.groups} == expected
    assert [group.number for group in space.groups] == list(range(1, 38))
    policy = {name for group in space.of_policy for name in group.convs}
    assert policy == {c for cs in expected for c in cs if c.startswith(("layer1.", "layer2.", "layer3."))}
    assert len(space.of_policy) == 3 + 2 * sum(BLOCKS.values()) == 29
    assert (space.family, space.size, space.no_policy) == ("ResNet", (224, 224), None)


def test_the_figures_of_a_group_are_those_of_its_convolutions() -> None:
    """MACs by the formula of a convolution, channels and sizes by the network's definition."""
    space = space_of("resnet50")
    stream, mid = by_first(space)["layer3.0.conv3"], by_first(space)["layer3.0.conv1"]
    assert stream.macs == 6 * 256 * 1024 * 14 * 14 + 512 * 1024 * 14 * 14
    assert (stream.channels, stream.sizes) == ((1024,) * 7, ((14, 14),))
    assert (mid.channels, mid.sizes, mid.macs) == ((256,), ((28, 28),), 512 * 256 * 28 * 28)
    assert (stream.smallest_alpha, stream.multiple_of, stream.allowed) == (Fraction(1, 1024), None, None)
    assert stream.patterns == ("layer3.*.conv3", "layer3.0.downsample.0")
    assert space.share([stream, mid]) == (stream.macs + mid.macs) / space.macs


@pytest.mark.parametrize(
    ("network", "elsewhere"),
    [
        ("resnet50", 2048 * 1000),
        # Its squeeze-excite layers, on globally pooled values, can never be octave.
        ("seresnet50", 2048 * 1000 + 2_514_944),
        ("mobilenetv2_100", 1280 * 1000),
        ("densenet121", 1024 * 1000),
    ],
)
def test_groups_and_what_is_always_plain_make_up_the_network(network: str, elsewhere: int) -> None:
    """No convolution is lost or counted twice, depthwise ones included."""
    space = space_of(network)
    assert space.macs == GOLDEN[network]
    assert space.macs - sum(group.macs for group in space.groups) == elsewhere
    assert space.share(space.groups) == pytest.approx(1 - elsewhere / space.macs, abs=1e-12)


def test_groups_of_a_convolution_say_what_alpha_must_be_a_multiple_of() -> None:
    """ResNeXt-50 has 4, 8 and 16 channels a group in the first three stages; its streams take any alpha."""
    groups = by_first(space_of("resnext50_32x4d"))
    for stage, width in ((1, 4), (2, 8), (3, 16), (4, 32)):
        mids = [g for name, g in groups.items() if name.startswith(f"layer{stage}.") and len(g.convs) == 1]
        assert {group.multiple_of for group in mids} == {Fraction(1, width)}
        listed = None if width == 32 else tuple(Fraction(k, width) for k in range(1, width + 1))
        assert {group.allowed for group in mids} == {listed}
        assert groups[f"layer{stage}.0.conv3"].multiple_of is None


def test_depthwise_convolutions_are_counted_with_the_group_that_they_follow() -> None:
    """MobileNetV2: the policy has the expanded channels of twelve blocks."""
    space = space_of("mobilenetv2_100")
    assert len(space.of_policy) == 12
    first = space.of_policy[0]
    assert (first.convs, first.followers) == (("blocks.1.0.conv_pw",), ("blocks.1.0.conv_dw",))
    assert first.macs == 16 * 96 * 112 * 112 + 96 * 9 * 56 * 56
    assert all(len(group.followers) == 1 for group in space.of_policy)


def test_the_size_of_the_input_is_the_networks_own_or_the_one_asked_for() -> None:
    """MACs of convolutions go with it."""
    model = on_meta("resnet18")
    at_64 = design_space(model, 64)
    assert (at_64.size, by_first(at_64)["conv1"].sizes) == ((64, 64), ((32, 32),))
    assert by_first(at_64)["conv1"].macs * 49 == by_first(design_space(model))["conv1"].macs * 4


def test_the_network_stays_as_it_is() -> None:
    """Neither its mode nor its weights change."""
    model = Small().train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    design_space(model, 32)
    assert model.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_what_an_alpha_map_names_along_is_told() -> None:
    """Under a uniform alpha a plain branch is split where it meets the group; an alpha map must say so."""
    model = on_meta("hrnet_w18_small")
    group = by_first(design_space(model, 64))["transition1.0.0"]
    assert group.named_with == ("stage4.0.fuse_layers.0.3.0",)
    assert not {"stage4.0.fuse_layers.0.3.0"} & set(group.convs)
    image = torch.empty(1, 3, 64, 64, device="meta")
    with pytest.raises(ConversionError, match=r"stage4\.0\.fuse_layers\.0\.3\.0 0"):
        octavize(model, dict.fromkeys(group.convs, Fraction(1, 2)), image)
    (octave,) = octave_convs(model, dict.fromkeys(group.patterns, Fraction(1, 2)), image)
    assert octave == {*group.convs, *group.named_with}


def test_a_shortcut_into_the_octave_part_needs_no_name() -> None:
    """It is split where it is added, by an alpha map too; the stem of ResNet-18 itself meets its stream."""
    groups = by_first(space_of("resnet18"))
    assert groups["layer1.0.conv2"].named_with == ()
    assert groups["conv1"].named_with == ("layer1.0.conv2", "layer1.1.conv2")


def test_the_patterns_of_each_group_make_that_group_octave_and_no_other() -> None:
    """As an alpha map, one group at a time."""
    model = Grouped()
    for group in design_space(model, 32).groups:
        convs = octave_convs(model, dict.fromkeys(group.patterns, Fraction(1)), IMAGE)
        assert convs == [{*group.convs, *group.named_with}]


@pytest.mark.slow
@pytest.mark.parametrize(
    "network", ["resnet18", "mobilenetv2_100", "hrnet_w18_small", "regnety_002", "vgg11"]
)
def test_the_patterns_of_each_group_of_real_networks_make_that_group_octave(network: str) -> None:
    """And no other, whichever are named with it; at the alpha nearest to a half that it allows."""
    model, image = on_meta(network), torch.empty(1, 3, 64, 64, device="meta")
    for named in rounds(design_space(model, 64).of_policy):
        alphas = {pattern: group.nearest(Fraction(1, 2)) for group in named for pattern in group.patterns}
        expected = [{*group.convs, *group.named_with} for group in named]
        found = octave_convs(model, alphas, image)
        assert set().union(*found) == set().union(*expected)
        assert all(any(convs <= group for group in found) for convs in expected)


def test_every_alpha_that_is_listed_converts_as_a_fraction_and_as_it_is_written() -> None:
    """Thirds have no decimal; the one that is written makes as many channels low."""
    model = Grouped()
    (expand, grouped) = (by_first(design_space(model, 32))[name] for name in ("expand", "grouped"))
    for group in (expand, grouped):
        assert group.multiple_of == Fraction(1, 3)
        assert group.allowed == (Fraction(1, 3), Fraction(2, 3), Fraction(1))
        for alpha in group.allowed:
            for given_alpha in (alpha, written(alpha)):
                network = octavize(model, {group.convs[0]: given_alpha}, IMAGE)
                assert isinstance(network, OctaveNetwork)
                assert len(network.conversion.groups[0].split.low) == 12 * alpha


@settings(max_examples=40, deadline=None)
@given(st.fractions(min_value=Fraction(1, 12), max_value=1, max_denominator=48))
def test_an_alpha_that_does_not_divide_among_the_groups_is_refused(alpha: Fraction) -> None:
    """What converts has as many low channels as one that is listed; the refusal lists the same."""
    model, allowed = grouped()
    assert allowed is not None
    low = int(alpha * 12)
    if low % 4 == 0:
        assert Fraction(low, 12) in allowed
        assert octave_convs(model, {"expand": alpha}, IMAGE) == [{"expand"}]
    else:
        with pytest.raises(UnrealisableAlphaError) as refusal:
            octavize(model, {"expand": alpha}, IMAGE)
        assert refusal.value.allowed == (0, *allowed)


@pytest.mark.slow
def test_every_alpha_listed_for_resnext_converts() -> None:
    """4, 8 and 16 of them, one stage each; a sixteenth is refused in the first two."""
    with torch.device("meta"):
        model = timm.create_model("resnext50_32x4d", layers=(2, 2, 2, 1)).eval()
    image, groups = torch.empty(1, 3, 64, 64, device="meta"), by_first(design_space(model, 64))
    names = [f"layer{stage}.1.conv2" for stage in (1, 2, 3)]
    allowed = [groups[name].allowed or () for name in names]
    assert [len(alphas) for alphas in allowed] == [4, 8, 16]
    for place in range(16):
        alphas = {name: each[place % len(each)] for name, each in zip(names, allowed, strict=True)}
        assert octave_convs(model, alphas, image) == [{name} for name in names]
    for name in names[:2]:
        with pytest.raises(UnrealisableAlphaError):
            octavize(model, {name: Fraction(1, 16)}, image)


def test_the_example_is_an_alpha_map_of_two_groups() -> None:
    """A half for the one with most MACs a pattern, a quarter for the next, each as near as it allows."""
    space = space_of("resnext50_32x4d")
    stream3, stream2 = Fraction(1, 2), Fraction(1, 4)
    assert dict(space.example) == {
        "layer3.*.conv3": stream3,
        "layer3.0.downsample.0": stream3,
        "layer2.*.conv3": stream2,
        "layer2.0.downsample.0": stream2,
    }
    grouped = by_first(design_space(Grouped(), 32))["grouped"]
    halves = [grouped.nearest(Fraction(1, n)) for n in (1, 2, 4, 100)]
    assert halves == [Fraction(1), Fraction(2, 3), Fraction(1, 3), Fraction(1, 3)]


@pytest.mark.slow
@pytest.mark.parametrize(
    "network",
    [
        "resnet50",
        "mobilenetv2_100",
        "densenet121",
        "hrnet_w18_small",
        "inception_v3",
        "mobilenetv3_small_100",
    ],
)
def test_the_example_converts_and_runs(network: str) -> None:
    """As it is written, with real weights, on an image of another size."""
    space = space_of(network)
    octave = octavize(build_network(network), {p: written(alpha) for p, alpha in space.example})
    assert isinstance(octave, OctaveNetwork)
    assert len(octave.conversion.groups) == 2
    with torch.no_grad():
        assert octave(torch.randn(1, 3, 96, 96)).isfinite().all()


def test_a_network_that_the_policy_finds_nothing_in_has_groups_all_the_same() -> None:
    """The reason is told, and alpha maps still make them octave."""
    model = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    space = design_space(model, 32)
    assert space.of_policy == ()
    assert "finds no convolution" in (space.no_policy or "")
    assert [group.convs for group in space.groups] == [("0",)]
    assert octave_convs(model, dict(space.example), IMAGE) == [{"0"}]


def test_a_network_without_space_has_no_groups() -> None:
    """What is convolved to one position alone cannot be octave."""
    model = nn.Sequential(nn.Conv2d(3, 8, 4, 4), nn.Flatten())
    space = design_space(model, 4)
    assert (space.groups, space.example, space.macs) == ((), (), 8 * 3 * 16)
