"""The paper's equation in plain steps, independent of the code under test."""

import itertools
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from octprobe.octave import OctaveConv
from octprobe.octave.frequency import Value

Parts = tuple[Tensor | None, Tensor | None]
TOLERANCE = 1e-11


def pool(x: Tensor) -> Tensor:
    """Average each 2x2 window that starts at even positions over the pixels it covers."""
    height, width = x.shape[2:]
    rows = []
    for i in range(0, height, 2):
        cells = [x[:, :, i : i + 2, j : j + 2].mean((2, 3)) for j in range(0, width, 2)]
        rows.append(torch.stack(cells, -1))
    return torch.stack(rows, -2)


def up(x: Tensor, height: int, width: int) -> Tensor:
    """Repeat every pixel twice along both axes and cut to size."""
    return x.repeat_interleave(2, 2).repeat_interleave(2, 3)[:, :, :height, :width]


def split(x: Tensor, low: list[int]) -> Parts:
    """Divide a plain tensor into the high channels and the pooled low ones."""
    high = [c for c in range(x.shape[1]) if c not in low]
    return (x[:, high] if high else None, pool(x[:, low]) if low else None)


def octave_convolution(
    parts: Parts,
    weight: Tensor,
    bias: Tensor | None,
    low_in: list[int],
    low_out: list[int],
    size: tuple[int, int],
    stride: int,
    dilation: int,
) -> Parts:
    """Y_H = f(X_H; W_HH) + up(f(X_L; W_LH)), Y_L = f(X_L; W_LL) + f(pool(X_H); W_HL).

    At stride 2 the high input is pooled first, X_L reaches Y_H without a resize, and Y_L from X_L pools it.
    """
    high_in = [c for c in range(weight.shape[1]) if c not in low_in]
    high_out = [c for c in range(weight.shape[0]) if c not in low_out]
    padding = dilation * (weight.shape[2] - 1) // 2
    x_high, x_low = parts

    def f(x: Tensor, rows: list[int], columns: list[int]) -> Tensor:
        return functional.conv2d(x, weight[rows][:, columns], None, 1, padding, dilation)

    if not low_in and not low_out:
        assert x_high is not None
        return functional.conv2d(x_high, weight, bias, stride, padding, dilation), None
    if stride == 2 and x_high is not None:
        x_high = pool(x_high)
    height, width = ((n + stride - 1) // stride for n in size)
    y_high: list[Tensor] = []
    y_low: list[Tensor] = []
    if x_high is not None:
        y_high += [f(x_high, high_out, high_in)] if high_out else []
        y_low += [f(pool(x_high), low_out, high_in)] if low_out else []
    if x_low is not None and high_out:
        exchanged = f(x_low, high_out, low_in)
        y_high.append(exchanged if stride == 2 else up(exchanged, height, width))
    if x_low is not None and low_out:
        y_low.append(f(pool(x_low) if stride == 2 else x_low, low_out, low_in))
    return _sum(y_high, bias, high_out), _sum(y_low, bias, low_out)


def _sum(parts: list[Tensor], bias: Tensor | None, channels: list[int]) -> Tensor | None:
    if not parts:
        return None
    return _with_bias(torch.stack(parts).sum(0), bias, channels)


def space_of(x: Tensor) -> range:
    """Give the axes that are halved: the last one of (B, C, L), the last two of any other value."""
    return range(max(2, x.dim() - 2), x.dim())


def halved(x: Tensor, how: str) -> Tensor:
    """Make one of each two neighbours along every axis of space: their mean, their greatest or the first."""
    take = {
        "average": lambda two, axis: two.mean(axis),
        "max": lambda two, axis: two.amax(axis),
        "strided": lambda two, axis: two.select(axis, 0),
    }[how]
    for axis in space_of(x):
        size = x.shape[axis]
        x = torch.stack([take(x.narrow(axis, i, min(2, size - i)), axis) for i in range(0, size, 2)], axis)
    return x


def doubled(x: Tensor, size: Sequence[int]) -> Tensor:
    """Repeat every number twice along the axes of space and cut to a size (L,), (H, W) or (T, H, W)."""
    for axis in space_of(x):
        x = x.repeat_interleave(2, axis).narrow(axis, 0, size[axis - 2])
    return x


def halves(x: Tensor, low: list[int], how: str = "average") -> Parts:
    """Divide a plain tensor of any rank into the high channels and the halved low ones."""
    high = [c for c in range(x.shape[1]) if c not in low]
    return (x[:, high] if high else None, halved(x[:, low], how) if low else None)


def convolution(
    x: Tensor,
    weight: Tensor,
    stride: Sequence[int],
    dilation: Sequence[int],
    edges: Sequence[tuple[int, int]],
) -> Tensor:
    """Add up the shifted input tap by tap, over any axes; `edges` are zeros before and after each."""
    padding = [zeros for edge in reversed(edges) for zeros in edge]
    padded, kernel = functional.pad(x, padding), weight.shape[2:]
    sizes = [
        (side - d * (k - 1) - 1) // s + 1
        for side, s, d, k in zip(padded.shape[2:], stride, dilation, kernel, strict=True)
    ]
    out = x.new_zeros(x.shape[0], weight.shape[0], *sizes)
    for tap in itertools.product(*map(range, kernel)):
        seen = [
            slice(t * d, t * d + s * (n - 1) + 1, s)
            for t, d, s, n in zip(tap, dilation, stride, sizes, strict=True)
        ]
        out = out + torch.einsum("bi...,oi->bo...", padded[:, :, *seen], weight[:, :, *tap])
    return out


def dense_weight(weight: Tensor, groups: int) -> Tensor:
    """Give a grouped convolution's weight with zeros for what is of other groups."""
    rows, columns = weight.shape[0] // groups, weight.shape[1]
    dense = weight.new_zeros(weight.shape[0], columns * groups, *weight.shape[2:])
    for g in range(groups):
        mine = slice(g * rows, (g + 1) * rows)
        dense[mine, g * columns : (g + 1) * columns] = weight[mine]
    return dense


def paths_of(low_in: list[int], c_in: int, low_out: list[int], c_out: int, exchange: str) -> set[str]:
    """Name the paths that a form of the operator has; a border has all that its frequencies allow."""
    sources = {"h": len(low_in) < c_in, "l": bool(low_in)}
    targets = {"h": len(low_out) < c_out, "l": bool(low_out)}
    wanted = {"both": {"h2l", "l2h"}, "h2l": {"h2l"}, "l2h": {"l2h"}, "none": set()}[exchange]
    if not all((*sources.values(), *targets.values())):
        wanted = {"h2l", "l2h"}
    return {f"{s}2{t}" for s in "hl" for t in "hl" if sources[s] and targets[t]} & ({"h2h", "l2l"} | wanted)


def octave_form(
    parts: Parts,
    weight: Tensor,
    bias: Tensor | None,
    low_in: list[int],
    low_out: list[int],
    size: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int],
    edges: Sequence[tuple[int, int]],
    exchange: str = "both",
    downsample: str = "average",
) -> Parts:
    """Any form of the operator for any number of axes, path by path.

    A path to a smaller size halves its input first, once or twice; `strided`, its convolution takes longer
    steps instead. Time, the first of three axes, has the steps of `stride` on every path.
    """
    c_out, c_in = weight.shape[:2]
    axes = {"h": [c for c in range(c_in) if c not in low_in], "l": low_in}
    rows = {"h": [c for c in range(c_out) if c not in low_out], "l": low_out}
    paths = paths_of(low_in, c_in, low_out, c_out, exchange)
    if paths == {"h2h"}:
        assert parts[0] is not None
        return _with_bias(convolution(parts[0], weight, stride, dilation, edges), bias, rows["h"]), None
    space, shrinks = min(len(size), 2), stride[-1] == 2
    sums: dict[str, list[Tensor]] = {"h": [], "l": []}
    for source, target in sorted(path.split("2") for path in paths):
        x = parts["hl".index(source)]
        assert x is not None
        # In units of the input's high part: what comes is full or half size, what goes full, half or quarter.
        halvings = int(shrinks) + int(target == "l") - int(source == "l")
        if downsample != "strided":
            for _ in range(halvings):
                x = halved(x, downsample)
        steps = 2 ** max(halvings, 0) if downsample == "strided" else 1
        kernel = weight[rows[target]][:, axes[source]]
        y = convolution(x, kernel, [*stride[:-space], *[steps] * space], dilation, edges)
        sums[target].append(doubled(y, size) if halvings < 0 else y)
    high, low = (torch.stack(sums[f]).sum(0) if sums[f] else None for f in "hl")
    return _with_bias(high, bias, rows["h"]), _with_bias(low, bias, rows["l"])


