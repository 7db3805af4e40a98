"""Convolutions that standardise their weight, against octave convolutions of one standardised by hand."""

from typing import Any

import pytest
import torch
from timm.layers import ScaledStdConv2d, StdConv2d
from torch import Tensor, nn

from octave import reference
from octave.nets import Chain, constant_image, replicating
from octprobe.octave import OctaveConv2d, octavize
from octprobe.octave.network import OctaveNetwork
from octprobe.octave.split import ChannelSplit, split_channels
from octprobe.octave.standardised import OctaveStdConv2d

KINDS = (StdConv2d, ScaledStdConv2d)
SPLITS = [
    (split_channels(8, 0.25), split_channels(12, 0.5), 1),
    (split_channels(8, 0), split_channels(12, 0.25), 1),
    (split_channels(8, 0.5), split_channels(12, 0), 1),
    (split_channels(8, 1), split_channels(12, 0.75), 1),
    (split_channels(8, 0.5, 2), split_channels(12, 0.5, 2), 2),
    (ChannelSplit(8, (0, 1, 5)), ChannelSplit(12, (3,)), 1),
]


def conv_of(kind: type[Any], groups: int = 1, stride: int = 1) -> Any:
    """Give a convolution of timm's with random weight, bias and gain, in float64."""
    torch.manual_seed(0)
    conv = kind(8, 12, 3, stride, padding=1, groups=groups, bias=True).double()
    for parameter in conv.parameters():
        nn.init.normal_(parameter, 0.3, 1.0)
    return conv


def standardised(conv: Any, weight: Tensor) -> Tensor:
    """Give the weight with mean 0 and variance 1 over all that one output channel reads, times the gain.

    A scaled convolution's gain is divided by sqrt(N), for N the inputs of an output (arXiv 2101.08692).
    """
    mean = weight.mean((1, 2, 3), keepdim=True)
    var = (weight - mean).square().mean((1, 2, 3), keepdim=True)
    standard = (weight - mean) / torch.sqrt(var + conv.eps)
    return standard * conv.gain / weight[0].numel() ** 0.5 if hasattr(conv, "gain") else standard


def inputs_of(split: ChannelSplit) -> tuple[reference.Parts, Any]:
    """Give a random value as the reference has it and as the layer takes it."""
    parts = reference.halves(torch.randn(2, 8, 7, 6, dtype=torch.float64), list(split.low))
    return parts, reference.value_of(parts, (7, 6))


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize(("split_in", "split_out", "groups"), SPLITS)
@pytest.mark.parametrize("kind", KINDS)
def test_paths_are_slices_of_the_standardised_weight(
    kind: type[Any], split_in: ChannelSplit, split_out: ChannelSplit, groups: int, stride: int, training: bool
) -> None:
    """Standardised whole, then cut: a path alone has neither mean 0 nor variance 1."""
    conv = conv_of(kind, groups, stride)
    layer = OctaveStdConv2d.from_conv(conv, split_in, split_out).train(training)
    parts, value = inputs_of(split_in)
    expected = reference.octave_form(
        parts, reference.dense_weight(standardised(conv, conv.weight), groups), conv.bias, list(split_in.low),
        list(split_out.low), (7, 6), (stride, stride), (1, 1), [(1, 1), (1, 1)],
    )  # fmt: skip
    reference.assert_is(layer(value), expected)
    with torch.no_grad():
        reference.assert_is(layer(value), expected)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_reach_weight_gain_and_bias(kind: type[Any]) -> None:
    """They are those of the weight standardised by hand, in training and in eval."""
    conv, (split_in, split_out, _) = conv_of(kind), SPLITS[0]
    layer = OctaveStdConv2d.from_conv(conv, split_in, split_out)
    parts, value = inputs_of(split_in)
    for training in (True, False):
        high, low = layer.train(training)(value)
        names, parameters = zip(*layer.named_parameters(), strict=True)
        got = torch.autograd.grad(high.pow(3).sum() + low.pow(3).sum(), parameters)
        by_hand = reference.octave_form(
            parts, standardised(conv, conv.weight), conv.bias, list(split_in.low), list(split_out.low),
            (7, 6), (1, 1), (1, 1), [(1, 1), (1, 1)],
        )  # fmt: skip
        assert by_hand[0] is not None
        assert by_hand[1] is not None
        expected = torch.autograd.grad(by_hand[0].pow(3).sum() + by_hand[1].pow(3).sum(), parameters)
        for name, one, other in zip(names, got, expected, strict=True):
            assert bool((other != 0).any()), name
            torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", ["weight", "gain", "bias"])
def test_a_changed_parameter_is_seen_by_the_next_call(name: str) -> None:
    """In eval the weight is standardised once, until it or its gain changes."""
    conv, (split_in, split_out, _) = conv_of(ScaledStdConv2d), SPLITS[0]
    layer = OctaveStdConv2d.from_conv(conv, split_in, split_out).eval()
    _, value = inputs_of(split_in)
    with torch.no_grad():
        before = layer(value)[1]
        packed = layer._cache.packed
        assert torch.equal(layer(value)[1], before)
        assert layer._cache.packed is packed
        # Of one number: what is added to a whole row of the weight, its mean takes away again.
        getattr(layer, name)[8].view(-1)[0].add_(1)
        after = layer(value)[1]
    assert not torch.allclose(after, before)
    torch.testing.assert_close(after, layer(value)[1])


@pytest.mark.parametrize("kind", KINDS)
def test_layer_holds_the_same_objects_under_the_same_names(kind: type[Any]) -> None:
    """Weight, bias and gain are the plain convolution's own, in its order."""
    conv, (split_in, split_out, _) = conv_of(kind), SPLITS[0]
    layer = OctaveStdConv2d.from_conv(conv, split_in, split_out)
    assert list(layer.state_dict()) == list(conv.state_dict())
    assert [(n, id(p)) for n, p in layer.named_parameters()] == [
        (n, id(p)) for n, p in conv.named_parameters()
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_a_network_of_them_keeps_what_is_constant_over_space(kind: type[Any]) -> None:
    """The converted network has their octave form, vanilla's keys and vanilla's output.

    The kernel is 1x1: timm's convolutions know no padding but zeros.
    """
    torch.manual_seed(0)
    model = Chain(nn.ReLU(), kind(8, 8, 1))
    replicating(model).double().eval()
    for alpha in (0.25, 0.5, 1):
        network = octavize(model, {"middle": alpha}, torch.zeros(1, 3, 16, 16))
        assert isinstance(network, OctaveNetwork)
        assert type(network.get_submodule("middle")) is OctaveStdConv2d
        assert type(network.get_submodule("last")) is OctaveConv2d
        assert list(network.state_dict()) == list(model.state_dict())
        for size in (16, 13):
            x = constant_image(size)
            with torch.no_grad():
                torch.testing.assert_close(network(x), model(x), rtol=1e-10, atol=1e-10)
