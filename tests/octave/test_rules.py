"""One operator at a time on pairs, and the table itself."""

import operator
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from octave.nets import Chain, constant_image, replicating
from octprobe.errors import ConversionError
from octprobe.octave import OctaveConv2d, octavize
from octprobe.octave.flows import inherit, leave
from octprobe.octave.layers import Each, EachDropPath, EachPool, GlobalPool, Merge
from octprobe.octave.network import OctaveNetwork
from octprobe.octave.rules import RULES
from octprobe.octave.table import RuleTable


class Function(nn.Module):
    """A function in the place of a module, traced into."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        """Call it."""
        return self.function(x)


def converted(between: nn.Module, *, size: int = 16) -> tuple[nn.Module, OctaveNetwork]:
    """Give a chain with something between its octave convolutions, and its octave form."""
    torch.manual_seed(0)
    model = replicating(Chain(between)).double().eval()
    network = octavize(model, {"middle": 0.25}, torch.zeros(1, 3, size, size))
    assert isinstance(network, OctaveNetwork)
    return model, network


ELEMENTWISE = [
    nn.ReLU(),
    nn.SiLU(),
    nn.Identity(),
    nn.Dropout(0.5),
    nn.BatchNorm2d(8),
    Function(functional.relu),
    Function(functional.hardswish),
    Function(torch.sigmoid),
    Function(lambda x: x.relu()),
    Function(lambda x: functional.leaky_relu(x, 0.3)),
    Function(lambda x: x + x),
    Function(lambda x: x * x),
    Function(lambda x: 2 - x / 3 + 1),
    Function(lambda x: x + x.shape[2] * x.size(1) * x.dim()),
    Function(functional.softplus),
    nn.PReLU(8),
    nn.PReLU(),
    Function(lambda x: torch.add(functional.relu(x), x)),
    Function(lambda x: x * x.mean((2, 3), keepdim=True)),
    Function(lambda x: x.mean([-1, -2], True) * x),
    Function(lambda x: functional.dropout(x, 0.5, training=False)),
]
POOLS = [
    nn.MaxPool2d(3, 2, 1),
    nn.MaxPool2d(2),
    nn.AvgPool2d(2),
    nn.AvgPool2d(2, ceil_mode=True),
    nn.AvgPool2d(3, 2, 1, count_include_pad=False),
]


@pytest.mark.parametrize("between", ELEMENTWISE, ids=str)
def test_elementwise_operators_keep_the_pair_and_the_channels(between: nn.Module) -> None:
    """Constant field equals vanilla, and nothing was merged on the way to the last convolution."""
    model, network = converted(between)
    assert not any(isinstance(module, Merge) for module in network.modules())
    for size in (16, 13):
        x = constant_image(size)
        with torch.no_grad():
            torch.testing.assert_close(network(x), model(x), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("between", POOLS, ids=str)
@pytest.mark.parametrize("size", [16, 15, 14, 13])
def test_poolings_keep_low_half_of_high(between: nn.Module, size: int) -> None:
    """Each frequency is pooled, and the low part is cropped to half the high size, rounded up."""
    model, network = converted(between, size=size)
    assert not any(isinstance(module, Merge) for module in network.modules())
    x = constant_image(size)
    with torch.no_grad():
        torch.testing.assert_close(network(x), model(x), rtol=1e-10, atol=1e-10)


def swapped(x: Tensor) -> Tensor:
    """Exchange the halves of the channels."""
    a, b = x.chunk(2, dim=1)
    return torch.cat([b, a], dim=1)


def halves_added(x: Tensor) -> Tensor:
    """Add the second half of the channels to the first, and to itself."""
    a, b = torch.chunk(x, 2, 1)
    return torch.cat([a + b, b + b], 1)


def taken_apart(x: Tensor) -> Tensor:
    """Take pieces of unlike widths apart and put them together in another order."""
    a, b, c = torch.split(x, [1, 2, 5], dim=1)
    return torch.cat([c, a * 2, functional.relu(b)], 1)


def dense(x: Tensor) -> Tensor:
    """Take a part of a concatenation with itself."""
    return torch.cat([x, functional.relu(x)], 1)[:, 4:12]


def gated(x: Tensor) -> Tensor:
    """Scale by a gate that was expanded first."""
    gate = torch.sigmoid(x.mean((2, 3), keepdim=True))
    return x * gate.expand_as(x)


def enlarged(x: Tensor) -> Tensor:
    """Enlarge to twice the size that the value says it has."""
    return functional.interpolate(x, size=(2 * x.shape[2], 2 * x.size(-1)), mode="bilinear")


CHANNELS_AND_SIZES = [
    Function(swapped),
    Function(halves_added),
    Function(taken_apart),
    Function(dense),
    Function(gated),
    Function(enlarged),
    Function(lambda x: functional.interpolate(x, scale_factor=2)),
    nn.Upsample(scale_factor=2, mode="nearest"),
    nn.ChannelShuffle(2),
    nn.ChannelShuffle(4),
    Function(lambda x: functional.max_pool2d(x, 3, 2, 1)),
    Function(lambda x: functional.avg_pool2d(x, kernel_size=2, stride=2)),
    Function(lambda x: x * functional.adaptive_avg_pool2d(x, 1)),
    Function(lambda x: x * torch.amax(x, dim=(2, 3), keepdim=True)),
    Function(lambda x: x[:, :, :, :]),
]


@pytest.mark.parametrize("between", CHANNELS_AND_SIZES, ids=str)
@pytest.mark.parametrize("size", [16, 13])
def test_channels_and_sizes_change_in_both_frequencies(between: nn.Module, size: int) -> None:
    """Constant field equals vanilla, and nothing was merged on the way to the last convolution."""
    torch.manual_seed(0)
    model = replicating(Chain(between)).double().eval()
    for alpha in (0.5, 0.75, 1):
        network = octavize(model, {"middle": alpha}, torch.zeros(1, 3, size, size))
        assert not any(isinstance(module, Merge) for module in network.modules()), alpha
        for side in (size, size + 3):
            x = constant_image(side)
            with torch.no_grad():
                torch.testing.assert_close(network(x), model(x), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("shuffle", [nn.PixelShuffle(2), Function(lambda x: functional.pixel_shuffle(x, 2))])
@pytest.mark.parametrize("alpha", [0.5, 1])
def test_a_pixel_shuffle_keeps_neighbours_together(shuffle: nn.Module, alpha: float) -> None:
    """Its output varies over space; what follows is linear, and so keeps the mean at even sizes."""
    torch.manual_seed(0)
    model = replicating(Chain(nn.Sequential(shuffle, nn.Conv2d(2, 8, 1)))).double().eval()
    network = octavize(model, {"middle": alpha}, torch.zeros(1, 3, 16, 16))
    middle = network.get_submodule("middle")
    assert isinstance(middle, OctaveConv2d)
    assert middle.low_out == tuple(range(8 - int(8 * alpha), 8))
    x = constant_image(16)
    with torch.no_grad():
        got, expected = network(x), model(x)
    torch.testing.assert_close(got.mean((2, 3)), expected.mean((2, 3)), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("alpha", [0.25, 0.5])
def test_a_blur_pooling_filters_each_frequency(alpha: float) -> None:
    """As many copies of its one filter as there are channels; it has no parameters."""
    from timm.layers import BlurPool2d  # takes seconds

    model = replicating(Chain(BlurPool2d(8))).double().eval()
    network = octavize(model, {"middle": alpha}, torch.zeros(1, 3, 16, 16))
    assert isinstance(network.get_submodule("between"), EachPool)
    x = constant_image(16)
    with torch.no_grad():
        torch.testing.assert_close(network(x), model(x), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(
    ("between", "reason"),
    [
        (nn.AdaptiveAvgPool2d(4), "it pools adaptively to more than one position"),
        (nn.ZeroPad2d(1), "what pads by itself does not keep the low size half of the high size"),
        (nn.Conv2d(8, 8, 3), "it has no octave form: padding is (0, 0); 2 * padding must be"),
        (Function(lambda x: functional.pad(x, (1, 1, 1, 1))), "what pads by itself does not keep"),
    ],
    ids=str,
)
def test_a_rule_may_say_that_the_network_leaves_the_octave_world(between: nn.Module, reason: str) -> None:
    """Without `merge`: the pair is merged first, and the conversion says where and why."""
    model, network = converted(between)
    (line,) = network.conversion.merged
    assert line.startswith("node ")
    assert reason in line
    x = constant_image(16)
    with torch.no_grad():
        got, expected = network(x), model(x)
    inside = (slice(None), slice(None), slice(2, -2), slice(2, -2))
    torch.testing.assert_close(got[inside], expected[inside], rtol=1e-10, atol=1e-10)


def test_a_module_that_cannot_be_traced_stays_one_node_and_reads_plain_values() -> None:
    """One that decides by a size; what is around it is converted."""

    class Deciding(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x + 1 if x.shape[0] > 1 else x - 1

    model = replicating(Chain(nn.Sequential(nn.ReLU(), Deciding()))).double().eval()
    with pytest.raises(ConversionError, match=r"Deciding in module between\.1 on a pair: .* no rule"):
        octavize(model, {"middle": 0.5}, torch.zeros(1, 3, 8, 8))
    network = octavize(model, {"middle": 0.5}, torch.zeros(1, 3, 8, 8), on_unknown="merge")
    assert isinstance(network, OctaveNetwork)
    assert ["between.1" in line for line in network.conversion.merged] == [True]
    for x in (constant_image(8), constant_image(8).repeat(2, 1, 1, 1)):
        with torch.no_grad():
            torch.testing.assert_close(network(x), model(x), rtol=1e-10, atol=1e-10)


def test_what_cannot_split_alike_is_named() -> None:
    """A piece that ends amid four neighbours which a pixel shuffle keeps together."""

    class Cut(Chain):
        def forward(self, x: Tensor) -> Tensor:
            y = self.middle(self.first(x))
            return self.last(torch.cat([functional.pixel_shuffle(y, 2), self.between(y[:, 1:7])], 1))

    with pytest.raises(ConversionError, match="4 neighbours that split alike are divided after channel 1"):
        octavize(Cut(nn.Upsample(scale_factor=2)), {"middle": 0.5}, torch.zeros(1, 3, 8, 8))


@pytest.mark.parametrize(
    "pool", [nn.AdaptiveAvgPool2d(1), nn.AdaptiveAvgPool2d((1, 1)), nn.AdaptiveMaxPool2d(1)]
)
def test_pooling_all_of_space_gathers_the_original_order(pool: nn.Module) -> None:
    """What follows is plain and sees every channel in its place."""
    model, network = converted(pool)
    assert isinstance(network.get_submodule("between"), GlobalPool)
    x = constant_image(11)
    with torch.no_grad():
        torch.testing.assert_close(network(x), model(x), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("between", [nn.GroupNorm(2, 8), nn.LayerNorm((8, 16, 16))], ids=str)
def test_norms_that_mix_channels_leave_the_octave_world(between: nn.Module) -> None:
    """The pair is merged first; that is a rule, not an unknown."""
    model, network = converted(between)
    assert isinstance(network.get_submodule("middle_merge"), Merge)
    assert [line.split(": ")[-1] for line in network.conversion.merged] == [
        "it mixes the channels of both frequencies"
    ]
    x = constant_image(16)
    with torch.no_grad():
        torch.testing.assert_close(network(x), model(x), rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize(
    ("between", "message"),
    [
        (nn.Softmax(1), r"node between: operator torch\.nn\.modules\.activation\.Softmax .* no rule"),
        (Function(lambda x: torch.add(x, x, alpha=2)), r"node add: .*two tensors"),
        (Function(lambda x: x.flip(2)), r"node flip: operator flip "),
        (Function(lambda x: x + x.mean(1, True)), r"node mean: .*height and width"),
        (Function(functional.softmax), r"node softmax: operator \S+ in module between on a pair"),
        (nn.AvgPool2d(2, divisor_override=3), r"node between: .*divisor"),
    ],
)
def test_what_no_rule_covers_names_node_operator_and_table(between: nn.Module, message: str) -> None:
    """One line with the place and the way out."""
    with pytest.raises(
        ConversionError, match=message + r"[^\n]*octave/rules; add one, or pass on_unknown='merge'[^\n]*$"
    ):
        converted(between)


@pytest.mark.parametrize("outputs", [8, 16, 24])
def test_a_depthwise_convolution_inherits(outputs: int) -> None:
    """One output a channel splits as its input; with a depth multiplier each channel becomes several."""
    between = nn.Sequential(nn.Conv2d(8, outputs, 3, padding=1, groups=8), nn.Conv2d(outputs, 8, 1))
    model, network = converted(between)
    depthwise = network.get_submodule("between.0")
    assert isinstance(depthwise, OctaveConv2d)
    assert depthwise.low_out == tuple(range(6 * outputs // 8, outputs))
    x = constant_image(16)
    with torch.no_grad():
        torch.testing.assert_close(network(x), model(x), rtol=1e-10, atol=1e-10)


def test_a_shared_activation_serves_plain_values_and_pairs() -> None:
    """One ReLU called on a plain value and on a pair, as networks that own one only do."""

    class Shared(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1)
            self.last, self.act = nn.Conv2d(8, 4, 1), nn.ReLU()

        def forward(self, x: Tensor) -> Tensor:
            return self.act(self.last(self.act(self.second(self.act(self.first(x))))))

    model = replicating(Shared()).double().eval()
    network = octavize(model, {"second": 0.5}, torch.zeros(1, 3, 8, 8))
    assert isinstance(network.get_submodule("act"), Each)
    with torch.no_grad():
        torch.testing.assert_close(
            network(constant_image(8)), model(constant_image(8)), rtol=1e-10, atol=1e-10
        )


@pytest.mark.parametrize(
    ("shared", "feature"), [(nn.BatchNorm2d(8), False), (nn.AdaptiveAvgPool2d(1), True)], ids=["norm", "pool"]
)
def test_a_shared_norm_or_pooling_serves_plain_values_and_pairs(shared: nn.Module, feature: bool) -> None:
    """Batches of two, which a pair could be mistaken for."""

    class Shared(Chain):
        def forward(self, x: Tensor) -> Tensor:
            y = self.first(x)
            y = y * self.between(y) if feature else self.between(y)
            y = self.middle(y)
            return self.last(y * self.between(y) if feature else self.between(y))

    model = replicating(Shared(shared)).double().eval()
    network = octavize(model, {"middle": 0.5}, torch.zeros(1, 3, 8, 8))
    x = constant_image(8).repeat(2, 1, 1, 1)
    with torch.no_grad():
        torch.testing.assert_close(network(x), model(x), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(
    ("shape", "is_covered"),
    [
        ((1, 8, 1, 1), True),
        ((1, 8, 16, 1), True),
        ((1, 8, 16, 16), True),
        ((1, 1, 16, 16), True),
        ((1, 1, 1, 1), True),
        ((1,), True),
        ((), True),
        ((8, 1, 1), True),
        ((8, 16, 16), True),
        ((16, 16), False),
    ],
    ids=str,
)
@pytest.mark.parametrize("function", [operator.add, operator.sub, operator.mul, operator.truediv])
def test_a_plain_operand_broadcasts_over_batch_space_and_channels(
    shape: tuple[int, ...], is_covered: bool, function: Callable[[Tensor, Tensor], Tensor]
) -> None:  # parametrised
    """It is split as a value is; one without channels has no axis that is known to be the channels."""

    class With(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            sizes = {4: (*shape[:2], 1, 1), 3: (*shape[:1], 1, 1)}
            first = torch.randn(sizes.get(len(shape), shape))
            self.other = nn.Parameter(first.expand(shape).clone())

        def forward(self, x: Tensor) -> Tensor:
            return function(x, self.other)

    if is_covered:
        model, network = converted(With())
        x = constant_image(16)
        with torch.no_grad():
            torch.testing.assert_close(network(x), model(x), rtol=1e-10, atol=1e-10)
    else:
        with pytest.raises(ConversionError, match="no rule"):
            converted(With())


def test_a_convolution_called_in_two_forms_is_refused() -> None:
    """One weight cannot be plain here and octave there."""

    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.other = nn.Conv2d(8, 8, 1), nn.Conv2d(8, 8, 1)

        def forward(self, x: Tensor) -> Tensor:
            return self.first(self.other(self.first(x)))

    with pytest.raises(ConversionError, match="no rule calls one module on pairs and on plain values"):
        octavize(Twice(), {"other": 0.5}, torch.zeros(1, 8, 8, 8))


@pytest.mark.parametrize(
    "between",
    [
        nn.AvgPool2d(5, 1),
        nn.AvgPool2d(10, 1),
        Function(lambda x: functional.avg_pool2d(x, 4, 1)),
        Function(lambda x: torch.cat(x.chunk(4, 1)[1:], 1).repeat(1, 2, 1, 1)[:, :8]),
        Function(lambda x: torch.cat([x, x.softmax(1)], 1).narrow(1, 4, 8)),
        Function(lambda x: sum(torch.cat([x, x.softmax(1)[:, :4], x[:, :4]], 1).chunk(2, 1))),
        Function(
            lambda x: functional.pixel_shuffle(
                torch.cat([x, x.softmax(1)[:, :4]], 1).repeat(1, 3, 1, 1)[:, :32], 2
            )
        ),
    ],
    ids=range(7),
)
def test_what_no_rule_covers_is_merged_on_demand(between: nn.Module) -> None:
    """Constant field: the network goes on plain from there, pieces of a pair and mixtures included."""
    torch.manual_seed(0)
    model = replicating(Chain(between)).double().eval()
    network = octavize(model, {"middle": 0.5}, torch.zeros(1, 3, 16, 16), on_unknown="merge")
    x = constant_image(16)
    with torch.no_grad():
        torch.testing.assert_close(network(x), model(x), rtol=1e-10, atol=1e-10)
    assert network.conversion.merged


def test_a_convolution_called_on_a_plain_value_and_then_on_a_pair_stays_plain_on_demand() -> None:
    """The pair is merged for the second call."""

    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.other = nn.Conv2d(8, 8, 1), nn.Conv2d(8, 8, 1)

        def forward(self, x: Tensor) -> Tensor:
            return self.first(self.other(self.first(x)))

    model = Twice().double()
    network = octavize(model, {"other": 0.5}, torch.zeros(1, 8, 8, 8), on_unknown="merge")
    x = torch.randn(1, 8, 1, 1, dtype=torch.float64).expand(1, 8, 8, 8)
    torch.testing.assert_close(network(x), model(x), rtol=1e-10, atol=1e-10)


def test_drop_path_drops_both_frequencies_with_one_mask() -> None:
    """A sample loses both parts or keeps both, scaled alike."""
    from timm.layers import DropPath  # takes seconds

    torch.manual_seed(0)
    layer, pair = EachDropPath(DropPath(0.5)), (torch.ones(64, 3, 4, 4), torch.ones(64, 2, 2, 2))
    high, low = layer.train()(pair)
    assert torch.equal(high[:, 0, 0, 0], low[:, 0, 0, 0])
    assert set(high.unique().tolist()) == {0.0, 2.0}
    assert layer.eval()(pair) is pair


def test_pooling_of_a_pair_without_high_channels_keeps_its_size() -> None:
    """The empty high part still says how large the value is."""
    pool = EachPool(nn.MaxPool2d(3, 2, 1), nn.MaxPool2d(3, 2, 1, ceil_mode=True))
    high, low = pool((torch.ones(2, 0, 9, 8), torch.ones(2, 4, 5, 4)))
    assert (high.shape, low.shape) == ((2, 0, 5, 4), (2, 4, 3, 2))


def test_duplicate_rules_are_refused() -> None:
    """An operator has one rule."""
    table = RuleTable()
    table.add(operator.add, flow=inherit)(lambda rewriter, node: None)
    with pytest.raises(ValueError, match="has a rule already"):
        table.add(operator.add, flow=leave)(lambda rewriter, node: None)


def test_a_subclass_has_no_rule_of_its_parents() -> None:
    """A weight-standardised convolution computes something else than its parent class."""

    class Standardised(nn.Conv2d):
        pass

    assert RULES.for_module(nn.Conv2d(1, 1, 1)) is not None
    assert RULES.for_module(Standardised(1, 1, 1)) is None


def test_a_transposed_convolution_stays_plain() -> None:
    """On a pair it is an exit; on plain values it is nobody's business."""
    transposed = nn.ConvTranspose2d(8, 8, 2, 2)
    _, network = converted(transposed)
    (line,) = network.conversion.merged
    assert "it has no octave form: it is a transposed convolution" in line
    plain = nn.Sequential(nn.ConvTranspose2d(3, 3, 2, 2), Chain(nn.ReLU()))
    assert octavize(plain, {"1.middle": 0.5}, torch.zeros(1, 3, 8, 8)).conversion.merged == ()  # type: ignore[union-attr]  # an octave network
