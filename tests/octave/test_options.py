"""What a conversion may vary beside alpha: paths, down-sampling, kernels, and where the network returns."""

import pytest
import torch
from torch import nn

from octave.nets import Small, constant_field_network, constant_image
from octprobe.errors import ConversionError
from octprobe.networks import build_network
from octprobe.octave import OctaveConv, OctaveConv2d, octavize
from octprobe.octave.layers import Split

X = torch.zeros(1, 3, 32, 32)


def octave_names(network: nn.Module) -> list[str]:
    """Name the convolutions whose output has low channels."""
    found = ((name, m) for name, m in network.named_modules() if isinstance(m, OctaveConv))
    return [name for name, conv in found if conv.low_out]


@pytest.mark.parametrize(
    ("exchange", "inside"),
    [
        ("both", {"h2h", "h2l", "l2h", "l2l"}),
        ("h2l", {"h2h", "h2l", "l2l"}),
        ("l2h", {"h2h", "l2h", "l2l"}),
        ("none", {"h2h", "l2l"}),
    ],
)
def test_exchange_drops_paths_amid_the_octave_part_and_keeps_its_borders(
    exchange: str, inside: set[str]
) -> None:
    """Where the octave world is entered or left it is the only way to the low channels, or from them."""
    network = octavize(Small(), 0.5, X, exchange=exchange)  # type: ignore[arg-type]  # parametrised
    convs = {name: m for name, m in network.named_modules() if isinstance(m, OctaveConv2d)}
    amid = convs["block1.conv2"]
    assert {f"{s}2{t}" for s in "hl" for t in "hl" if amid.has_path(s, t)} == inside
    first, last = convs["block1.conv1"], convs["down"]
    assert (first.has_path("h", "h"), first.has_path("h", "l"), first.has_path("l", "l")) == (
        True,
        True,
        False,
    )
    assert (last.has_path("h", "h"), last.has_path("l", "h")) == (True, True)
    assert network.state_dict().keys() == Small().state_dict().keys()
    assert network(torch.randn(2, 3, 33, 32)).shape == (2, 5)


@pytest.mark.parametrize("downsample", ["average", "strided", "max"])
def test_every_down_sampling_keeps_what_is_constant_over_space(downsample: str) -> None:
    """In the convolutions and where a shortcut is split."""
    model = constant_field_network("resnet18")
    with torch.no_grad():
        for size in (64, 75):
            x = constant_image(size)
            network = octavize(model, 0.5, x, downsample=downsample)  # type: ignore[arg-type]  # parametrised
            torch.testing.assert_close(network(x), model(x), rtol=1e-9, atol=1e-9)
    splits = [module for module in network.modules() if isinstance(module, Split)]
    assert [split.downsample for split in splits] == [downsample]


def test_down_samplings_differ_where_the_image_varies() -> None:
    """Three networks of the same weights give three outputs."""
    torch.manual_seed(0)
    model, x = Small().eval(), torch.randn(1, 3, 32, 32)
    with torch.no_grad():
        outputs = [octavize(model, 0.5, x, downsample=d)(x) for d in ("average", "strided", "max")]  # type: ignore[arg-type]  # literals
    assert not any(torch.allclose(a, b) for a, b in zip(outputs, [*outputs[1:], outputs[0]], strict=True))


def test_spatial_kernels_alone_leave_the_outputs_of_1x1_convolutions_plain() -> None:
    """In a ResNet-50 the 3x3 convolutions of the three stages; the stream stays plain."""
    with torch.device("meta"):
        model = build_network("resnet50")
    names = octave_names(octavize(model, 0.5, octave_kernels="spatial"))
    blocks = [f"layer{stage}.{block}.conv2" for stage, n in ((1, 3), (2, 4), (3, 6)) for block in range(n)]
    assert names == blocks


@pytest.mark.parametrize(
    ("return_at", "first", "last", "count"),
    [
        ("policy", "layer1.0.conv1", "layer3.5.conv3", 42),
        ("layer4", "layer1.0.conv1", "layer3.5.conv3", 42),
        ("layer3", "layer1.0.conv1", "layer2.3.conv3", 23),
        ("layer2.1", "layer1.0.conv1", "layer2.0.downsample.0", 14),
        ("layer3.0.conv3", "layer1.0.conv1", "layer3.0.conv2", 25),
        ("end", "layer1.0.conv1", "layer4.2.conv3", 52),
    ],
)
def test_where_the_network_returns_to_alpha_0(return_at: str, first: str, last: str, count: int) -> None:
    """From the first convolution of the module on, in the order of the graph, everything is plain."""
    with torch.device("meta"):
        model = build_network("resnet50")
    names = octave_names(octavize(model, 0.5, return_at=return_at))
    assert (names[0], names[-1], len(names)) == (first, last, count)


def test_a_network_that_never_returns_is_octave_up_to_its_pooling() -> None:
    """Vanilla's output on what is constant over space."""
    model, x = constant_field_network("resnet18"), constant_image(64)
    with torch.no_grad():
        torch.testing.assert_close(
            octavize(model, 0.5, x, return_at="end")(x), model(x), rtol=1e-9, atol=1e-9
        )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"exchange": "all"}, "exchange is 'all'; it must be one of both, h2l, l2h, none"),
        ({"downsample": "mean"}, "downsample is 'mean'; it must be one of average, strided, max"),
        ({"octave_kernels": "3x3"}, "octave_kernels is '3x3'; it must be one of all, spatial"),
        (
            {"return_at": "layer9"},
            "'layer9', which covers no convolution of ResNet; .*did you mean",
        ),
        ({"return_at": "conv1"}, "policy finds no convolution"),
        ({"octave_kernels": "spatial", "return_at": "layer1"}, "policy finds no convolution"),
    ],
)
def test_an_option_that_is_none_is_refused_in_one_line(options: dict[str, str], message: str) -> None:
    """The place, the value and what it may be."""
    with torch.device("meta"):
        model = build_network("resnet18")
    with pytest.raises(ConversionError, match=message) as refusal:
        octavize(model, 0.5, **options)  # type: ignore[arg-type]  # wrong on purpose
    assert "\n" not in str(refusal.value)


def test_a_layer_takes_the_same_words() -> None:
    """And says them where they are not the usual ones."""
    layer = OctaveConv2d(8, 8, 3, padding=1, alpha_in=0.5, alpha_out=0.5, exchange="none", downsample="max")
    assert "exchange='none', downsample='max'" in repr(layer)
    with pytest.raises(ConversionError, match="exchange is 'some'"):
        OctaveConv2d(8, 8, 1, alpha_in=0.5, alpha_out=0.5, exchange="some")  # type: ignore[arg-type]  # wrong on purpose
