"""Whole networks made octave: counted, compared with vanilla, trained, copied."""

import copy
import csv
import gc
import pickle
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
import torch
from torch import fx, nn
from torch.nn.utils import prune
from torch.utils.flop_counter import FlopCounterMode

from components import need
from octave.nets import (
    Chain,
    Small,
    constant_field_network,
    constant_image,
    replicating,
    with_random_statistics,
)
from octprobe.errors import ConversionError, UnrealisableAlphaError
from octprobe.networks import build_network
from octprobe.octave import OctaveConv2d, octavize
from octprobe.octave.layers import EachPool
from octprobe.octave.network import OctaveNetwork
from octprobe.octave.norm import OctaveBatchNorm
from octprobe.octave.pack import hold_packs
from octprobe.octave.rules import pools
from octprobe.octave.split import ChannelSplit, split_channels

# The project's golden table: closed form by path = torch's FlopCounterMode / 2, and equal to the network
# definition of the authors of arXiv 1904.05049 where there is one. What has no MACs cannot be realised.
GOLDEN = Path(__file__).with_name("golden_macs.csv")
SHARED_GOLDEN = Path(__file__).parents[3] / "shared/facts/golden_macs.csv"
NETWORKS = ["resnet18", "resnet26", "resnet50", "torchvision:resnet50"]
ALPHAS = [0.125, 0.25, 0.5, 0.75]
RELATIVE = 1e-10
# An octave form of the small network is made of several hundred.
OBJECTS_OF_ONE_CONVERSION = 500


def golden_rows() -> list[dict[str, str]]:
    """Read the committed table."""
    with GOLDEN.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def macs_of(network: nn.Module, size: int = 224) -> int:
    """Count multiply-accumulates on meta tensors; torch counts two operations each, and norms none."""
    for name, module in list(network.named_modules()):
        if isinstance(module, nn.BatchNorm2d | OctaveBatchNorm):
            network.set_submodule(name, nn.Identity())
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.empty(1, 3, size, size, device="meta"))
    return counter.get_total_flops() // 2


@pytest.fixture(scope="module")
def resnet50() -> nn.Module:
    """A ResNet-50 in eval with random statistics."""
    torch.manual_seed(0)
    return with_random_statistics(build_network("resnet50"))


@pytest.fixture(scope="module")
def resnet18() -> nn.Module:
    """A ResNet-18 in eval with random statistics."""
    torch.manual_seed(0)
    return with_random_statistics(build_network("resnet18"))


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted({row["network"] for row in golden_rows()}))
def test_macs_and_parameters_are_the_golden_ones(name: str) -> None:
    """Exact integers at every alpha, and parameters that no alpha changes."""
    with torch.device("meta"):
        model = build_network(name)
    for row in golden_rows():
        if row["network"] != name:
            continue
        if not row["macs"]:
            with pytest.raises(UnrealisableAlphaError, match=r"layer1\.0\.conv1.*multiple of 1/4") as refusal:
                octavize(model, row["alpha"])
            assert refusal.value.allowed == tuple(Fraction(n, 4) for n in range(5))
            continue
        network = octavize(model, row["alpha"])
        assert sum(p.numel() for p in network.parameters()) == int(row["parameters"])
        assert macs_of(network) == int(row["macs"]), row


def test_torchvisions_resnet_counts_as_timms() -> None:
    """The policy finds the same layers under torchvision's names."""
    with torch.device("meta"):
        model = build_network("torchvision:resnet50")
    assert macs_of(octavize(model, 0.5)) == 2_367_143_936


def test_committed_table_is_the_shared_one() -> None:
    """The copy beside this test has the shared table's figures."""
    need("shared")
    with SHARED_GOLDEN.open(encoding="utf-8") as file:
        rows = [{key: row[key] for key in golden_rows()[0]} for row in csv.DictReader(file)]
    assert rows == golden_rows()


