"""One octave layer against the paper's equation in float64."""

import copy
import io
import itertools
import math
from collections.abc import Callable, Iterator
from fractions import Fraction

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call

from octave import reference
from octprobe.errors import ConversionError, UnrealisableAlphaError
from octprobe.octave import OctaveConv2d
from octprobe.octave.frequency import Value, split_plain
from octprobe.octave.pack import hold_packs
from octprobe.octave.split import split_channels

ALPHAS = (0, 0.125, 0.25, 0.5, 0.75, 1)
TOLERANCE = 1e-11


def tail(channels: int, alpha: float) -> list[int]:
    """Give the low channels by the paper's rule: the last floor(alpha * C)."""
    low = math.floor(Fraction(str(alpha)) * channels)
    return list(range(channels - low, channels))


def as_parts(value: Value) -> reference.Parts:
    """Give the reference's form of an octave value: None for a part without channels."""
    if isinstance(value, Tensor):
        return value, None
    return (value[0] if value[0].shape[1] else None), value[1]


def value_of(x: Tensor, alpha: float) -> Value:
    """Split a plain tensor for a layer with this alpha_in."""
    return x if alpha == 0 else split_plain(x, split_channels(x.shape[1], alpha))


def assert_parts_equal(got: reference.Parts, expected: reference.Parts) -> None:
    """Compare high with high and low with low."""
    for one, other in zip(got, expected, strict=True):
        assert (one is None) == (other is None)
        if one is not None and other is not None:
            torch.testing.assert_close(one, other, rtol=TOLERANCE, atol=TOLERANCE)


def variations() -> Iterator[tuple[int, tuple[int, int], bool, int]]:
    """Give batch, size, bias and dilation in turn, so that all meet all alphas over the kernel sizes."""
    return itertools.cycle(
        itertools.product((1, 3), ((8, 8), (9, 7), (5, 6), (7, 11)), (True, False), (1, 2))
    )


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("kernel_size", [1, 3, 5, 7])
def test_layer_is_the_papers_equation(kernel_size: int, stride: int) -> None:
    """Every pair of alphas, sliced with gradients and packed without, on odd and even sizes."""
    torch.manual_seed(kernel_size * 10 + stride)
    varied = variations()
    for alpha_in, alpha_out in itertools.product(ALPHAS, ALPHAS):
        for batch, size, bias, dilation in itertools.islice(varied, 3):
            layer = OctaveConv2d(
                8, 16, kernel_size, stride, dilation * (kernel_size - 1) // 2, dilation, bias=bias,
                alpha_in=alpha_in, alpha_out=alpha_out, dtype=torch.float64,
            )  # fmt: skip
            x = torch.randn(batch, 8, *size, dtype=torch.float64)
            low_in, low_out = tail(8, alpha_in), tail(16, alpha_out)
            expected = reference.octave_convolution(
                reference.split(x, low_in), layer.weight, layer.bias, low_in, low_out, size, stride, dilation
            )
            assert_parts_equal(as_parts(layer(value_of(x, alpha_in))), expected)
            with torch.no_grad():
                assert_parts_equal(as_parts(layer.eval()(value_of(x, alpha_in))), expected)


