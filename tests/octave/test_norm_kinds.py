"""Batch norms of every make on a pair, channel by channel against the plain norm on each of its parts."""

import copy
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from timm.layers import BatchNormAct2d, FrozenBatchNormAct2d, convert_sync_batchnorm
from torch import Tensor, nn
from torchvision.ops import FrozenBatchNorm2d

from octave.nets import Chain, constant_image, replicating
from octprobe.errors import ConversionError
from octprobe.octave import octavize
from octprobe.octave.network import OctaveNetwork
from octprobe.octave.norm import OctaveBatchNorm
from octprobe.octave.split import ChannelSplit, split_channels

SPLITS = [split_channels(8, 0.25), split_channels(8, 0.5, 4), split_channels(8, 1), ChannelSplit(8, (0, 3))]
TRAINED: dict[str, Callable[[], nn.Module]] = {
    "plain": lambda: nn.BatchNorm2d(8),
    "no momentum": lambda: nn.BatchNorm2d(8, momentum=None),
    "no statistics": lambda: nn.BatchNorm2d(8, track_running_stats=False),
    "no parameters": lambda: nn.BatchNorm2d(8, affine=False, eps=1e-2),
    "nothing": lambda: nn.BatchNorm2d(8, affine=False, track_running_stats=False, momentum=None),
    "synchronised": lambda: nn.SyncBatchNorm(8),
    "activated": lambda: BatchNormAct2d(8),
    "leaky": lambda: BatchNormAct2d(8, act_layer=partial(nn.LeakyReLU, 0.3), momentum=None),
    "not activated": lambda: BatchNormAct2d(8, apply_act=False, eps=1e-2),
    "synchronised, activated": lambda: convert_sync_batchnorm(BatchNormAct2d(8, act_layer=nn.SiLU)),
}
FROZEN: dict[str, Callable[[], nn.Module]] = {
    "torchvision": lambda: FrozenBatchNorm2d(8, eps=1e-2),
    "timm": lambda: FrozenBatchNormAct2d(8, eps=1e-2),
}


def with_numbers(norm: nn.Module) -> nn.Module:
    """Give a norm in float64 each of whose channels has numbers of its own."""
    torch.manual_seed(0)
    for tensor in (*norm.parameters(), *norm.buffers()):
        if tensor.is_floating_point():
            nn.init.uniform_(tensor, 0.5, 1.5)
    return norm.double()


def values(factor: int) -> tuple[Tensor, Tensor]:
    """Give values of all channels at full and at half size."""
    torch.manual_seed(factor)
    return (
        torch.randn(3, 8, 6, 5, dtype=torch.float64) * factor + factor,
        torch.randn(3, 8, 3, 3, dtype=torch.float64) * factor - factor,
    )


def assert_channels_of(split: ChannelSplit, got: Any, high: Tensor, low: Tensor) -> None:
    """Hold what an octave norm gives or keeps to that of two plain norms, on the axis of channels."""
    torch.testing.assert_close(got[0], high[:, list(split.high)])
    torch.testing.assert_close(got[1], low[:, list(split.low)])


def assert_follows(norm: nn.Module, split: ChannelSplit) -> OctaveBatchNorm:
    """Train two batches, then evaluate: outputs, statistics and count are the plain norm's by channel."""
    of_high, of_low = copy.deepcopy(norm), copy.deepcopy(norm)
    octave = OctaveBatchNorm.from_norm(norm, split)
    for factor, training in ((1, True), (2, True), (3, False)):
        full, half = values(factor)
        got = octave.train(training)((full[:, list(split.high)], half[:, list(split.low)]))
        expected = of_high.train(training)(full), of_low.train(training)(half)
        assert_channels_of(split, got, *expected)
        for name, buffer in octave.named_buffers():
            high, low = (dict(twin.named_buffers())[name] for twin in (of_high, of_low))
            if buffer.dim():
                mine = (buffer[None, list(split.high)], buffer[None, list(split.low)])
                assert_channels_of(split, mine, high[None], low[None])
            else:
                assert int(buffer) == int(high)
    with torch.no_grad():
        assert_channels_of(split, octave((full[:, list(split.high)], half[:, list(split.low)])), *expected)
    return octave


