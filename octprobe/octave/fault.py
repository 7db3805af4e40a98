"""Which convolutions have an octave form, and why the others have none."""

from typing import Protocol

from torch import nn

_SPACE_AXES = 2


class Geometry(Protocol):
    """What a convolution says of its channels."""

    in_channels: int
    groups: int


def is_depthwise(conv: Geometry) -> bool:
    """Tell whether every input channel has outputs of its own."""
    return conv.groups == conv.in_channels > 1


def octave_fault(conv: nn.modules.conv._ConvNd) -> str | None:
    """Say why a convolution has no octave form; None where it has one.

    Octave-able are convolutions whose output is as large as their input, or half as large rounded up, so that
    the low output stays half of the high one. Time, the first of three axes, may do what it likes.
    """
    space = slice(-_SPACE_AXES, None)
    if _pads_by_size(conv):
        return "its padding depends on the size"
    if conv.transposed:
        return "it is a transposed convolution"
    if set(conv.stride[space]) not in ({1}, {2}):
        return f"stride is {conv.stride}; it must be 1 or 2, equal on the axes of space"
    kernel_size = conv.kernel_size[space]
    if isinstance(conv.padding, str):
        grows = conv.padding == "valid" and set(kernel_size) != {1}
        rule = "it must keep the size: 2 * padding = dilation * (kernel_size - 1)"
        return f"padding is 'valid'; {rule}" if grows else None
    return _padding_fault(conv.stride[space], kernel_size, conv.dilation[space], tuple(conv.padding[space]))


def _pads_by_size(conv: nn.modules.conv._ConvNd) -> bool:
    """Tell whether a convolution of timm pads as TensorFlow does, unevenly where the size asks for it."""
    return type(conv).__name__ == "Conv2dSame" or bool(getattr(conv, "same_pad", False))


def _padding_fault(
    stride: tuple[int, ...], kernel_size: tuple[int, ...], dilation: tuple[int, ...], padding: tuple[int, ...]
) -> str | None:
    spans = tuple(d * (k - 1) for d, k in zip(dilation, kernel_size, strict=True))
    if tuple(2 * p for p in padding) != spans:
        return f"padding is {padding}; 2 * padding must be dilation * (kernel_size - 1) = {spans}"
    if 2 in stride and any(k % 2 == 0 for k in kernel_size):
        return f"kernel_size is {kernel_size}; it must be odd at stride 2"
    return None