@pytest.mark.parametrize(("kernel_size", "stride"), [(1, 1), (1, 2), (3, 1), (3, 2)])
@pytest.mark.parametrize(
    ("alpha_in", "alpha_out"), [(0, 0.5), (0.25, 0.75), (0.5, 0), (0.5, 0.5), (1, 0.5), (0.5, 1)]
)
def test_gradients(kernel_size: int, stride: int, alpha_in: float, alpha_out: float) -> None:
    """Gradients to input, weight and bias agree with finite differences."""
    torch.manual_seed(0)
    layer = OctaveConv2d(
        4,
        4,
        kernel_size,
        stride,
        kernel_size // 2,
        alpha_in=alpha_in,
        alpha_out=alpha_out,
        dtype=torch.float64,
    )
    assert layer.bias is not None

    def run(x: Tensor, weight: Tensor, bias: Tensor) -> tuple[Tensor, ...]:
        value = functional_call(layer, {"weight": weight, "bias": bias}, (value_of(x, alpha_in),))
        return tuple(part for part in as_parts(value) if part is not None)

    x = torch.randn(1, 4, 5, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(run, (x, layer.weight, layer.bias))


@pytest.mark.parametrize("stride", [1, 2])
def test_both_alphas_zero_is_the_plain_convolution(stride: int) -> None:
    """Stride included: nothing is pooled first, and any padding will do."""
    plain = nn.Conv2d(4, 6, 3, stride, 0)
    layer = OctaveConv2d(4, 6, 3, stride, 0, alpha_in=0, alpha_out=0)
    layer.load_state_dict(plain.state_dict())
    x = torch.randn(2, 4, 9, 8)
    assert torch.equal(layer(x), plain(x))


def test_layer_has_the_parameters_of_the_plain_one() -> None:
    """Same names, shapes and random initialisation; from_conv holds the same objects."""
    torch.manual_seed(3)
    plain = nn.Conv2d(8, 12, 3, padding=1)
    torch.manual_seed(3)
    layer = OctaveConv2d(8, 12, 3, padding=1, alpha_in="0.25", alpha_out=Fraction(1, 4))
    assert list(layer.state_dict()) == list(plain.state_dict())
    assert all(torch.equal(a, b) for a, b in zip(layer.parameters(), plain.parameters(), strict=True))
    same = OctaveConv2d.from_conv(plain, split_channels(8, 0.5), split_channels(12, 0.5))
    assert same.weight is plain.weight
    assert same.bias is plain.bias
    assert (layer.low_in, layer.low_out) == ((6, 7), (9, 10, 11))
    assert (layer.alpha_in, layer.alpha_out) == (Fraction(1, 4), Fraction(1, 4))


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize(("alpha_in", "alpha_out"), [(0, 0.5), (0.5, 0.25), (0.75, 0), (0.5, 1), (1, 0.5)])
def test_grouped_layer_is_that_of_its_block_diagonal_weight(
    stride: int, alpha_in: float, alpha_out: float
) -> None:
    """Groups keep to themselves on all four paths, as the dense weight with the same index sets says."""
    torch.manual_seed(1)
    groups, c_in, c_out = 4, 16, 32
    layer = OctaveConv2d(
        c_in, c_out, 3, stride, 1, groups=groups, alpha_in=alpha_in, alpha_out=alpha_out, dtype=torch.float64
    )
    dense = torch.zeros(c_out, c_in, 3, 3, dtype=torch.float64)
    for g in range(groups):
        rows, columns = slice(g * 8, g * 8 + 8), slice(g * 4, g * 4 + 4)
        dense[rows, columns] = layer.weight[rows]
    low_in = [g * 4 + c for g in range(groups) for c in range(4) if c >= 4 - 4 * alpha_in]
    low_out = [g * 8 + c for g in range(groups) for c in range(8) if c >= 8 - 8 * alpha_out]
    assert (layer.low_in, layer.low_out) == (tuple(low_in), tuple(low_out))
    x = torch.randn(2, c_in, 7, 8, dtype=torch.float64)
    expected = reference.octave_convolution(
        reference.split(x, low_in), dense, layer.bias, low_in, low_out, (7, 8), stride, 1
    )
    value = x if alpha_in == 0 else split_plain(x, layer.split_in)
    assert_parts_equal(as_parts(layer(value)), expected)


@pytest.mark.parametrize("stride", [1, 2])
def test_depthwise_layer_exchanges_nothing(stride: int) -> None:
    """Each frequency is convolved with its own channels' kernels, after pooling at stride 2."""
    layer = OctaveConv2d(8, 8, 3, stride, 1, groups=8, alpha_in=0.25, alpha_out=0.25, dtype=torch.float64)
    high, low = torch.randn(1, 6, 8, 8, dtype=torch.float64), torch.randn(1, 2, 4, 4, dtype=torch.float64)
    got = layer((high, low))
    pooled = (reference.pool(high), reference.pool(low)) if stride == 2 else (high, low)
    for y, x, channels in zip(got, pooled, (slice(0, 6), slice(6, 8)), strict=True):
        assert layer.bias is not None
        expected = nn.functional.conv2d(
            x, layer.weight[channels], layer.bias[channels], 1, 1, groups=x.shape[1]
        )
        torch.testing.assert_close(y, expected)
    with pytest.raises(ConversionError, match="depthwise"):
        OctaveConv2d(8, 8, 3, padding=1, groups=8, alpha_in=0, alpha_out=0.25)


@pytest.mark.parametrize("mode", ["replicate", "reflect", "circular"])
@pytest.mark.parametrize("padding", [2, "same"])
def test_padding_mode_is_kept_on_every_path(mode: str, padding: int | str) -> None:
    """Padding by hand and convolving without padding gives the same."""
    layer = OctaveConv2d(
        4, 4, 5, padding=padding, padding_mode=mode, alpha_in=0.5, alpha_out=0.5, dtype=torch.float64
    )
    high, low = torch.randn(1, 2, 8, 8, dtype=torch.float64), torch.randn(1, 2, 4, 4, dtype=torch.float64)

    def f(x: Tensor, rows: slice, columns: slice) -> Tensor:
        padded = nn.functional.pad(x, (2, 2, 2, 2), mode=mode)
        return nn.functional.conv2d(padded, layer.weight[rows, columns])

    h, low_part = slice(0, 2), slice(2, 4)
    assert layer.bias is not None
    y_high = f(high, h, h) + reference.up(f(low, h, low_part), 8, 8) + layer.bias[h].reshape(1, -1, 1, 1)
    y_low = f(reference.pool(high), low_part, h) + f(low, low_part, low_part)
    got = layer((high, low))
    torch.testing.assert_close(got[0], y_high)
    torch.testing.assert_close(got[1], y_low + layer.bias[low_part].reshape(1, -1, 1, 1))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kernel_size": 3}, r"padding is \(0, 0\); 2 \* padding must be .* = \(2, 2\)"),
        ({"kernel_size": 2, "padding": 1}, "2 \\* padding must be"),
        ({"kernel_size": 3, "padding": (1, 0)}, "2 \\* padding must be"),
        ({"kernel_size": 3, "padding": "valid"}, "'valid'"),
        ({"kernel_size": 3, "padding": 1, "stride": 3}, r"stride is \(3, 3\)"),
        ({"kernel_size": 3, "padding": 1, "stride": (1, 2)}, r"stride is \(1, 2\)"),
        ({"kernel_size": 2, "padding": 1, "dilation": 2, "stride": 2}, "odd at stride 2"),
    ],
)
def test_what_has_no_octave_form_is_refused(arguments: dict[str, object], message: str) -> None:
    """The constructor says which rule of size and stride is broken; a plain layer takes anything."""
    with pytest.raises(ConversionError, match=message):
        OctaveConv2d(4, 4, **arguments, alpha_in=0.5, alpha_out=0.5)  # type: ignore[arg-type]
    OctaveConv2d(4, 4, **arguments, alpha_in=0, alpha_out=0)  # type: ignore[arg-type]