def test_fvcore_counts_the_golden_macs(resnet50: nn.Module) -> None:
    """The counts of fvcore for conv and linear, through torch.jit.trace, agree on ResNet-50 at one half."""
    from fvcore.nn import FlopCountAnalysis  # takes a second, and one test needs it

    counts = FlopCountAnalysis(octavize(resnet50, 0.5), torch.zeros(1, 3, 224, 224))
    counts.unsupported_ops_warnings(enabled=False)
    by_operator = counts.by_operator()
    assert by_operator["conv"] + by_operator["linear"] == 2_367_143_936


@pytest.mark.parametrize("alpha", [0, 0.0, "0", {"layer1": 0, "layer2.*": 0.0}])
def test_alpha_zero_is_the_network_itself(resnet18: nn.Module, alpha: object) -> None:
    """A copy, bit for bit, of the same class."""
    network = octavize(resnet18, alpha)  # type: ignore[arg-type]  # parametrised
    x = torch.randn(2, 3, 64, 64)
    assert type(network) is type(resnet18)
    assert network is not resnet18
    with torch.no_grad():
        assert torch.equal(network(x), resnet18(x))


@pytest.mark.parametrize("alpha", [*ALPHAS, 1])
def test_state_dicts_load_both_ways(resnet18: nn.Module, alpha: float) -> None:
    """Same keys in the same order, same shapes, same channel order, strict."""
    network, other = octavize(resnet18, alpha), build_network("resnet18")
    assert list(network.state_dict()) == list(resnet18.state_dict())
    assert [name for name, _ in network.named_parameters()] == [
        name for name, _ in resnet18.named_parameters()
    ]
    other.load_state_dict(network.state_dict(), strict=True)
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(other(x), resnet18(x))
        before = network(x)
        network.load_state_dict(build_network("resnet18").state_dict(), strict=True)
        assert not torch.allclose(network(x), before)
        network.load_state_dict(resnet18.state_dict(), strict=True)
        assert torch.equal(network(x), before)


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_constant_field_gives_vanillas_output_at_every_alpha(name: str) -> None:
    """Pooling, up-sampling and stride do nothing to what is constant over space, so octave equals vanilla."""
    model = constant_field_network(name)
    for size in (64, 75):
        x = constant_image(size)
        with torch.no_grad():
            expected = model(x)
            for alpha in ALPHAS:
                assert relative_error(octavize(model, alpha, x)(x), expected) < RELATIVE, (size, alpha)


@pytest.mark.parametrize(
    "name",
    [
        "seresnet50",
        "resnext50_32x4d",
        "densenet121",
        "mobilenetv1_100",
        "mobilenetv2_100",
        "mobilenetv3_small_050",
        "regnety_002",
    ],
)
def test_constant_field_through_gates_groups_and_concatenations(name: str) -> None:
    """Gathered gates, interleaved groups, joined and dealt-out channels all stay in their places."""
    model, x = constant_field_network(name), constant_image(64)
    with torch.no_grad():
        for alpha in (0.5, 0.75):
            network = octavize(model, alpha, x)
            assert relative_error(network(x), model(x)) < RELATIVE
            assert network.conversion.merged == ()  # type: ignore[union-attr]  # an octave network


@pytest.mark.parametrize(
    "alpha",
    [
        1,
        {"layer1": 0.5, "layer2.*": 0.25},
        {"layer?": 0.5},
        {"layer1.1": 0.5},
        {"layer2": 1, "layer3": 0.3},
        {"conv1": 0.5, "layer1": 0.5},
    ],
)
def test_constant_field_with_alpha_maps(alpha: object) -> None:
    """Borders between alphas, the last stage, the stem with its max-pool, and all channels low."""
    model = constant_field_network("resnet18")
    with torch.no_grad():
        for size in (64, 75):
            x = constant_image(size)
            network = octavize(model, alpha, x)  # type: ignore[arg-type]  # parametrised
            assert relative_error(network(x), model(x)) < RELATIVE


def relative_error(got: torch.Tensor, expected: torch.Tensor) -> float:
    """Give the largest deviation over the largest value."""
    return float((got - expected).abs().max() / expected.abs().max())


