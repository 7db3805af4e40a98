"""Batch norm of a pair against the statistics of each channel."""

import pytest
import torch
from torch import nn

from octprobe.octave.norm import OctaveBatchNorm
from octprobe.octave.split import ChannelSplit, split_channels

SPLITS = [split_channels(8, 0.25), split_channels(8, 0.5, 4), split_channels(8, 1), ChannelSplit(8, (0, 3))]


def norm_and_pair(
    split: ChannelSplit, **settings: float | bool | None
) -> tuple[OctaveBatchNorm, nn.BatchNorm2d, tuple]:
    """Give an octave norm, its vanilla twin with random statistics, and a pair."""
    torch.manual_seed(0)
    twin = nn.BatchNorm2d(split.channels, dtype=torch.float64, **settings)
    for tensor in (twin.weight, twin.bias, twin.running_mean, twin.running_var):
        if tensor is not None:
            torch.nn.init.uniform_(tensor, 0.5, 1.5)
    octave_norm = OctaveBatchNorm.from_norm(twin, split)
    pair = (
        torch.randn(3, len(split.high), 6, 5, dtype=torch.float64),
        torch.randn(3, len(split.low), 3, 3, dtype=torch.float64),
    )
    return octave_norm, twin, pair


@pytest.mark.parametrize("split", SPLITS)
def test_eval_uses_each_channels_own_statistics(split: ChannelSplit) -> None:
    """Each channel is scaled by its own four numbers, packed or sliced."""
    norm, twin, pair = norm_and_pair(split)
    norm.eval()
    for grad in (True, False):
        with torch.set_grad_enabled(grad):
            got = norm(pair)
        for part, x, channels in zip(got, pair, (split.high, split.low), strict=True):
            for position, c in enumerate(channels):
                scale = twin.weight[c] / torch.sqrt(twin.running_var[c] + twin.eps)
                expected = (x[:, position] - twin.running_mean[c]) * scale + twin.bias[c]
                torch.testing.assert_close(part[:, position], expected)


@pytest.mark.parametrize("momentum", [0.1, 0.7, None])
@pytest.mark.parametrize("split", SPLITS)
def test_training_updates_running_statistics_by_channel(split: ChannelSplit, momentum: float | None) -> None:
    """After two batches every channel has the mean and variance of its own values, counted once a batch."""
    norm, _, pair = norm_and_pair(split, momentum=momentum)
    norm.train()
    mean, var = norm.running_mean.clone(), norm.running_var.clone()
    for batch in (1, 2):
        values = [part * batch + batch for part in pair]
        norm(tuple(values))
        factor = momentum if momentum is not None else 1 / batch
        for x, channels in zip(values, (split.high, split.low), strict=True):
            for position, c in enumerate(channels):
                mean[c] = (1 - factor) * mean[c] + factor * x[:, position].mean()
                var[c] = (1 - factor) * var[c] + factor * x[:, position].var(unbiased=True)
        assert int(norm.num_batches_tracked) == batch
        torch.testing.assert_close(norm.running_mean, mean)
        torch.testing.assert_close(norm.running_var, var)


@pytest.mark.parametrize("split", SPLITS)
def test_training_normalises_and_gives_gradients(split: ChannelSplit) -> None:
    """Batch statistics make mean 0 and variance 1, and every parameter gets a gradient."""
    norm, _, pair = norm_and_pair(split)
    norm.train()
    high, low = norm(pair)
    weight, bias = norm.weight[list(split.low)], norm.bias[list(split.low)]
    torch.testing.assert_close(low.mean((0, 2, 3)), bias)
    torch.testing.assert_close(low.std((0, 2, 3), correction=0), weight, rtol=1e-4, atol=1e-4)
    (high.pow(3).sum() + low.pow(3).sum()).backward()
    assert norm.weight.grad is not None
    assert bool((norm.weight.grad != 0).all())


def test_eval_after_training_sees_the_new_statistics() -> None:
    """Packed statistics are dropped when the mode changes."""
    norm, _, pair = norm_and_pair(SPLITS[0])
    with torch.no_grad():
        before = norm.eval()(pair)[0]
        norm.train()(pair)
        after = norm.eval()(pair)[0]
    assert not torch.allclose(before, after)


def test_norm_without_statistics_or_parameters() -> None:
    """Batch statistics serve in eval too, and nothing is tracked."""
    norm, _, pair = norm_and_pair(SPLITS[0], affine=False, track_running_stats=False)
    high, _ = norm.eval()(pair)
    torch.testing.assert_close(high.mean((0, 2, 3)), torch.zeros(6, dtype=torch.float64))


def test_norm_holds_the_same_objects_under_the_same_names() -> None:
    """Parameters and buffers are the vanilla norm's own."""
    norm, twin, _ = norm_and_pair(SPLITS[0])
    assert list(norm.state_dict()) == list(twin.state_dict())
    assert norm.weight is twin.weight
    assert norm.running_mean is twin.running_mean


@pytest.mark.parametrize("low", [(0, 3), (1,), (1, 2), (3,), (0, 2, 4)])
def test_a_training_step_through_channels_in_pieces(low: tuple[int, ...]) -> None:
    """Where one frequency is one range and the other several, all is as in the plain norm."""
    torch.manual_seed(0)
    plain, norm = nn.BatchNorm2d(5), nn.BatchNorm2d(5)
    split = ChannelSplit(5, low)
    octave = OctaveBatchNorm.from_norm(norm, split)
    x = torch.randn(4, 5, 6, 6, requires_grad=True)
    high, low_part = octave.train()((x[:, list(split.high)], x[:, list(low)]))
    expected = plain.train()(x)
    torch.testing.assert_close(high, expected[:, list(split.high)])
    torch.testing.assert_close(low_part, expected[:, list(low)])
    torch.testing.assert_close(norm.running_mean, plain.running_mean)
    torch.testing.assert_close(norm.running_var, plain.running_var)
    (high.square().sum() + low_part.square().sum()).backward()
    expected.square().sum().backward()
    torch.testing.assert_close(norm.weight.grad, plain.weight.grad)
