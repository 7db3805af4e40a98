"""The rules, one small function an operator; what is not here is an error or a merge."""

import copy
import operator
from typing import Any

import torch
from torch import fx, nn
from torch.nn import functional

from octprobe.octave.conv import OctaveConv2d, is_depthwise, octave_fault
from octprobe.octave.layers import Each, EachDropPath, EachPool, Gate, GlobalPool, add_pairs
from octprobe.octave.norm import OctaveBatchNorm
from octprobe.octave.rewrite import Rewriter
from octprobe.octave.split import ChannelSplit
from octprobe.octave.table import Flow, RuleTable, UncoveredError

RULES = RuleTable()


@RULES.add(nn.Conv2d, flow=Flow.CONVOLVE)
def convolution(rewriter: Rewriter, node: fx.Node) -> None:
    """Make a convolution octave where its input or output has low channels; where it cannot be, leave."""
    conv = rewriter.called(node, nn.Conv2d)
    split_in = rewriter.splits.get(node.all_input_nodes[0], ChannelSplit(conv.in_channels))
    split_out = rewriter.groups.split_of(node) or ChannelSplit(conv.out_channels)
    if is_depthwise(conv):
        split_out = split_in
    uncovered = octave_fault(conv) is not None or split_out.channels != conv.out_channels
    if uncovered or (split_in.is_plain and split_out.is_plain):
        rewriter.merge_inputs(node)
        rewriter.keep(node)
        return
    rewriter.replace(node, OctaveConv2d.from_conv(conv, split_in, split_out), split_in, split_out)
    rewriter.give(node, split_out)


@RULES.add(nn.BatchNorm2d, flow=Flow.INHERIT)
def batch_norm(rewriter: Rewriter, node: fx.Node) -> None:
    """Normalise each frequency with its channels' parameters."""
    split = _only_split(rewriter, node)
    rewriter.replace(node, OctaveBatchNorm.from_norm(rewriter.called(node, nn.BatchNorm2d), split), split)
    rewriter.give(node, split)


@RULES.add(nn.Identity, flow=Flow.INHERIT)
def identity(rewriter: Rewriter, node: fx.Node) -> None:
    """Pass a pair as it is."""
    rewriter.give(node, _only_split(rewriter, node))


@RULES.add(
    nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.ELU, nn.SiLU, nn.GELU, nn.Mish, nn.Hardswish, nn.Hardsigmoid,
    nn.Hardtanh, nn.Sigmoid, nn.Tanh, nn.Softplus, nn.Dropout, nn.Dropout2d,
    flow=Flow.INHERIT,
)  # fmt: skip
def elementwise_module(rewriter: Rewriter, node: fx.Node) -> None:
    """Act on each frequency alike."""
    split = _only_split(rewriter, node)
    rewriter.replace(node, Each(rewriter.called(node, nn.Module)), Each)
    rewriter.give(node, split)


@RULES.add(
    functional.relu, functional.relu6, functional.leaky_relu, functional.elu, functional.silu,
    functional.gelu, functional.mish, functional.hardswish, functional.hardsigmoid, functional.sigmoid,
    functional.tanh, functional.dropout, torch.relu, torch.sigmoid, torch.tanh,
    flow=Flow.INHERIT,
)  # fmt: skip
def elementwise_function(rewriter: Rewriter, node: fx.Node) -> None:
    """Act on each frequency alike."""
    split = _only_split(rewriter, node)
    module = rewriter.module_of(node, nn.Module)
    if module is not None:
        rewriter.replace(node, Each(module), Each)
    elif callable(node.target):
        rewriter.call(node, Each(node.target))
    rewriter.give(node, split)


@RULES.add("relu", "relu_", "sigmoid", "tanh", "clone", "contiguous", flow=Flow.INHERIT)
def elementwise_method(rewriter: Rewriter, node: fx.Node) -> None:
    """Act on each frequency alike."""
    split = _only_split(rewriter, node)
    if len(node.args) > 1 or node.kwargs:
        raise UncoveredError("no rule takes arguments of this method")
    rewriter.call(node, Each(operator.methodcaller(str(node.target))))
    rewriter.give(node, split)


@RULES.add("timm.layers.drop.DropPath", "torchvision.ops.stochastic_depth.StochasticDepth", flow=Flow.INHERIT)
def drop_path(rewriter: Rewriter, node: fx.Node) -> None:
    """Drop both frequencies of a sample with one mask."""
    split = _only_split(rewriter, node)
    rewriter.replace(node, EachDropPath(rewriter.called(node, nn.Module)), EachDropPath)
    rewriter.give(node, split)


@RULES.add(nn.MaxPool2d, flow=Flow.INHERIT)
def max_pool(rewriter: Rewriter, node: fx.Node) -> None:
    """Pool each frequency; the low part in ceil mode, cropped to half the high size."""
    pool, split = rewriter.called(node, nn.MaxPool2d), _only_split(rewriter, node)
    if pool.return_indices:
        raise UncoveredError("no rule gives the indices of a pooling")
    pool_low = copy.copy(pool)
    pool_low.ceil_mode = True
    rewriter.replace(node, EachPool(pool, pool_low), EachPool)
    rewriter.give(node, split)


