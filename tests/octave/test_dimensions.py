"""One axis and three axes: lengths and areas are halved, time is not."""

import itertools
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call

from octave import reference
from octprobe.errors import ConversionError
from octprobe.networks import build_network
from octprobe.octave import OctaveConv, OctaveConv1d, OctaveConv3d, octavize
from octprobe.octave.frequency import low_size, merge_pair, split_plain
from octprobe.octave.network import OctaveNetwork
from octprobe.octave.norm import OctaveBatchNorm
from octprobe.octave.split import ChannelSplit, split_channels

ALPHAS = (0, 0.25, 0.5, 1)
EXCHANGES = ("both", "h2l", "l2h", "none")
DOWNSAMPLES = ("average", "strided", "max")
VIDEO_NETWORKS = ["torchvision:r3d_18", "torchvision:mc3_18", "torchvision:r2plus1d_18"]


@pytest.mark.parametrize("downsample", DOWNSAMPLES)
@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "dilation", "groups"),
    [
        (1, 1, 0, 1, 1),
        (1, 2, 0, 1, 2),
        (3, 1, 1, 1, 2),
        (3, 1, "same", 2, 1),
        (2, 1, "same", 1, 1),
        (5, 2, 2, 1, 1),
        (9, 2, 8, 2, 1),
        (3, 2, 1, 1, 2),
    ],
)
def test_one_axis(
    kernel: int, stride: int, padding: str | int, dilation: int, groups: int, downsample: str
) -> None:
    """Every pair of alphas and every exchange, at even and odd lengths."""
    torch.manual_seed(kernel)
    cases = itertools.product(ALPHAS, ALPHAS, EXCHANGES)
    for (alpha_in, alpha_out, exchange), length in zip(
        cases, itertools.cycle((12, 9, 10, 7, 11)), strict=False
    ):
        layer = OctaveConv1d(
            8, 16, kernel, stride, padding, dilation, groups, alpha_in=alpha_in, alpha_out=alpha_out,
            exchange=exchange, downsample=downsample, dtype=torch.float64,
        )  # fmt: skip
        reference.assert_is_the_form(layer, torch.randn(2, 8, length, dtype=torch.float64), padding)


@pytest.mark.parametrize("downsample", DOWNSAMPLES)
@pytest.mark.parametrize("time_stride", [1, 2])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize(
    ("kernel", "padding", "dilation"),
    [
        ((3, 3, 3), (1, 1, 1), (1, 1, 1)),
        ((3, 3, 3), (0, 1, 1), (1, 1, 1)),
        ((3, 3, 3), (2, 1, 1), (2, 1, 1)),
        ((3, 1, 1), (1, 0, 0), (1, 1, 1)),
        ((1, 3, 3), (0, 1, 1), (1, 1, 1)),
    ],
    ids=str,
)
def test_three_axes(
    kernel: tuple[int, ...],
    padding: tuple[int, ...],
    dilation: tuple[int, ...],
    stride: int,
    time_stride: int,
    downsample: str,
) -> None:
    """Every pair of alphas: time keeps its kernel, stride, padding and dilation in every path."""
    torch.manual_seed(stride)
    sizes = itertools.cycle(((5, 6, 6), (6, 7, 5), (7, 5, 8)))
    exchanges, groups = itertools.cycle(EXCHANGES), itertools.cycle((1, 2, 1))
    for (alpha_in, alpha_out), size in zip(itertools.product(ALPHAS, ALPHAS), sizes, strict=False):
        layer = OctaveConv3d(
            8, 8, kernel, (time_stride, stride, stride), padding, dilation, next(groups), alpha_in=alpha_in,
            alpha_out=alpha_out, exchange=next(exchanges), downsample=downsample, dtype=torch.float64,
        )  # fmt: skip
        reference.assert_is_the_form(layer, torch.randn(1, 8, *size, dtype=torch.float64), padding)


@pytest.mark.parametrize("time_stride", [1, 2])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("size", [(6, 7), (5, 8)])
def test_a_kernel_without_time_works_frame_by_frame(
    size: tuple[int, int], stride: int, time_stride: int
) -> None:
    """The paper's equation on every frame, or on every second one; no frame knows of another."""
    torch.manual_seed(stride)
    for alpha_in, alpha_out in itertools.product(ALPHAS, ALPHAS):
        layer = OctaveConv3d(
            8, 8, (1, 3, 3), (time_stride, stride, stride), (0, 1, 1), alpha_in=alpha_in, alpha_out=alpha_out,
            dtype=torch.float64,
        )  # fmt: skip
        low_in, low_out = list(layer.low_in), list(layer.low_out)
        x = torch.randn(2, 8, 5, *size, dtype=torch.float64)
        frames = [
            reference.octave_convolution(
                reference.split(x[:, :, t], low_in), layer.weight[:, :, 0], layer.bias, low_in, low_out, size,
                stride, 1,
            )
            for t in range(0, 5, time_stride)
        ]  # fmt: skip
        expected = tuple(None if f[0] is None else torch.stack(f, 2) for f in zip(*frames, strict=True))
        value = reference.value_of(reference.halves(x, low_in), (5, *size))
        reference.assert_is(layer(value), expected)