def test_groups_that_do_not_divide_the_low_channels_are_refused() -> None:
    """The alphas that would do are given."""
    with pytest.raises(UnrealisableAlphaError) as caught:
        OctaveConv2d(8, 8, 3, padding=1, groups=4, alpha_in=0.25, alpha_out=0.5)
    assert caught.value.allowed == (0, Fraction(1, 2), 1)


def test_inputs_of_the_wrong_kind_are_refused() -> None:
    """A pair where a tensor belongs, a tensor where a pair belongs, and parts that do not fit."""
    x, low = torch.randn(1, 4, 8, 8), torch.randn(1, 2, 4, 4)
    for alpha_in, alpha_out, value in ((0, 0, (x, low)), (0, 0.5, (x, low)), (0.5, 0.5, x)):
        with pytest.raises(ConversionError, match=r"input must be"):
            OctaveConv2d(4, 4, 1, alpha_in=alpha_in, alpha_out=alpha_out)(value)
    with pytest.raises(ConversionError, match=r"ceil\(high size / 2\)"):
        OctaveConv2d(4, 4, 1, alpha_in=0.5, alpha_out=0.5)((x[:, :2], low[:, :, :1, :1]))


def _layer_and_value() -> tuple[OctaveConv2d, Value]:
    torch.manual_seed(0)
    layer = OctaveConv2d(8, 8, 3, padding=1, alpha_in=0.5, alpha_out=0.5).eval()
    return layer, value_of(torch.randn(1, 8, 6, 6), 0.5)


def _packed_and_sliced(layer: OctaveConv2d, value: Value) -> tuple[Tensor, Tensor]:
    with torch.no_grad():
        packed = layer(value)[0]
    return packed, layer(value)[0].detach()


def test_kernels_are_packed_once_and_only_without_gradients() -> None:
    """Two calls without gradients use the same copies; a call with gradients uses slices."""
    layer, value = _layer_and_value()
    layer(value)
    assert layer._cache.packed is None
    with torch.inference_mode():
        layer(value)
        first = layer._cache.packed
        layer(value)
    assert first is not None
    assert layer._cache.packed is first
    assert all(kernel is None or kernel.is_contiguous() for kernel in first)
    assert not any(kernel is not None and kernel.is_inference() for kernel in first)


def test_packed_kernels_keep_the_weights_memory_format() -> None:
    """In a channels_last network the copies are channels_last too."""
    layer, value = _layer_and_value()
    layer.to(memory_format=torch.channels_last)
    with torch.no_grad():
        layer(value)
    assert layer._cache.packed is not None
    kernels = [k for k in layer._cache.packed[:4] if k is not None]
    assert all(k.is_contiguous(memory_format=torch.channels_last) for k in kernels)