@RULES.add(nn.AvgPool2d, flow=Flow.INHERIT)
def average_pool(rewriter: Rewriter, node: fx.Node) -> None:
    """Pool each frequency; the low part in ceil mode, each window over what it covers."""
    pool, split = rewriter.called(node, nn.AvgPool2d), _only_split(rewriter, node)
    if pool.divisor_override is not None:
        raise UncoveredError("no rule takes a divisor other than the window's size")
    pool_low = copy.copy(pool)
    pool_low.ceil_mode, pool_low.count_include_pad = True, False
    rewriter.replace(node, EachPool(pool, pool_low), EachPool)
    rewriter.give(node, split)


@RULES.add(nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d, flow=Flow.POOL_ALL)
def pool_all(rewriter: Rewriter, node: fx.Node) -> None:
    """Pool each frequency to 1x1 and gather: the value is plain from there."""
    pool = rewriter.called(node, nn.Module)
    split = _only_split(rewriter, node)
    if pool.output_size not in {1, (1, 1)} or getattr(pool, "return_indices", False):
        raise UncoveredError("no rule pools adaptively to more than one position")
    rewriter.replace(node, GlobalPool(pool, split), split)


@RULES.add("mean", torch.mean, flow=Flow.POOL_ALL)
def mean_of_space(rewriter: Rewriter, node: fx.Node) -> None:
    """Average each frequency over height and width and gather: the value is plain from there."""
    split = _only_split(rewriter, node)
    arguments: dict[str, Any] = dict(zip(("input", "dim", "keepdim"), node.args, strict=False)) | dict(
        node.kwargs
    )
    axes = arguments.get("dim")
    if (
        not isinstance(axes, (tuple, list))
        or sorted(axis % 4 for axis in axes) != [2, 3]
        or "dtype" in arguments
    ):
        raise UncoveredError("no rule takes a mean over anything but height and width")
    mean = operator.methodcaller("mean", tuple(axes), keepdim=bool(arguments.get("keepdim", False)))
    rewriter.call(node, GlobalPool(mean, split), (node.all_input_nodes[0],))


@RULES.add(operator.add, operator.iadd, torch.add, "add", "add_", flow=Flow.INHERIT)
def addition(rewriter: Rewriter, node: fx.Node) -> None:
    """Add pairs part by part; a plain side is split first, without parameters."""
    a, b = _two_nodes(node)
    split = rewriter.splits[rewriter.pairs(node)[0]]
    for side in (a, b):
        # Over batch and space parts broadcast as the whole would; over channels they do not.
        if not _has_channels(rewriter, side, split.channels):
            raise UncoveredError(f"no rule adds anything but a value (B, {split.channels}, H, W)")
    sides = [side if side in rewriter.splits else rewriter.split_before(node, side, split) for side in (a, b)]
    if any(rewriter.splits[side] != split for side in sides):
        raise UncoveredError("no rule adds pairs that split differently")
    node.op, node.target, node.args, node.kwargs = "call_function", add_pairs, tuple(sides), {}
    rewriter.give(node, split)


@RULES.add(operator.mul, operator.imul, torch.mul, "mul", "mul_", flow=Flow.INHERIT)
def gate(rewriter: Rewriter, node: fx.Node) -> None:
    """Scale both frequencies by a plain gate of one value a channel, each with its own channels."""
    a, b = _two_nodes(node)
    if a in rewriter.splits and b in rewriter.splits:
        raise UncoveredError("no rule multiplies two pairs")
    pair, scale = (a, b) if a in rewriter.splits else (b, a)
    split = rewriter.splits[pair]
    if not _has_channels(rewriter, scale, split.channels) or rewriter.shapes[scale.name][2:] != (1, 1):
        raise UncoveredError(f"no rule multiplies by anything but a plain value (B, {split.channels}, 1, 1)")
    rewriter.call(node, Gate(split), (pair, scale))
    rewriter.give(node, split)


@RULES.add(nn.GroupNorm, nn.LayerNorm, nn.LocalResponseNorm, flow=Flow.LEAVE)
def leave(rewriter: Rewriter, node: fx.Node) -> None:
    """Make the pair plain: what mixes channels has no octave form."""
    rewriter.merge_inputs(node)


def _only_split(rewriter: Rewriter, node: fx.Node) -> ChannelSplit:
    pairs = rewriter.pairs(node)
    if len(pairs) != 1 or not node.args or node.args[0] is not pairs[0]:
        raise UncoveredError("no rule takes these arguments")
    return rewriter.splits[pairs[0]]


def _has_channels(rewriter: Rewriter, node: fx.Node, channels: int) -> bool:
    """Tell whether a node gives (B, C, H, W) with so many channels in the vanilla network."""
    shape = rewriter.shapes.get(node.name, ())
    return len(shape) == 4 and shape[1] == channels


def _two_nodes(node: fx.Node) -> tuple[fx.Node, fx.Node]:
    if len(node.args) == 2 and not node.kwargs:
        a, b = node.args
        if isinstance(a, fx.Node) and isinstance(b, fx.Node):
            return a, b
    raise UncoveredError("no rule takes anything but two tensors")
