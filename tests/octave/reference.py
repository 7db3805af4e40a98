"""The paper's equation in plain steps, independent of the code under test."""

import torch
from torch import Tensor
from torch.nn import functional

Parts = tuple[Tensor | None, Tensor | None]


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
    total = torch.stack(parts).sum(0)
    return total if bias is None else total + bias[channels].reshape(1, -1, 1, 1)
