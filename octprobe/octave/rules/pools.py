"""Poolings: over windows each frequency by itself, over all of space to a plain value."""

import copy
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.nn import functional

from octprobe.octave.flows import inherit, pool_all
from octprobe.octave.frequency import low_size
from octprobe.octave.layers import EachPool, GlobalPool, Method
from octprobe.octave.rewrite import Rewriter
from octprobe.octave.rules.operands import named_arguments, only_split
from octprobe.octave.table import RULES, UncoveredError

_MAX_ARGUMENTS = ("kernel_size", "stride", "padding", "dilation", "ceil_mode", "return_indices")
_AVERAGE_ARGUMENTS = (
    "kernel_size",
    "stride",
    "padding",
    "ceil_mode",
    "count_include_pad",
    "divisor_override",
)


@RULES.add(nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d, flow=inherit)
def max_pool(rewriter: Rewriter, node: fx.Node) -> None:
    """Pool each frequency; the low part in ceil mode, cropped to half the high size."""
    pool: Any = rewriter.called(node, nn.Module)
    split = only_split(rewriter, node)
    if pool.return_indices:
        raise UncoveredError("no rule gives the indices of a pooling")
    pool_low = copy.copy(pool)
    pool_low.ceil_mode = True
    rewriter.replace(node, _each(rewriter, node, pool, pool_low), EachPool)
    rewriter.give(node, split)


@RULES.add(nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d, flow=inherit)
def average_pool(rewriter: Rewriter, node: fx.Node) -> None:
    """Pool each frequency; the low part in ceil mode, each window over what it covers."""
    pool: Any = rewriter.called(node, nn.Module)
    split = only_split(rewriter, node)
    _refuse_divisor(getattr(pool, "divisor_override", None))
    pool_low = copy.copy(pool)
    pool_low.ceil_mode, pool_low.count_include_pad = True, False
    rewriter.replace(node, _each(rewriter, node, pool, pool_low), EachPool)
    rewriter.give(node, split)


@RULES.add(functional.max_pool1d, functional.max_pool2d, functional.max_pool3d, flow=inherit)
def max_pool_function(rewriter: Rewriter, node: fx.Node) -> None:
    """Pool each frequency; the low part in ceil mode, cropped to half the high size."""
    arguments = named_arguments(node, *_MAX_ARGUMENTS)
    if arguments.get("return_indices"):
        raise UncoveredError("no rule gives the indices of a pooling")
    _pool_each(rewriter, node, arguments, {"ceil_mode": True})


@RULES.add(functional.avg_pool1d, functional.avg_pool2d, functional.avg_pool3d, flow=inherit)
def average_pool_function(rewriter: Rewriter, node: fx.Node) -> None:
    """Pool each frequency; the low part in ceil mode, each window over what it covers."""
    arguments = named_arguments(node, *_AVERAGE_ARGUMENTS)
    _refuse_divisor(arguments.get("divisor_override"))
    _pool_each(rewriter, node, arguments, {"ceil_mode": True, "count_include_pad": False})


@RULES.add("timm.layers.blur_pool.BlurPool2d", flow=inherit)
def blur_pool(rewriter: Rewriter, node: fx.Node) -> None:
    """Blur and pool each frequency with as many copies of the one filter as it has channels."""
    pool, split = rewriter.called(node, nn.Module), only_split(rewriter, node)
    blurs = (_blur_of(pool, len(split.high)), _blur_of(pool, len(split.low)))
    rewriter.replace(node, EachPool(*blurs), split)
    rewriter.give(node, split)


@RULES.add(
    nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d,
    nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d, nn.AdaptiveMaxPool3d,
    flow=pool_all,
)  # fmt: skip
def pool_to_size(rewriter: Rewriter, node: fx.Node) -> None:
    """Pool each frequency to 1x1 and gather: the value is plain from there. To more, leave."""
    pool: Any = rewriter.called(node, nn.Module)
    split = only_split(rewriter, node)
    if getattr(pool, "return_indices", False):
        raise UncoveredError("no rule gives the indices of a pooling")
    if not _is_one(pool.output_size):
        rewriter.leave(node, "it pools adaptively to more than one position")
        rewriter.keep(node)
        return
    rewriter.replace(node, GlobalPool(pool, split), split)


