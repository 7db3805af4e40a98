"""PReLU of a pair: every channel keeps its own slope."""

import pytest
import torch
from torch import Tensor, nn

from octprobe.octave.prelu import OctavePReLU
from octprobe.octave.split import ChannelSplit, split_channels

SPLITS = [split_channels(6, 0.5), split_channels(6, 0.5, 3), split_channels(6, 1), ChannelSplit(6, (0, 3, 4))]


def prelu_of(parameters: int) -> nn.PReLU:
    """Give a PReLU whose slopes are all different."""
    prelu = nn.PReLU(parameters, dtype=torch.float64)
    with torch.no_grad():
        prelu.weight.copy_(torch.arange(1, parameters + 1) / 10)
    return prelu


def pair_of(split: ChannelSplit, *size: int) -> tuple[Tensor, Tensor]:
    """Give a random pair, most of it below zero."""
    torch.manual_seed(0)
    halves = (len(split.high), size), (len(split.low), tuple((side + 1) // 2 for side in size))
    high, low = (torch.randn(2, channels, *of_part, dtype=torch.float64) - 1 for channels, of_part in halves)
    return high, low


@pytest.mark.parametrize("parameters", [1, 6])
@pytest.mark.parametrize("split", SPLITS, ids=str)
def test_each_channel_has_its_own_slope(split: ChannelSplit, parameters: int) -> None:
    """Number by number: x above zero, its slope times x below."""
    prelu = prelu_of(parameters)
    pair = pair_of(split, 5, 4)
    got = OctavePReLU.from_prelu(prelu, split)(pair)
    for part, x, channels in zip(got, pair, (split.high, split.low), strict=True):
        assert part.shape == x.shape
        for position, c in enumerate(channels):
            slope = (c + 1) / 10 if parameters > 1 else 0.1
            values = x[:, position]
            torch.testing.assert_close(part[:, position], torch.where(values > 0, values, slope * values))


@pytest.mark.parametrize("parameters", [1, 6])
@pytest.mark.parametrize("split", SPLITS, ids=str)
def test_gradients_go_to_the_one_parameter(split: ChannelSplit, parameters: int) -> None:
    """The slope's gradient is the sum of its channel's values below zero, of whichever frequency it is."""
    prelu = prelu_of(parameters)
    layer, (high, low) = OctavePReLU.from_prelu(prelu, split), pair_of(split, 4, 4)
    assert layer.weight is prelu.weight
    assert list(layer.state_dict()) == ["weight"]
    sum(part.sum() for part in layer((high, low))).backward()
    expected = torch.zeros(6, dtype=torch.float64)
    for x, channels in ((high, split.high), (low, split.low)):
        for position, c in enumerate(channels):
            expected[c] = x[:, position].clamp(max=0).sum()
    assert prelu.weight.grad is not None
    torch.testing.assert_close(prelu.weight.grad, expected if parameters > 1 else expected.sum().reshape(1))


def test_a_plain_value_is_as_ever_and_a_part_without_channels_stays() -> None:
    """One PReLU may serve both; where all is low the empty high part still tells the size."""
    prelu, x = prelu_of(6), pair_of(ChannelSplit(6), 5, 4)[0]
    layer = OctavePReLU.from_prelu(prelu, split_channels(6, 1))
    assert torch.equal(layer(x), prelu(x))
    high, low = layer((x[:, :0], x))
    assert high.shape == (2, 0, 5, 4)
    assert torch.equal(low, prelu(x))


def test_values_of_one_and_of_three_axes() -> None:
    """The channels are axis 1 whatever comes after."""
    prelu, split = prelu_of(6), split_channels(6, 0.5)
    layer = OctavePReLU.from_prelu(prelu, split)
    for size in ((8,), (3, 4, 6)):
        x = torch.randn(2, 6, *size, dtype=torch.float64)
        high, low = layer((x[:, :3], x[:, 3:]))
        assert torch.equal(torch.cat([high, low], 1), prelu(x))