def _wrong_norm(network: nn.Module) -> None:
    norm = next(m for m in network.modules() if isinstance(m, OctaveBatchNorm))
    norm.split = ChannelSplit(norm.split.channels, tuple(range(len(norm.split.low))))


def _wrong_rows(network: nn.Module) -> None:
    conv = next(m for m in network.modules() if isinstance(m, OctaveConv2d))
    wrong = ChannelSplit(conv.out_channels, tuple(range(len(conv.low_out))))
    conv.paths = replace(conv.paths, split_out=wrong)


def _wrong_shortcut(network: nn.Module) -> None:
    shortcut = network.get_submodule("layer1.0.add_split")
    shortcut.split = ChannelSplit(64, tuple(range(32)))  # type: ignore[assignment]  # wrong on purpose


@pytest.mark.parametrize("breakage", [_wrong_norm, _wrong_rows, _wrong_shortcut])
def test_constant_field_sees_a_wrong_index_set(breakage: object) -> None:
    """The test above can fail: one wrong set of channels shows."""
    model, x = constant_field_network("resnet18"), constant_image(64)
    network = octavize(model, 0.5)
    breakage(network)  # type: ignore[operator]  # parametrised
    with torch.no_grad():
        assert relative_error(network(x), model(x)) > 1e-4


def test_policy_makes_the_papers_layers_octave(resnet50: nn.Module) -> None:
    """44 octave convolutions: all of the first three stages and the two that leave them."""
    network = octavize(resnet50, 0.25)
    octave = {name for name, module in network.named_modules() if isinstance(module, OctaveConv2d)}
    stages = {
        name for name, module in resnet50.named_modules()
        if isinstance(module, nn.Conv2d) and name.startswith(("layer1", "layer2", "layer3"))
    }  # fmt: skip
    assert octave == stages | {"layer4.0.conv1", "layer4.0.downsample.0"}
    assert len(octave) == 44


def test_nodes_keep_their_names(resnet18: nn.Module) -> None:
    """Every node of the vanilla graph is there under its name; the one new node splits the first shortcut."""
    vanilla = [node.name for node in fx.symbolic_trace(resnet18).graph.nodes]
    network = octavize(resnet18, 0.5)
    assert isinstance(network, OctaveNetwork)
    octave = [node.name for node in network.graph.nodes]
    assert [name for name in octave if name in vanilla] == vanilla
    assert set(octave) - set(vanilla) == {"add_split"}


def test_conversion_lists_the_alpha_groups(resnet50: nn.Module) -> None:
    """The shortcut of a stage is one group; each inner convolution of a block is its own."""
    network = octavize(resnet50, {"layer1": 0.5, "layer2": 0.25})
    assert isinstance(network, OctaveNetwork)
    groups = {group.convs: group for group in network.conversion.groups}
    stream = ("layer1.0.conv3", "layer1.0.downsample.0", "layer1.1.conv3", "layer1.2.conv3")
    assert groups[stream].split == split_channels(256, 0.5)
    assert groups["layer2.0.conv1",].alpha == pytest.approx(0.25)
    assert network.conversion.merged == ()


def test_batch_and_resolution_may_change_after_conversion(resnet18: nn.Module) -> None:
    """Sizes are read from tensors: a conversion at one size serves all."""
    small = octavize(resnet18, 0.5, torch.zeros(1, 3, 64, 64))
    usual = octavize(resnet18, 0.5)
    with torch.no_grad():
        for shape in ((3, 3, 96, 96), (1, 3, 61, 83), (2, 3, 33, 64)):
            x = torch.randn(shape)
            assert torch.equal(small(x), usual(x))


