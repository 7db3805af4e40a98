"""How low channels flow: random networks of all that moves channels must keep what is constant over space."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

from octprobe.errors import ConversionError, UnrealisableAlphaError
from octprobe.octave import octavize
from octprobe.octave.network import OctaveNetwork

# Even at half size too: what a pixel shuffle has put side by side is then averaged in whole windows.
SIZE = (8, 4)
MOST_CHANNELS = 24
Step = Callable[[nn.Module, list[Tensor]], list[Tensor]]


def picked(pieces: Sequence[Tensor], order: Sequence[int]) -> list[Tensor]:
    """Give pieces one by one; how many there are a trace does not know."""
    return [pieces[i] for i in order]


class Random(nn.Module):
    """A network of steps, each of which adds values to those that there are, and a head on the last ones."""

    def __init__(self) -> None:
        super().__init__()
        self.layers, self.steps, self.widths = nn.ModuleDict(), [], [3]

    def forward(self, x: Tensor) -> Tensor:
        """Give (B, 2, H, W)."""
        values = [x]
        for step in self.steps:
            values += step(self, values)
        return self.layers["head"](torch.cat(values[-3:], 1))


class Builder:
    """Draws the steps of a random network; a step that does not fit adds nothing."""

    def __init__(self, data: st.DataObject) -> None:
        self.data, self.network = data, Random()

    def draw(self, *choices: Any) -> Any:
        """Draw one of some things."""
        return self.data.draw(st.sampled_from(choices))

    def source(self) -> tuple[int, int]:
        """Choose a value: its place and its width; a late one more often than an early one."""
        place = max(self.draw(*range(len(self.network.widths))) for _ in range(2))
        return place, self.network.widths[place]

    def divisor(self, *of: int) -> int:
        """Draw a number that divides some."""
        return self.draw(*(n for n in (1, 2, 3, 4) if all(width % n == 0 for width in of)))

    def add(self, step: Step, *widths: int) -> None:
        """Add a step that gives values of some widths."""
        self.network.steps.append(step)
        self.network.widths += widths

    def layer(self, module: nn.Module, place: int, width: int) -> None:
        """Add a module that is called on one value."""
        name = f"layer{len(self.network.layers)}"
        self.network.layers[name] = module
        self.add(lambda network, values: [network.layers[name](values[place])], width)

    def conv(self) -> None:
        """A convolution, in groups or not, with its border's own values around."""
        place, width = self.source()
        out = self.draw(4, 8, 12)
        groups, kernel = self.divisor(width, out), self.draw(1, 3)
        conv = nn.Conv2d(width, out, kernel, padding=kernel // 2, groups=groups, padding_mode="replicate")
        self.layer(conv, place, out)

    def depthwise(self) -> None:
        """One output a channel, or two."""
        place, width = self.source()
        out = width * self.draw(1, 2)
        if width > 1 and out <= MOST_CHANNELS:
            conv = nn.Conv2d(width, out, 3, padding=1, groups=width, padding_mode="replicate")
            self.layer(conv, place, out)

    def activation(self) -> None:
        """What has numbers for every channel."""
        place, width = self.source()
        self.layer(self.draw(nn.PReLU(width), nn.BatchNorm2d(width)), place, width)

    def shuffle(self) -> None:
        """Groups dealt out."""
        place, width = self.source()
        self.layer(nn.ChannelShuffle(self.divisor(width)), place, width)

    def concatenate(self) -> None:
        """Two values side by side."""
        (a, left), (b, right) = self.source(), self.source()
        if left + right <= MOST_CHANNELS:
            self.add(lambda _, values: [torch.cat([values[a], values[b]], 1)], left + right)

    def divide(self) -> None:
        """Two or three equal pieces, in the opposite order."""
        place, width = self.source()
        parts = self.divisor(width)
        order = range(parts - 1, -1, -1)
        self.add(lambda _, values: picked(values[place].chunk(parts, 1), order), *(width // parts,) * parts)

    def split(self) -> None:
        """Two unlike pieces."""
        place, width = self.source()
        if width > 1:
            first = self.draw(*range(1, width))
            widths = [first, width - first]
            self.add(lambda _, values: picked(torch.split(values[place], widths, dim=1), (0, 1)), *widths)

    def range(self) -> None:
        """A range of the channels."""
        place, width = self.source()
        start = self.draw(*range(width))
        stop = self.draw(*range(start + 1, width + 1))
        self.add(lambda _, values: [values[place][:, start:stop]], stop - start)

    def fold(self) -> None:
        """Four neighbours folded into space, and averaged there."""
        place, width = self.source()
        if width % 4 == 0:
            self.add(
                lambda _, values: [functional.avg_pool2d(functional.pixel_shuffle(values[place], 2), 2)],
                width // 4,
            )

    def meet(self) -> None:
        """Two values of one width, added or multiplied."""
        a, width = self.source()
        b = self.draw(*(i for i, w in enumerate(self.network.widths) if w == width))
        if self.draw(True, False):
            self.add(lambda _, values: [values[a] + values[b]], width)
        else:
            self.add(lambda _, values: [values[a] * torch.sigmoid(values[b])], width)

    def gate(self) -> None:
        """A value scaled by its own means."""
        place, width = self.source()
        self.add(lambda _, values: [values[place] * values[place].mean((2, 3), keepdim=True)], width)

    def built(self, most: int) -> Random:
        """Draw the steps, and give the network in float64."""
        names = (
            "conv", "conv", "conv", "depthwise", "activation", "shuffle", "concatenate", "divide", "split",
            "range", "fold", "meet", "meet", "gate",
        )  # fmt: skip
        self.conv()
        for name in self.data.draw(st.lists(st.sampled_from(names), max_size=most)):
            getattr(self, name)()
        self.network.layers["head"] = nn.Conv2d(sum(self.network.widths[-3:]), 2, 1)
        return self.network.double().eval()


def with_numbers_of_their_own(network: nn.Module) -> nn.Module:
    """Give every channel of a norm and of a PReLU a number of its own."""
    torch.manual_seed(0)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d | nn.PReLU):
            for tensor in (*module.parameters(), *module.buffers()):
                if tensor.is_floating_point():
                    nn.init.uniform_(tensor, 0.5, 1.5)
    return network


# What may be said of a network that is not converted, `merge` asked: nothing of these is a matter of flow.
REASONS = (
    "makes no convolution octave",
    "are one alpha group and need one alpha",
    "makes no channel low in any convolution",
    "policy finds no convolution",
)


def alphas_for(data: st.DataObject, network: Random) -> Any:
    """Draw one alpha for all, for what the policy chooses, or for some of the convolutions."""
    alpha = data.draw(st.sampled_from(("1/4", "1/3", "1/2", "3/4", "1")))
    way = data.draw(st.sampled_from(("all", "policy", "some")))
    if way == "policy":
        return alpha
    convs = [name for name, m in network.layers.items() if isinstance(m, nn.Conv2d) and name != "head"]
    plain = data.draw(st.sets(st.sampled_from(convs))) if way == "some" else set()
    return {f"layers.{name}": 0 if name in plain else alpha for name in convs}


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_random_network_keeps_what_is_constant_over_space(data: st.DataObject) -> None:
    """Whatever is converted equals vanilla; what cannot be split goes on plain, and no flow is refused."""
    model = with_numbers_of_their_own(Builder(data).built(12))
    alpha = alphas_for(data, model)
    try:
        network = octavize(model, alpha, torch.zeros(1, 3, *SIZE), on_unknown="merge")
    except UnrealisableAlphaError as refusal:
        assert 0 in refusal.allowed
        asked = set(alpha.values()) if isinstance(alpha, dict) else {alpha}
        assert not all(Fraction(share) in refusal.allowed for share in asked)
        return
    except ConversionError as refusal:
        assert any(reason in str(refusal) for reason in REASONS), str(refusal)
        return
    x = torch.randn(2, 3, 1, 1, dtype=torch.float64).expand(2, 3, *SIZE).contiguous()
    with torch.no_grad():
        got, expected = network(x), model(x)
    assert float((got - expected).abs().max()) <= 1e-9 * float(expected.abs().max())


class Between(nn.Module):
    """Two convolutions of eight and four channels, and what is done with their outputs."""

    def __init__(self, function: Callable[[nn.Module, Tensor, Tensor], Tensor], layer: nn.Module) -> None:
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 8, 1), nn.Conv2d(3, 4, 1)
        self.function, self.layer = function, layer

    def forward(self, x: Tensor) -> Tensor:
        """Give the mean over space of what the function makes."""
        return self.function(self.layer, self.a(x), self.b(x)).mean((2, 3))


FLOWS: list[tuple[str, Callable[..., Tensor], nn.Module, dict[str, tuple[int, ...]]]] = [
    ("a concatenation", lambda _, a, b: torch.cat([a, b, a], 1), nn.Identity(),
     {"a": (4, 5, 6, 7), "b": (2, 3), "cat": (4, 5, 6, 7, 10, 11, 16, 17, 18, 19)}),
    ("groups", lambda layer, a, _: layer(a), nn.Conv2d(8, 4, 1, groups=2),
     {"a": (2, 3, 6, 7), "layer": (1, 3)}),
    ("groups of two values", lambda layer, a, b: layer(torch.cat([a, b], 1)), nn.Conv2d(12, 6, 1, groups=3),
     {"a": (2, 3, 6, 7), "b": (2, 3), "cat": (2, 3, 6, 7, 10, 11), "layer": (1, 3, 5)}),
    ("a depth multiplier", lambda layer, _, b: layer(b), nn.Conv2d(4, 12, 1, groups=4),
     {"b": (2, 3), "layer": (6, 7, 8, 9, 10, 11)}),
    ("a depth multiplier in two", lambda layer, _, b: layer(b).chunk(2, 1)[1], nn.Conv2d(4, 8, 1, groups=4),
     {"b": (1, 3), "layer": (2, 3, 6, 7), "getitem": (2, 3)}),
    ("what is plain", lambda layer, a, b: torch.cat([layer(b), a], 1)[:, 3:8], nn.AdaptiveAvgPool2d(SIZE),
     {"a": (2, 3, 6, 7), "cat": (6, 7, 10, 11), "getitem": (3, 4)}),
    ("a shuffle", lambda layer, a, _: layer(a), nn.ChannelShuffle(4),
     {"a": (1, 3, 5, 7), "layer": (4, 5, 6, 7)}),
    ("halves", lambda _, a, b: torch.cat([a.chunk(2, 1)[1], b], 1), nn.Identity(),
     {"a": (2, 3, 6, 7), "getitem": (2, 3), "cat": (2, 3, 6, 7)}),
    ("a half that is added", lambda _, a, b: a.chunk(2, 1)[0] + b, nn.Identity(),
     {"a": (2, 3, 6, 7), "b": (2, 3), "add": (2, 3)}),
    ("unlike pieces", lambda _, a, b: torch.split(a, [2, 6], 1)[1], nn.Identity(),
     {"a": (1, 5, 6, 7), "getitem": (3, 4, 5)}),
    ("a range", lambda _, a, b: a[:, 2:6] * b, nn.Identity(),
     {"a": (1, 4, 5, 7), "getitem": (2, 3), "mul": (2, 3)}),
    ("a pixel shuffle", lambda layer, a, _: layer(a), nn.PixelShuffle(2),
     {"a": (4, 5, 6, 7), "layer": (1,)}),
    ("a sum over two widths", lambda _, a, b: a + torch.cat([b, b], 1), nn.Identity(),
     {"a": (2, 3, 6, 7), "b": (2, 3), "cat": (2, 3, 6, 7), "add": (2, 3, 6, 7)}),
    ("a gate", lambda _, a, b: b * torch.sigmoid(b.mean((2, 3), keepdim=True)), nn.Identity(),
     {"b": (2, 3), "mul": (2, 3)}),
]  # fmt: skip


@pytest.mark.parametrize(("function", "layer", "expected"), [f[1:] for f in FLOWS], ids=[f[0] for f in FLOWS])
def test_which_channels_are_low_after_an_operator(
    function: Callable[..., Tensor], layer: nn.Module, expected: dict[str, tuple[int, ...]]
) -> None:
    """At one half, worked out by hand; and vanilla's output on what is constant over space."""
    torch.manual_seed(0)
    model = Between(function, layer).double().eval()
    asked = {"a": 0.5, "b": 0.5} | (
        {"layer": 0.5} if isinstance(layer, nn.Conv2d) and layer.groups < 4 else {}
    )
    network = octavize(model, asked, torch.zeros(1, 3, *SIZE))
    assert isinstance(network, OctaveNetwork)
    splits = network.conversion.splits
    assert {name: splits[name].low for name in expected} == expected
    x = torch.randn(2, 3, 1, 1, dtype=torch.float64).expand(2, 3, *SIZE).contiguous()
    with torch.no_grad():
        torch.testing.assert_close(network(x), model(x), rtol=1e-10, atol=1e-10)
