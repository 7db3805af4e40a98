"""Every form of the octave convolution, path by path, against sums over the kernel's taps in float64."""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from octave import reference
from octprobe.cost.closed_form import octave_macs
from octprobe.errors import ConversionError
from octprobe.octave import OctaveConv, OctaveConv1d, OctaveConv2d, OctaveConv3d
from octprobe.octave.frequency import Value, low_size

ALPHAS = (0, 0.25, 0.5, 1)
EXCHANGES = ("both", "h2l", "l2h", "none")
DOWNSAMPLES = ("average", "strided", "max")
SIZES = ((8, 8), (9, 7), (5, 6), (7, 12))
PATHS = ("h2h", "h2l", "l2h", "l2l")


def tail(channels: int, alpha: float, groups: int = 1) -> list[int]:
    """Give the low channels: the last ones of each group."""
    width = channels // groups
    return [c for c in range(channels) if c % width >= width - int(width * alpha)]


def geometries(kernel: int, stride: int) -> Iterator[dict[str, Any]]:
    """Give sizes, batches, biases, groups and paddings in turn, so that all meet all alphas and forms."""
    paddings = ("same", kernel // 2) if stride == 1 else (kernel // 2,)
    names = ("size", "batch", "bias", "groups", "padding")
    everything = itertools.product(SIZES, (2, 1), (True, False), (1, 2), paddings)
    return itertools.cycle(dict(zip(names, values, strict=True)) for values in everything)


@pytest.mark.parametrize("downsample", DOWNSAMPLES)
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("kernel", [1, 3, 5])
def test_every_form_is_the_sum_of_its_paths(kernel: int, stride: int, downsample: str) -> None:
    """Every pair of alphas and every exchange, on odd and even sizes."""
    torch.manual_seed(kernel * 10 + stride)
    varied = geometries(kernel, stride)
    # One more step each time round, or a geometry would meet the same exchange again and again.
    for alphas in itertools.product(ALPHAS, ALPHAS):
        next(varied)
        for exchange in EXCHANGES:
            asked = next(varied)
            layer = OctaveConv2d(
                8, 16, kernel, stride, asked["padding"], 1, asked["groups"], asked["bias"],
                alpha_in=alphas[0], alpha_out=alphas[1], exchange=exchange, downsample=downsample,
                dtype=torch.float64,
            )  # fmt: skip
            assert list(layer.low_in) == tail(8, alphas[0], asked["groups"])
            assert list(layer.low_out) == tail(16, alphas[1], asked["groups"])
            x = torch.randn(asked["batch"], 8, *asked["size"], dtype=torch.float64)
            reference.assert_is_the_form(layer, x, asked["padding"])


@pytest.mark.parametrize("downsample", DOWNSAMPLES)
@pytest.mark.parametrize(
    ("kernel", "padding", "dilation"), [(2, 1, 2), (4, 3, 2), (2, "same", 1), (4, "same", 1), (3, "same", 2)]
)
def test_even_kernels_at_stride_1(kernel: int, padding: str | int, dilation: int, downsample: str) -> None:
    """Two steps apart they keep the size; with `same` the odd zero is at the end on every path."""
    torch.manual_seed(kernel)
    for (alpha_in, alpha_out), size in zip(itertools.product(ALPHAS, ALPHAS), SIZES * 4, strict=True):
        layer = OctaveConv2d(
            4, 8, kernel, 1, padding, dilation, alpha_in=alpha_in, alpha_out=alpha_out, downsample=downsample,
            dtype=torch.float64,
        )  # fmt: skip
        reference.assert_is_the_form(layer, torch.randn(2, 4, *size, dtype=torch.float64), padding)


@pytest.mark.parametrize("downsample", DOWNSAMPLES)
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("multiplier", [1, 2])
def test_a_depthwise_layer_has_no_exchange_in_any_form(downsample: str, stride: int, multiplier: int) -> None:
    """Its dense weight has zeros between the frequencies, and so all forms of exchange are one."""
    torch.manual_seed(multiplier)
    for alpha, exchange in itertools.product((0.25, 0.5, 1), EXCHANGES):
        layer = OctaveConv2d(
            8, 8 * multiplier, 3, stride, 1, groups=8, alpha_in=alpha, alpha_out=alpha, exchange=exchange,
            downsample=downsample, dtype=torch.float64,
        )  # fmt: skip
        assert not layer.has_path("h", "l")
        assert not layer.has_path("l", "h")
        assert layer.has_path("h", "h") == (alpha != 1)
        reference.assert_is_the_form(layer, torch.randn(2, 8, 9, 6, dtype=torch.float64), 1)


@pytest.mark.parametrize("exchange", EXCHANGES)
@pytest.mark.parametrize("groups", [1, 2])
def test_has_path_tells_the_truth(exchange: str, groups: int) -> None:
    """A path is there if and only if what comes in of its source changes its target."""
    torch.manual_seed(0)
    for alpha_in, alpha_out in itertools.product(ALPHAS, ALPHAS):
        layer = OctaveConv2d(
            8, 8, 3, 1, 1, groups=groups, alpha_in=alpha_in, alpha_out=alpha_out, exchange=exchange,
            dtype=torch.float64,
        )  # fmt: skip
        expected = reference.paths_of(list(layer.low_in), 8, list(layer.low_out), 8, exchange)
        assert {path for path in PATHS if layer.has_path(path[0], path[2])} == expected
        x = torch.randn(1, 8, 6, 6, dtype=torch.float64)
        parts = reference.halves(x, list(layer.low_in))
        felt = {f"{s}2{t}" for s in "hl" for t in "hl" if is_felt(layer, parts, s, t)}
        assert felt == expected


def is_felt(layer: OctaveConv2d, parts: reference.Parts, source: str, target: str) -> bool:
    """Tell whether another input of one frequency gives another output of another."""
    if parts["hl".index(source)] is None:
        return False
    changed = tuple(None if p is None else p + (f == source) for p, f in zip(parts, "hl", strict=True))
    before, after = (part_of(layer(reference.value_of(p, (6, 6))), target) for p in (parts, changed))
    return before is not None and after is not None and not torch.equal(before, after)


def part_of(value: Value, frequency: str) -> Tensor | None:
    """Give one frequency of an output; None where it has no channels."""
    part = (
        (value if frequency == "h" else None) if isinstance(value, Tensor) else value["hl".index(frequency)]
    )
    return part if part is not None and part.shape[1] else None


@pytest.mark.parametrize("exchange", EXCHANGES)
@pytest.mark.parametrize(
    ("alpha_in", "alpha_out", "paths"),
    [
        (0, 0.5, {"h2h", "h2l"}),
        (0.5, 0, {"h2h", "l2h"}),
        (0, 1, {"h2l"}),
        (1, 0, {"l2h"}),
        (1, 1, {"l2l"}),
        (1, 0.5, {"l2h", "l2l"}),
        (0.5, 1, {"h2l", "l2l"}),
        (0, 0, {"h2h"}),
    ],
)
def test_the_borders_of_the_octave_world_keep_all_their_paths(
    alpha_in: float, alpha_out: float, paths: set[str], exchange: str
) -> None:
    """Whatever is asked: without them there would be no way to the low channels, or from them."""
    layer = OctaveConv2d(
        4,
        4,
        3,
        1,
        1,
        alpha_in=alpha_in,
        alpha_out=alpha_out,
        exchange=exchange,  # type: ignore[arg-type]  # parametrised
    )
    assert {path for path in PATHS if layer.has_path(path[0], path[2])} == paths


LAYERS = [
    (OctaveConv1d, (7,), (16,), 1),
    (OctaveConv1d, (7,), (13,), 2),
    (OctaveConv2d, (3, 3), (10, 7), 1),
    (OctaveConv2d, (3, 3), (10, 7), 2),
    (OctaveConv3d, (3, 3, 3), (5, 9, 6), (1, 1, 1)),
    (OctaveConv3d, (3, 3, 3), (5, 9, 6), (2, 1, 1)),
    (OctaveConv3d, (3, 1, 1), (6, 9, 6), (2, 2, 2)),
    (OctaveConv3d, (1, 3, 3), (4, 7, 10), (1, 2, 2)),
]


@pytest.mark.parametrize(("kind", "kernel", "size", "stride"), LAYERS)
def test_the_closed_form_counts_what_torch_counts(
    kind: type[OctaveConv], kernel: tuple[int, ...], size: tuple[int, ...], stride: int
) -> None:
    """MACs by path, added up, are half of torch's operations in every form of every rank."""
    paddings = tuple(k // 2 for k in kernel)
    for alpha_in, alpha_out in itertools.product(ALPHAS, ALPHAS):
        for exchange, downsample in itertools.product(EXCHANGES, DOWNSAMPLES):
            for groups in (1, 2, 8):
                if groups == 8 and alpha_in != alpha_out:
                    continue
                layer = kind(
                    8, 8 if groups == 8 else 16, kernel, stride, paddings, groups=groups, alpha_in=alpha_in,
                    alpha_out=alpha_out, exchange=exchange, downsample=downsample, device="meta",
                )  # fmt: skip
                low = len(layer.low_in)
                high_part = torch.empty(1, 8 - low, *size, device="meta")
                low_part = torch.empty(1, low, *low_size(size), device="meta")
                with FlopCounterMode(display=False) as counter, torch.no_grad():
                    layer((high_part, low_part) if low else high_part)
                macs = octave_macs(layer, size)
                assert macs.h2h + macs.h2l + macs.l2h + macs.l2l == counter.get_total_flops() // 2
                counted = {path for path in PATHS if getattr(macs, path)}
                assert counted == {path for path in PATHS if layer.has_path(path[0], path[2])}


def test_macs_by_path_worked_out_by_hand() -> None:
    """Eight of sixteen channels low, 3x3 on 10 x 7: full, half and, at stride 2, quarter sizes."""
    layer = OctaveConv2d(16, 16, 3, 1, 1, alpha_in=0.5, alpha_out=0.5, device="meta")
    macs = octave_macs(layer, (10, 7))
    assert (macs.h2h, macs.h2l, macs.l2h, macs.l2l) == (576 * 70, 576 * 20, 576 * 20, 576 * 20)
    layer = OctaveConv2d(16, 16, 3, 2, 1, alpha_in=0.5, alpha_out=0.5, device="meta", downsample="strided")
    macs = octave_macs(layer, (10, 7))
    assert (macs.h2h, macs.h2l, macs.l2h, macs.l2l) == (576 * 20, 576 * 6, 576 * 20, 576 * 6)
    layer = OctaveConv2d(16, 16, 3, 1, 1, alpha_in=0.5, alpha_out=0.5, device="meta", exchange="l2h")
    assert octave_macs(layer, (10, 7)).h2l == 0


@pytest.mark.parametrize(("name", "word"), [("exchange", "all"), ("downsample", "mean"), ("exchange", None)])
def test_a_form_that_there_is_not_is_refused(name: str, word: Any) -> None:
    """The word and those that there are."""
    with pytest.raises(ConversionError, match=f"{name} is {word!r}; it must be one of "):
        OctaveConv2d(4, 4, 1, alpha_in=0.5, alpha_out=0.5, **{name: word})