def test_training_step_reaches_every_parameter_and_updates_statistics(resnet50: nn.Module) -> None:
    """Gradients are finite and nowhere missing, statistics move in every channel, and eval sees the step."""
    torch.manual_seed(0)
    network = octavize(resnet50, 0.5).train()
    before = {name: buffer.clone() for name, buffer in network.named_buffers()}
    x = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        first = network.eval()(x)
    network.train()(x).square().mean().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert bool(parameter.grad.isfinite().all()), name
        rows = parameter.grad.flatten(1).abs().sum(1) if parameter.dim() > 1 else parameter.grad
        assert bool((rows != 0).any()), name
    for name, buffer in network.named_buffers():
        if "running" in name:
            assert bool((buffer != before[name]).all()), name
        else:
            assert int(buffer) == int(before[name]) + 1
    torch.optim.SGD(network.parameters(), lr=0.01).step()
    with torch.no_grad():
        assert not torch.allclose(network.eval()(x), first)
    sliced = network(x).detach()
    with torch.no_grad():
        torch.testing.assert_close(network(x), sliced, rtol=1e-4, atol=1e-4)


def test_modes_act_as_on_the_vanilla_network() -> None:
    """A functional dropout, which tracing would fix in one mode, follows train() and eval()."""
    torch.manual_seed(0)
    network = octavize(build_small(), 0.5, torch.zeros(1, 3, 16, 16))
    x = torch.randn(2, 3, 16, 16)
    with torch.no_grad():
        assert torch.equal(network(x), network(x))
        network.train()
        assert not torch.allclose(network(x), network(x))
        assert torch.equal(network.eval()(x), network(x))
    assert all(not module.training for module in network.modules())


def test_conversion_keeps_the_mode_of_the_model() -> None:
    """A network converted in training mode is in training mode."""
    network = octavize(build_small().train(), 0.5, torch.zeros(1, 3, 16, 16))
    assert all(module.training for module in network.modules())


def test_head_dropout_and_drop_path_of_timm_are_kept() -> None:
    """The head's dropout and stochastic depth act in training only."""
    import timm  # takes seconds

    torch.manual_seed(0)
    model = timm.create_model("resnet18", drop_rate=0.5, drop_path_rate=0.5).eval()
    network, x = octavize(model, 0.5), torch.randn(8, 3, 32, 32)
    with torch.no_grad():
        assert torch.equal(network(x), octavize(build_with("resnet18", model), 0.5)(x))
        network.train()
        for module in network.modules():
            if isinstance(module, OctaveBatchNorm | nn.BatchNorm2d):
                module.eval()
        assert not torch.allclose(network(x), network(x))


def build_with(name: str, source: nn.Module) -> nn.Module:
    """Build a network with another's weights."""
    model = build_network(name)
    model.load_state_dict(source.state_dict())
    return model


def build_small() -> Small:
    """A small network in eval with random statistics."""
    torch.manual_seed(0)
    model = Small().eval()
    with_random_statistics(model)
    return model


def test_shared_parameters_are_the_same_objects(resnet18: nn.Module) -> None:
    """Several alphas train one set of weights; running statistics stay each network's own."""
    networks = [octavize(resnet18, alpha, share_parameters=True) for alpha in (0, 0.25, 0.5)]
    for network in networks:
        for (name, mine), (other, theirs) in zip(
            network.named_parameters(), resnet18.named_parameters(), strict=True
        ):
            assert name == other
            assert mine is theirs
        ours = dict(network.named_buffers())
        assert not any(buffer is ours[name] for name, buffer in resnet18.named_buffers())
    apart = octavize(resnet18, 0.25)
    assert not {id(p) for p in apart.parameters()} & {id(p) for p in resnet18.parameters()}


def test_the_given_network_stays_as_it_is(resnet18: nn.Module) -> None:
    """Conversion works on a copy."""
    classes = [type(module) for module in resnet18.modules()]
    octavize(resnet18, 0.5)
    octavize(resnet18, 0.5, share_parameters=True)
    assert [type(module) for module in resnet18.modules()] == classes