@pytest.mark.parametrize("split", SPLITS, ids=str)
@pytest.mark.parametrize("make", TRAINED)
def test_a_trained_norm_keeps_each_channels_numbers(make: str, split: ChannelSplit) -> None:
    """Normalised by the batch in training, by what was learned in eval, then activated."""
    plain = with_numbers(TRAINED[make]())
    names = list(plain.state_dict())
    octave = assert_follows(plain, split)
    assert list(octave.state_dict()) == names
    assert [id(p) for p in octave.parameters()] == [id(p) for p in plain.parameters()]


@pytest.mark.parametrize("split", SPLITS, ids=str)
@pytest.mark.parametrize("make", FROZEN)
def test_a_frozen_norm_is_the_same_in_training(make: str, split: ChannelSplit) -> None:
    """Its statistics hold, and nothing of it changes."""
    plain = with_numbers(FROZEN[make]())
    before = {name: tensor.clone() for name, tensor in plain.state_dict().items()}
    octave = assert_follows(plain, split)
    assert list(octave.state_dict()) == list(before)
    assert all(torch.equal(tensor, before[name]) for name, tensor in octave.state_dict().items())
    assert list(octave.parameters()) == []


@pytest.mark.parametrize("make", [*TRAINED, *FROZEN])
def test_a_plain_value_is_normalised_as_ever(make: str) -> None:
    """One norm may serve a pair here and a plain value there."""
    plain = with_numbers((TRAINED | FROZEN)[make]())
    octave = OctaveBatchNorm.from_norm(copy.deepcopy(plain), SPLITS[0])
    for training in (True, False):
        x, _ = values(1)
        torch.testing.assert_close(octave.train(training)(x), plain.train(training)(x))
        for (name, mine), (_, other) in zip(octave.named_buffers(), plain.named_buffers(), strict=True):
            torch.testing.assert_close(mine, other, msg=name)


@pytest.mark.parametrize("make", ["synchronised", "synchronised, activated"])
def test_a_synchronised_norm_trains_in_one_process_only(make: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Among several it would learn other statistics than the plain one, and says so; eval is as ever."""
    octave = OctaveBatchNorm.from_norm(with_numbers(TRAINED[make]()), SPLITS[0])
    pair = (torch.randn(2, 6, 4, 4, dtype=torch.float64), torch.randn(2, 2, 2, 2, dtype=torch.float64))
    for processes in (1, 2):
        monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
        monkeypatch.setattr(torch.distributed, "get_world_size", lambda processes=processes: processes)
        octave.eval()(pair)
        if processes == 1:
            octave.train()(pair)
        else:
            with pytest.raises(ConversionError, match="SyncBatchNorm does not gather statistics"):
                octave.train()(pair)
    assert int(octave.num_batches_tracked) == 1


@pytest.mark.parametrize("make", ["synchronised", "leaky", "torchvision", "timm", "not activated"])
def test_a_network_of_them_keeps_what_is_constant_over_space(make: str) -> None:
    """Converted by the rule of each make, with vanilla's keys and vanilla's output in eval."""
    model = replicating(Chain(with_numbers((TRAINED | FROZEN)[make]()))).double().eval()
    for alpha in (0.25, 0.5, 1):
        network = octavize(model, {"middle": alpha}, torch.zeros(1, 3, 16, 16))
        assert isinstance(network, OctaveNetwork)
        assert isinstance(network.get_submodule("between"), OctaveBatchNorm)
        assert network.conversion.merged == ()
        assert list(network.state_dict()) == list(model.state_dict())
        for size in (16, 13):
            x = constant_image(size)
            with torch.no_grad():
                torch.testing.assert_close(network(x), model(x), rtol=1e-10, atol=1e-10)