@pytest.mark.parametrize(
    ("dilation", "time_stride", "alpha_out"),
    [(1, 1, 0), (1, 1, 0.5), (1, 1, 1), (2, 1, 0), (2, 1, 0.5), (1, 2, 0.5), (2, 1, 1), (1, 2, 1)],
)
def test_time_may_lose_what_its_kernel_does_not_fit(
    dilation: int, time_stride: int, alpha_out: float
) -> None:
    """Without padding time becomes shorter; an output without high channels still says how long it is."""
    layer = OctaveConv3d(
        4, 4, (3, 1, 1), (time_stride, 1, 1), "valid", (dilation, 1, 1), alpha_in=0.5, alpha_out=alpha_out,
        dtype=torch.float64,
    )  # fmt: skip
    reference.assert_is_the_form(layer, torch.randn(1, 4, 8, 5, 6, dtype=torch.float64), "valid")


@pytest.mark.parametrize(
    ("kind", "kernel", "stride", "size"),
    [(OctaveConv1d, (3,), (2,), (7,)), (OctaveConv3d, (3, 3, 3), (2, 1, 1), (3, 3, 4))],
)
def test_gradients(
    kind: type[OctaveConv], kernel: tuple[int, ...], stride: tuple[int, ...], size: tuple[int, ...]
) -> None:
    """Gradients to input, weight and bias agree with finite differences."""
    torch.manual_seed(0)
    paddings = tuple(k // 2 for k in kernel)
    layer = kind(2, 4, kernel, stride, paddings, alpha_in=0.5, alpha_out=0.5, dtype=torch.float64)
    assert layer.bias is not None

    def run(x: Tensor, weight: Tensor, bias: Tensor) -> tuple[Tensor, ...]:
        pair = split_plain(x, layer.split_in)
        return tuple(functional_call(layer, {"weight": weight, "bias": bias}, (pair,)))

    x = torch.randn(1, 2, *size, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(run, (x, layer.weight, layer.bias))


@pytest.mark.parametrize("downsample", DOWNSAMPLES)
@pytest.mark.parametrize("size", [(9,), (6, 5), (4, 5, 6), (3, 6, 7)])
def test_a_split_and_merged_value_is_halved_in_space_alone(size: tuple[int, ...], downsample: Any) -> None:
    """One of two neighbours is made in every axis but time; high channels and the order stay."""
    torch.manual_seed(0)
    x, low = torch.randn(2, 5, *size, dtype=torch.float64), [0, 3]
    split = ChannelSplit(5, tuple(low))
    high_part, low_part = split_plain(x, split, downsample)
    torch.testing.assert_close(low_part, reference.halved(x[:, low], downsample))
    assert tuple(low_part.shape[2:]) == low_size(size)
    assert torch.equal(high_part, x[:, [1, 2, 4]])
    merged = merge_pair((high_part, low_part), split)
    assert torch.equal(merged[:, [1, 2, 4]], high_part)
    torch.testing.assert_close(merged[:, low], reference.doubled(low_part, size))


@pytest.mark.parametrize("split", [split_channels(6, 0.5), ChannelSplit(6, (0, 3, 4)), split_channels(6, 1)])
@pytest.mark.parametrize(("kind", "size"), [(nn.BatchNorm1d, (8,)), (nn.BatchNorm3d, (3, 4, 6))])
def test_norms_of_other_ranks(kind: type[nn.Module], size: tuple[int, ...], split: ChannelSplit) -> None:
    """In training and in eval each channel has the plain norm's numbers, from as many positions as it has."""
    torch.manual_seed(0)
    plain: Any = kind(6, dtype=torch.float64)
    nn.init.uniform_(plain.weight, 0.5, 1.5)
    nn.init.uniform_(plain.bias)
    low_size_ = low_size(size)
    x = torch.randn(3, 6, *size, dtype=torch.float64)
    small = torch.randn(3, 6, *low_size_, dtype=torch.float64)
    pair = x[:, list(split.high)], small[:, list(split.low)]
    twins = [kind(6, dtype=torch.float64) for _ in range(2)]
    for twin in twins:
        twin.load_state_dict(plain.state_dict())
    norm = OctaveBatchNorm.from_norm(plain, split)
    for training in (True, False):
        high, low = norm.train(training)(pair)
        expected = [twin.train(training)(value) for twin, value in zip(twins, (x, small), strict=True)]
        torch.testing.assert_close(high, expected[0][:, list(split.high)])
        torch.testing.assert_close(low, expected[1][:, list(split.low)])
        for name in ("running_mean", "running_var"):
            of_high, of_low = (getattr(twin, name) for twin in twins)
            mine = getattr(norm, name)
            torch.testing.assert_close(mine[list(split.high)], of_high[list(split.high)])
            torch.testing.assert_close(mine[list(split.low)], of_low[list(split.low)])
    assert list(norm.state_dict()) == list(twins[0].state_dict())


def constant_over_space(model: nn.Module) -> nn.Module:
    """Give a network in float64 with random statistics, that keeps what is constant over space so."""
    for module in model.modules():
        if isinstance(module, nn.Conv1d | nn.Conv3d):
            # All axes are padded alike; that time is too says nothing, as nothing is constant over it.
            module.padding_mode = "replicate"
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm3d):
            for tensor, least in ((module.weight, 0.5), (module.bias, -0.5), (module.running_var, 0.5)):
                nn.init.uniform_(tensor, least, least + 1)
            nn.init.uniform_(module.running_mean, -0.5, 0.5)
    return model.double().eval()


def assert_same(network: nn.Module, model: nn.Module, x: Tensor) -> None:
    """Compare with vanilla, relative to the largest number."""
    with torch.no_grad():
        got, expected = network(x), model(x)
    assert got.shape == expected.shape
    assert float((got - expected).abs().max() / expected.abs().max()) < 1e-10


@pytest.mark.slow
@pytest.mark.parametrize("name", VIDEO_NETWORKS)
def test_video_networks_keep_time(name: str) -> None:
    """Constant over space, varying over time, at an even and an odd size: vanilla's output and its keys."""
    torch.manual_seed(0)
    model = constant_over_space(build_network(name))
    frames = torch.randn(1, 3, 5, 1, 1, dtype=torch.float64)
    clips = [frames.expand(1, 3, 5, side, side).contiguous() for side in (32, 37)]
    with torch.no_grad():
        shuffled = model(clips[0].flip(2))
        assert not torch.allclose(shuffled, model(clips[0]))
    for alpha in (0.25, 0.5):
        network = octavize(model, alpha, torch.zeros_like(clips[0]), share_parameters=True)
        assert isinstance(network, OctaveNetwork)
        assert list(network.state_dict()) == list(model.state_dict())
        layers = [m for m in network.modules() if isinstance(m, OctaveConv3d) and m.low_out]
        assert len(layers) >= 10
        for clip in clips:
            assert_same(network, model, clip)


class Waves(nn.Module):
    """A plain stack of one-dimensional convolutions, such as those for sound."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv1d(1, 8, 7, 2, 3)
        self.conv1, self.norm1 = nn.Conv1d(8, 16, 3, padding=1), nn.BatchNorm1d(16)
        self.pool = nn.MaxPool1d(3, 2, 1)
        self.conv2, self.norm2 = nn.Conv1d(16, 16, 5, padding=2, groups=2), nn.BatchNorm1d(16)
        self.conv3 = nn.Conv1d(16, 32, 3, 2, 1)
        self.head = nn.Linear(32, 4)

    def forward(self, x: Tensor) -> Tensor:
        """Classify (B, 1, L) into four."""
        x = torch.relu(self.norm1(self.conv1(torch.relu(self.stem(x)))))
        x = torch.relu(self.norm2(self.conv2(self.pool(x))))
        return self.head(torch.relu(self.conv3(x)).mean(2))


@pytest.mark.parametrize("alpha", [0.25, 0.5, {"conv1": 1, "conv2": 0.5, "conv3": 0.75}])
@pytest.mark.parametrize("length", [64, 75, 81])
def test_a_stack_of_one_dimensional_convolutions(length: int, alpha: Any) -> None:
    """A constant signal gives vanilla's output, and another one the keys, shapes and gradients."""
    torch.manual_seed(0)
    model = constant_over_space(Waves())
    network = octavize(model, alpha, torch.zeros(1, 1, length))
    assert isinstance(network, OctaveNetwork)
    assert list(network.state_dict()) == list(model.state_dict())
    assert network.conversion.merged == ()
    for other in (length, length + 1):
        assert_same(network, model, torch.full((2, 1, other), 0.7, dtype=torch.float64))
    network(torch.randn(2, 1, length, dtype=torch.float64)).sum().backward()
    assert all(p.grad is not None and bool(p.grad.isfinite().all()) for p in network.parameters())


def test_a_stack_takes_no_image() -> None:
    """The message says what the network works on."""
    with pytest.raises(
        ConversionError, match=r"example_input is a Tensor .*; it must be a tensor \(B, C, L\)"
    ):
        octavize(Waves(), 0.5, torch.zeros(1, 1, 8, 8))