def test_copies_and_pickles_compute_the_same(resnet18: nn.Module) -> None:
    """A deep copy and a pickle have the same keys and outputs, and parameters of their own."""
    network, x = octavize(resnet18, 0.5), torch.randn(1, 3, 40, 40)
    with torch.no_grad():
        expected = network(x)
        for other in (copy.deepcopy(network), pickle.loads(pickle.dumps(network))):  # noqa: S301  # our own bytes
            assert isinstance(other, OctaveNetwork)
            assert torch.equal(other(x), expected)
            assert list(other.state_dict()) == list(network.state_dict())
            assert other.conversion == network.conversion
            other.get_parameter("conv1.weight").zero_()
        assert torch.equal(network(x), expected)


def test_network_runs_in_inference_mode_and_other_formats(resnet18: nn.Module) -> None:
    """inference_mode, channels_last and bfloat16 give what they should."""
    network, x = octavize(resnet18, 0.5), torch.randn(2, 3, 64, 64)
    with torch.inference_mode():
        expected = network(x)
        network.to(memory_format=torch.channels_last)
        got = network(x.to(memory_format=torch.channels_last))
        torch.testing.assert_close(got, expected, rtol=1e-3, atol=1e-3)
        assert network.bfloat16()(x.bfloat16()).dtype == torch.bfloat16


@pytest.mark.slow
def test_network_compiles_whole() -> None:
    """torch.compile takes the network as one graph, with and without held packs, in eval and in training."""
    network, x = octavize(build_small(), 0.5, torch.zeros(1, 3, 16, 16)), torch.randn(2, 3, 16, 16)
    compiled = torch.compile(network, backend="aot_eager", fullgraph=True)
    with torch.no_grad():
        torch.testing.assert_close(compiled(x), network(x))
        hold_packs(network)
        torch.testing.assert_close(compiled(x), network(x))
    network.train()
    compiled(x).sum().backward()
    assert all(p.grad is not None for p in network.parameters())


def test_on_unknown_errors_or_merges() -> None:
    """What no rule covers is named, or made plain and reported; the outcome is right either way."""
    torch.manual_seed(0)
    model = replicating(Chain(nn.PixelUnshuffle(1))).double().eval()
    with pytest.raises(
        ConversionError, match=r"node between: operator torch\.nn\.modules\.pixelshuffle.*octave/rules"
    ):
        octavize(model, {"middle": 0.5}, torch.zeros(1, 3, 8, 8))
    network = octavize(model, {"middle": 0.5}, torch.zeros(1, 3, 8, 8), on_unknown="merge")
    assert isinstance(network, OctaveNetwork)
    assert len(network.conversion.merged) == 1
    assert "node between" in network.conversion.merged[0]
    _assert_constant_field(model, network)
    with pytest.raises(ConversionError, match="on_unknown is 'ignore'"):
        octavize(model, 0.5, on_unknown="ignore")  # type: ignore[arg-type]  # wrong on purpose


def _assert_constant_field(model: nn.Module, network: nn.Module) -> None:
    x = constant_image(9)
    with torch.no_grad():
        assert relative_error(network(x), model(x)) < RELATIVE


@pytest.mark.parametrize(
    "middle",
    [nn.Conv2d(8, 8, 3), nn.Conv2d(8, 8, 3, 3, 1), nn.Conv2d(8, 8, 2, 2)],
    ids=["valid", "stride3", "even"],
)
def test_what_is_not_octave_able_stays_plain(middle: nn.Conv2d) -> None:
    """Its input leaves the octave world, and its output is plain."""
    torch.manual_seed(0)
    model = Chain(nn.Identity(), middle).double().eval()
    network = octavize(model, {"first": 0.5}, torch.zeros(1, 3, 12, 12))
    assert type(network.get_submodule("middle")) is nn.Conv2d
    assert isinstance(network.get_submodule("first"), OctaveConv2d)
    x = torch.randn(1, 3, 12, 12, dtype=torch.float64)
    assert network(x).shape == model(x).shape