@RULES.add(
    functional.adaptive_avg_pool1d, functional.adaptive_avg_pool2d, functional.adaptive_avg_pool3d,
    functional.adaptive_max_pool1d, functional.adaptive_max_pool2d, functional.adaptive_max_pool3d,
    flow=pool_all,
)  # fmt: skip
def pool_to_size_function(rewriter: Rewriter, node: fx.Node) -> None:
    """Pool each frequency to 1x1 and gather: the value is plain from there. To more, leave."""
    split = only_split(rewriter, node)
    arguments = named_arguments(node, "output_size", "return_indices")
    if arguments.get("return_indices"):
        raise UncoveredError("no rule gives the indices of a pooling")
    if not _is_one(arguments.get("output_size")):
        rewriter.leave(node, "it pools adaptively to more than one position")
        return
    function: Any = node.target
    rewriter.call(node, GlobalPool(partial(function, **arguments), split), (node.args[0],))


@RULES.add("mean", torch.mean, "amax", torch.amax, flow=pool_all)
def over_space(rewriter: Rewriter, node: fx.Node) -> None:
    """Average each frequency over all of space and gather: the value is plain from there."""
    split = only_split(rewriter, node)
    arguments = named_arguments(node, "dim", "keepdim")
    axes, rank = arguments.get("dim"), len(rewriter.shape(node.all_input_nodes[0]))
    axes = (axes,) if isinstance(axes, int) else axes
    if not isinstance(axes, tuple | list) or sorted(axis % rank for axis in axes) != list(range(2, rank)):
        raise UncoveredError("no rule takes a mean over anything but height and width")
    name = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", "")
    pool = Method(str(name), tuple(axes), keepdim=bool(arguments.get("keepdim", False)))
    rewriter.call(node, GlobalPool(pool, split), (node.all_input_nodes[0],))


def _pool_each(rewriter: Rewriter, node: fx.Node, arguments: dict[str, Any], of_low: dict[str, Any]) -> None:
    function: Any = node.target
    split = only_split(rewriter, node)
    pool = _each(rewriter, node, partial(function, **arguments), partial(function, **arguments | of_low))
    rewriter.call(node, pool, (node.args[0],))
    rewriter.give(node, split)


def _each(
    rewriter: Rewriter, node: fx.Node, pool: Callable[..., Tensor], pool_low: Callable[..., Tensor]
) -> EachPool:
    """Give a pooling of each frequency whose low part comes out at half of the high size."""
    each, size = EachPool(pool, pool_low), rewriter.shape(node.all_input_nodes[0])[2:]
    for more in (0, 1):
        sides = tuple(side + more for side in size)
        try:
            high, low = each((_nothing(sides), _nothing(low_size(sides))))
        except RuntimeError as error:  # torch's refusal of a window larger than the value
            raise UncoveredError("no rule pools a low part smaller than the window") from error
        if low.shape[2:] != low_size(high.shape[2:]):
            raise UncoveredError("no rule pools over windows that shrink the size but do not divide it")
    return each


def _nothing(size: Sequence[int]) -> Tensor:
    return torch.empty((1, 1, *size), device="meta")


def _refuse_divisor(divisor: object) -> None:
    if divisor is not None:
        raise UncoveredError("no rule takes a divisor other than the window's size")


def _is_one(size: Any) -> bool:
    return size == 1 or (isinstance(size, tuple | list) and set(size) == {1})


def _blur_of(pool: nn.Module, channels: int) -> Any:
    """Give a blur pool for so many channels; the filter is the same for all."""
    blur: Any = copy.copy(pool)
    blur._buffers = dict(pool._buffers)
    channels = max(channels, 1)  # of a part without channels the size is asked with one
    if blur.channels is not None:
        blur.channels, blur.filt = channels, blur.filt[:channels]
    return blur