def _optimizer_step(layer: OctaveConv2d) -> None:
    layer.weight.grad = torch.ones_like(layer.weight)
    torch.optim.SGD(layer.parameters(), lr=0.5).step()


def _new_storage(layer: OctaveConv2d) -> None:
    layer.weight.data = torch.randn_like(layer.weight)


def _in_inference_mode(layer: OctaveConv2d) -> None:
    with torch.inference_mode():
        layer.weight.mul_(2)


def _new_parameter(layer: OctaveConv2d) -> None:
    layer.weight = nn.Parameter(torch.randn_like(layer.weight))


def _load(layer: OctaveConv2d) -> None:
    layer.load_state_dict({"weight": torch.randn(8, 8, 3, 3), "bias": torch.randn(8)})


@pytest.mark.parametrize("change", [_optimizer_step, _new_storage, _in_inference_mode, _new_parameter, _load])
def test_a_changed_parameter_is_seen_by_the_next_call(change: Callable[[OctaveConv2d], None]) -> None:
    """Packed copies never outlive what they were made from."""
    layer, value = _layer_and_value()
    before, _ = _packed_and_sliced(layer, value)
    change(layer)
    after, sliced = _packed_and_sliced(layer, value)
    assert not torch.allclose(before, after)
    torch.testing.assert_close(after, sliced)


def test_train_and_moves_drop_the_packed_copies() -> None:
    """`train()`, another dtype and another device let the copies go."""
    layer, value = _layer_and_value()
    for change in (lambda: layer.train().eval(), layer.double):
        with torch.no_grad():
            layer(value)
        assert layer._cache.packed is not None
        change()
        assert layer._cache.packed is None
    with torch.no_grad():
        assert layer(tuple(part.double() for part in value))[0].dtype == torch.float64


def test_copies_and_pickles_pack_for_themselves() -> None:
    """A deep copy and a reloaded layer give the same and carry no packed copies."""
    layer, value = _layer_and_value()
    packed, _ = _packed_and_sliced(layer, value)
    with io.BytesIO() as file:
        torch.save(layer, file)
        file.seek(0)
        loaded = torch.load(file, weights_only=False)
    for other in (copy.deepcopy(layer), loaded):
        assert other._cache.packed is None
        with torch.no_grad():
            assert torch.equal(other(value)[0], packed)


def test_layer_runs_on_meta_and_under_fake_tensors_without_keeping_fakes() -> None:
    """Shapes come out right, and the next real call is right too."""
    from torch._subclasses.fake_tensor import (
        FakeTensorMode,
    )  # the one public way to fake tensors is torch.export

    layer, value = _layer_and_value()
    packed, _ = _packed_and_sliced(layer, value)
    with torch.no_grad():
        on_meta = copy.deepcopy(layer).to("meta")(tuple(part.to("meta") for part in value))
        layer.train().eval()
        with FakeTensorMode(allow_non_fake_inputs=True) as mode:
            fake = layer(tuple(mode.from_tensor(part) for part in value))
        assert torch.equal(layer(value)[0], packed)
    assert [part.shape for part in on_meta] == [part.shape for part in fake] == [(1, 4, 6, 6), (1, 4, 3, 3)]


@pytest.mark.slow
def test_layer_compiles_whole_and_sees_changes_unless_held() -> None:
    """One graph without breaks; compiled code slices the parameters until packs are held."""
    layer, value = _layer_and_value()
    compiled = torch.compile(layer, backend="eager", fullgraph=True)
    with torch.no_grad():
        torch.testing.assert_close(compiled(value)[0], layer(value)[0])
        layer.weight.mul_(2)
        torch.testing.assert_close(compiled(value)[0], layer(value)[0])
        hold_packs(layer)
        torch.testing.assert_close(compiled(value)[0], layer(value)[0])
        held = compiled(value)[0]
        layer.weight.zero_()
        assert torch.equal(compiled(value)[0], held)
        layer.train().eval()
        torch.testing.assert_close(compiled(value)[0], layer(value)[0])


def test_jit_trace_follows_the_parameters() -> None:
    """A traced layer holds the parameters themselves, not packed copies of them."""
    layer, value = _layer_and_value()
    with torch.no_grad():
        layer(value)
    traced = torch.jit.trace(layer, (value,))
    with torch.no_grad():
        layer.weight.mul_(3)
        torch.testing.assert_close(traced(value)[0], layer(value)[0])