def test_output_is_plain_even_where_the_last_layer_is_octave() -> None:
    """A pair never leaves the network."""
    model = Chain(nn.ReLU()).eval()
    network = octavize(model, {"last": 0.5}, torch.zeros(1, 3, 9, 9))
    assert network(torch.randn(1, 3, 9, 9)).shape == (1, 4, 9, 9)


@pytest.mark.parametrize(
    "example",
    [
        torch.zeros(3, 16, 16),
        (torch.zeros(1, 3, 16, 16),),
        [1, 3, 16, 16],
        torch.zeros(1, 4),
        torch.zeros(0, 3, 16, 16),
    ],
)
def test_an_example_that_is_no_batch_of_images_is_refused(example: object) -> None:
    """At the door, whatever the network."""
    with pytest.raises(
        ConversionError, match=r"^example_input is a .*; it must be a tensor \(B, C, H, W\) without a 0$"
    ):
        octavize(Small(), 0.5, example)  # type: ignore[arg-type]  # wrong on purpose


def test_a_network_that_asserts_its_size_is_converted_at_that_size() -> None:
    """The odd size is left out; a wrong example is refused in one line."""

    class Asserting(Chain):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            torch._assert(x.shape[2] == 16, "made for 16")
            return super().forward(x)

    model = Asserting(nn.ReLU())
    network = octavize(model, {"middle": 0.5}, torch.zeros(1, 3, 16, 16))
    assert network(torch.zeros(1, 3, 16, 16)).shape == (1, 4, 16, 16)
    with pytest.raises(ConversionError, match=r"does not take an input of \(1, 3, 15, 16\): made for 16$"):
        octavize(model, {"middle": 0.5}, torch.zeros(1, 3, 15, 16))


def test_a_network_that_cannot_be_copied_is_refused_in_one_line() -> None:
    """A weight that is computed, as by the old weight norm, is no parameter to share."""
    model = Chain(nn.ReLU())
    prune.l1_unstructured(model.middle, "weight", 0.5)
    with pytest.raises(ConversionError, match=r"^Chain cannot be copied: [^\n]*pruning from it first$"):
        octavize(model, {"middle": 0.5}, torch.zeros(1, 3, 8, 8))


