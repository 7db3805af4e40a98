"""An alpha without effect is told, with the reason."""

import pytest
import torch
from torch import Tensor, nn

from octprobe.errors import ConversionError
from octprobe.octave import OctaveConv2d, octavize

X = torch.zeros(1, 3, 16, 16)


class Standardised(nn.Conv2d):
    """Another computation than its parent class, for all that is known."""


class Mixed(nn.Module):
    """A convolution of each kind that cannot be octave, and one that can."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.body = nn.Conv2d(8, 8, 3, padding=1)
        self.pool, self.gate = nn.AdaptiveAvgPool2d(1), nn.Conv2d(8, 8, 1)
        self.subclass, self.valid = Standardised(8, 8, 1), nn.Conv2d(8, 8, 3)
        self.depthwise, self.unused = nn.Conv2d(8, 8, 3, padding=1, groups=8), nn.Conv2d(8, 8, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Call all but one."""
        y = self.body(self.stem(x))
        y = self.subclass(y * self.gate(self.pool(y)))
        return self.depthwise(self.valid(y))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("unused", "unused is called by no module"),
        ("subclass", "subclass is a Standardised, and a subclass of Conv2d may"),
        ("valid", r"valid has no octave form: padding is \(0, 0\)"),
        ("gate", "gate works on globally pooled values"),
        ("depthwise", "depthwise is depthwise and splits as its input, which is plain"),
    ],
)
def test_a_pattern_without_effect_is_refused_with_the_reason(name: str, reason: str) -> None:
    """Beside a pattern that has one, and with `merge` too."""
    for on_unknown in ("error", "merge"):
        with pytest.raises(ConversionError, match=rf"'{name}' makes no convolution octave: {reason}"):
            octavize(Mixed(), {"body": 0.5, name: 0.5}, X, on_unknown=on_unknown)  # type: ignore[arg-type]  # one of the two


def test_a_pattern_with_one_effect_among_others_will_do() -> None:
    """All convolutions at one half: those that cannot stay plain."""
    network = octavize(Mixed(), {"*": 0.5}, X, on_unknown="merge")
    octave = {name for name, module in network.named_modules() if isinstance(module, OctaveConv2d)}
    assert octave == {"stem", "body"}


def test_a_pattern_that_a_later_one_sets_to_zero_is_no_fault() -> None:
    """The last match wins; the map says so itself."""
    network = octavize(Mixed(), {"stem": 0.5, "gate": 0.5, "gat*": 0}, X, on_unknown="merge")
    assert isinstance(network.get_submodule("stem"), OctaveConv2d)


def test_an_alpha_too_small_for_any_channel_names_the_smallest_that_is_not() -> None:
    """By pattern and uniform; groups make the steps larger."""
    with pytest.raises(
        ConversionError, match=r"'body': alpha|alpha 1/100 .* body low; the smallest that does is 1/8"
    ):
        octavize(Mixed(), {"body": 0.01}, X)
    model = nn.Sequential(
        nn.Conv2d(3, 8, 1), nn.Conv2d(8, 8, 1), nn.Conv2d(8, 8, 1, groups=2), nn.Conv2d(8, 8, 3, 2, 1)
    )
    with pytest.raises(
        ConversionError, match=r"^alpha 1/10 makes no .*; the smallest alpha that does is 1/4$"
    ):
        octavize(model, 0.1, X)