def value_of(parts: Parts, size: tuple[int, ...]) -> Value:
    """Give the layer's form of a value: without high channels an empty part, without low ones a tensor."""
    high, low = parts
    if low is None:
        assert high is not None
        return high
    return (low.new_empty(low.shape[0], 0, *size) if high is None else high), low


def assert_is(got: Value, expected: Parts) -> None:
    """Hold a layer's output to the reference's, high to high and low to low."""
    high, low = expected
    if low is None:
        assert isinstance(got, Tensor)
        torch.testing.assert_close(got, high, rtol=TOLERANCE, atol=TOLERANCE)
        return
    assert isinstance(got, tuple)
    torch.testing.assert_close(got[1], low, rtol=TOLERANCE, atol=TOLERANCE)
    if high is None:
        assert got[0].shape[1] == 0
    else:
        torch.testing.assert_close(got[0], high, rtol=TOLERANCE, atol=TOLERANCE)


def edges_of(
    padding: str | int | tuple[int, ...], kernel: tuple[int, ...], dilation: tuple[int, ...]
) -> list:
    """Give the zeros before and after each axis; `same` has the odd one at the end."""
    if padding == "same":
        spans = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
        return [(span // 2, span - span // 2) for span in spans]
    zeros = 0 if padding == "valid" else padding
    paddings = zeros if isinstance(zeros, tuple) else (int(zeros),) * len(kernel)
    return [(p, p) for p in paddings]


def assert_is_the_form(layer: OctaveConv, x: Tensor, padding: Any) -> None:
    """Hold a layer to the reference, sliced with gradients and packed without."""
    low_in, low_out, size = list(layer.low_in), list(layer.low_out), tuple(x.shape[2:])
    parts, edges = halves(x, low_in), edges_of(padding, layer.kernel_size, layer.dilation)
    expected = octave_form(
        parts, dense_weight(layer.weight, layer.groups), layer.bias, low_in, low_out, size,
        layer.stride, layer.dilation, edges, layer.exchange, layer.downsample,
    )  # fmt: skip
    value = value_of(parts, size)
    got = layer.train()(value)
    assert_is(got, expected)
    high = got if isinstance(got, Tensor) else got[0]
    assert high.shape[2:] == sizes_out(size, layer, edges)
    with torch.no_grad():
        assert_is(layer.eval()(value), expected)


def sizes_out(size: Sequence[int], conv: Any, edges: Sequence[tuple[int, int]]) -> tuple[int, ...]:
    """Give the size of a plain convolution's output, which a high part has even without channels."""
    geometry = zip(size, conv.kernel_size, conv.stride, conv.dilation, edges, strict=True)
    return tuple((side + sum(edge) - d * (k - 1) - 1) // s + 1 for side, k, s, d, edge in geometry)


def _with_bias(x: Tensor | None, bias: Tensor | None, channels: list[int]) -> Tensor | None:
    if x is None or bias is None:
        return x
    return x + bias[channels].reshape(1, -1, *(1,) * (x.dim() - 2))