def test_a_fault_found_while_the_graph_runs_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pooling that keeps the low part from being half of the high one, were it not refused before."""
    monkeypatch.setattr(pools, "_each", lambda rewriter, node, *both: EachPool(*both))
    with pytest.raises(ConversionError, match=r"^node last: OctaveConv2d: high part is .* size / 2\)$"):
        octavize(Chain(nn.MaxPool2d(4, 1)), {"middle": 0.5}, torch.zeros(1, 3, 8, 8))


def test_a_network_whose_shapes_are_not_known_yet_is_refused() -> None:
    """A lazy convolution has no channels to split before it has run once."""
    with pytest.raises(ConversionError, match=r"Sequential: 0.weight has no shape yet; run the network once"):
        octavize(nn.Sequential(nn.LazyConv2d(8, 3, padding=1)), 0.5, torch.zeros(1, 3, 16, 16))


def test_a_uniform_alpha_that_some_groups_refuse_names_what_all_allow() -> None:
    """Groups of 6 and of 4 channels have halves in common."""
    body = nn.Sequential(
        nn.Conv2d(3, 12, 1),
        nn.Conv2d(12, 12, 3, padding=1, groups=2),
        nn.Conv2d(12, 8, 1),
        nn.Conv2d(8, 8, 3, padding=1, groups=2),
        nn.Conv2d(8, 4, 3, padding=1, stride=2),
    )
    with pytest.raises(
        UnrealisableAlphaError, match=r"all alpha groups together .* multiples of 1/2 only"
    ) as e:
        octavize(body, 0.25, torch.zeros(1, 3, 16, 16))
    assert e.value.allowed == (0, Fraction(1, 2), 1)


def test_a_shallow_copy_is_an_octave_network_of_the_same_layers(resnet18: nn.Module) -> None:
    """As of any module, and with what was converted."""
    network = octavize(resnet18, 0.5)
    other = copy.copy(network)
    assert isinstance(network, OctaveNetwork)
    assert isinstance(other, OctaveNetwork)
    assert other.conversion is network.conversion
    assert list(other.state_dict()) == list(network.state_dict())
    assert next(other.parameters()) is next(network.parameters())


def test_tensors_that_are_no_buffers_are_taken_along() -> None:
    """A plain attribute, a constant made in forward, and a norm called by keyword."""

    class Scaled(Chain):
        def __init__(self) -> None:
            super().__init__(nn.BatchNorm2d(8))
            self.scale = torch.rand(1, 8, 1, 1, dtype=torch.float64)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = self.first(x * torch.full((1, 3, 1, 1), 2.0, dtype=torch.float64)) * self.scale
            x = self.between(input=self.middle(input=x))
            return self.last(x * torch.full((1, 8, 1, 1), 0.5, dtype=torch.float64))

    torch.manual_seed(0)
    model = replicating(Scaled()).double().eval()
    network = octavize(model, {"first": 0.5, "middle": 0.25}, torch.zeros(1, 3, 8, 8))
    assert list(network.state_dict()) == list(model.state_dict())
    _assert_constant_field(model, network)


def test_an_octave_network_is_not_converted_again(resnet18: nn.Module) -> None:
    """The alphas of a network are chosen once, from its vanilla form."""
    with pytest.raises(ConversionError, match="is octave already"):
        octavize(octavize(resnet18, 0.5), 0.25)


def test_a_network_that_cannot_be_traced_is_refused_in_one_line() -> None:
    """Control flow on values is torch.fx's limit, and the message says so."""

    class Branching(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.conv(x) if x.sum() > 0 else x

    with pytest.raises(ConversionError, match=r"^Branching cannot be traced by torch\.fx: [^\n]*$"):
        octavize(Branching(), 0.5)


def test_a_wrong_example_is_refused_in_one_line(resnet18: nn.Module) -> None:
    """The message gives the shape and torch's reason."""
    with pytest.raises(ConversionError, match=r"does not take an input of \(1, 5, 32, 32\): [^\n]*$"):
        octavize(resnet18, 0.5, torch.zeros(1, 5, 32, 32))


def test_a_network_is_converted_in_inference_mode(resnet18: nn.Module) -> None:
    """Whoever serves a network may convert it there; the result is the same."""
    x = torch.randn(1, 3, 33, 33)
    with torch.inference_mode():
        inside = octavize(resnet18, 0.5, x)(x)
    with torch.no_grad():
        assert torch.equal(inside, octavize(resnet18, 0.5, x)(x))


class Hoarder(nn.ReLU):
    """Has no room for a copy of itself, or for what its forward makes."""

    def __init__(self, *, when: str) -> None:
        super().__init__()
        self.when = when

    def __deepcopy__(self, memo: dict[int, object]) -> nn.Module:
        if self.when == "copied":
            raise MemoryError
        return Hoarder(when=self.when)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.when == "traced":
            raise torch.OutOfMemoryError("CUDA out of memory")
        return super().forward(x)


@pytest.mark.parametrize(("when", "kind"), [("copied", MemoryError), ("traced", torch.OutOfMemoryError)])
def test_a_want_of_memory_is_no_fault_of_the_network(when: str, kind: type[Exception]) -> None:
    """Another try may have the room, so it passes as it was raised."""
    with pytest.raises(kind):
        octavize(Chain(Hoarder(when=when)), {"middle": 0.5}, torch.zeros(1, 3, 8, 8))


@pytest.mark.slow
def test_two_hundred_conversions_leave_nothing_behind() -> None:
    """No object of the second hundred is alive after it, as none of the first is."""
    model = Small()
    alive = []
    for _ in range(2):
        for _ in range(100):
            octavize(model, 0.5, torch.zeros(1, 3, 32, 32))
        gc.collect()
        alive.append(len(gc.get_objects()))
    assert alive[1] - alive[0] < OBJECTS_OF_ONE_CONVERSION
