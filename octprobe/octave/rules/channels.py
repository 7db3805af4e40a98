"""Channels put together, taken apart and dealt out anew; sizes changed by interpolation."""

import operator
from itertools import accumulate
from typing import Any

import torch
from torch import fx, nn
from torch.nn import functional

from octprobe.octave import flows
from octprobe.octave.channels import Channels, EachInterpolate, EachPixelShuffle, Pieces, cat_values
from octprobe.octave.layers import Each
from octprobe.octave.rewrite import Rewriter
from octprobe.octave.rules.operands import named_arguments, only_split
from octprobe.octave.split import ChannelSplit, concatenated
from octprobe.octave.table import RULES, UncoveredError


@RULES.add(torch.cat, torch.concat, torch.concatenate, flow=flows.concatenate)
def concatenation(rewriter: Rewriter, node: fx.Node) -> None:
    """Concatenate high parts with high ones and low with low; a plain part is all high."""
    values = flows.concatenated(node)
    if not values or flows.axis_of(node, rewriter.groups) != 1:
        raise UncoveredError("no rule concatenates anything but channels of listed values")
    if any(len(rewriter.shape(value)) < 3 for value in values):
        raise UncoveredError("no rule concatenates values without space")
    splits = [rewriter.splits.get(v, ChannelSplit(rewriter.shape(v)[1])) for v in values]
    node.target, node.args, node.kwargs = cat_values, (list(values),), {}
    rewriter.give(node, concatenated(splits))


@RULES.add(torch.chunk, "chunk", torch.split, "split", "tensor_split", torch.tensor_split, flow=flows.divide)
def division(rewriter: Rewriter, node: fx.Node) -> None:
    """Take the channels apart; each piece is a pair, or plain where none of its channels is low."""
    split = only_split(rewriter, node)
    widths = flows.widths_of(rewriter.groups, node)
    splits = [split.part(stop - width, stop) for width, stop in zip(widths, accumulate(widths), strict=True)]
    if sum(widths) != split.channels or any(reader.target is not operator.getitem for reader in node.users):
        raise UncoveredError("no rule divides anything but channels into pieces that are read one by one")
    rewriter.call(node, Pieces(split, widths), (node.args[0],))
    rewriter.parts[node] = tuple(splits)


@RULES.add(operator.getitem, flow=flows.pick)
def item(rewriter: Rewriter, node: fx.Node) -> None:
    """Pick a piece, or a range of channels."""
    source, index = node.args[0], rewriter.recording.static(node.args[1])
    if not isinstance(source, fx.Node):
        raise UncoveredError("no rule takes these arguments")
    if source in rewriter.parts:
        if not isinstance(index, int):
            raise UncoveredError("no rule picks several pieces at once")
        rewriter.give(node, rewriter.parts[source][index])
        return
    split, taken = only_split(rewriter, node), flows.channel_range(index)
    if taken is None:
        raise UncoveredError("no rule takes anything but a range of channels")
    start, stop, _ = taken.indices(split.channels)
    rewriter.call(node, Channels(split, start, stop), (source,))
    rewriter.give(node, split.part(start, stop))


@RULES.add(nn.ChannelShuffle, "torchvision.models.shufflenetv2.channel_shuffle", flow=flows.shuffle)
def channel_shuffle(rewriter: Rewriter, node: fx.Node) -> None:
    """Deal out the channels of each frequency by itself: the groups split alike."""
    groups = flows.shuffled_groups(rewriter.groups, node)
    of_group = only_split(rewriter, node).within_groups(groups)
    if of_group is None:
        raise UncoveredError("no rule shuffles groups that split differently")
    shuffle = Each(nn.ChannelShuffle(groups))
    if node.op == "call_module":
        rewriter.replace(node, shuffle, Each)
    else:
        rewriter.call(node, shuffle, (node.args[0],))
    rewriter.give(node, of_group.repeat_each(groups))


@RULES.add(nn.PixelShuffle, functional.pixel_shuffle, flow=flows.fold)
def pixel_shuffle(rewriter: Rewriter, node: fx.Node) -> None:
    """Fold channels into space in each frequency; neighbours that become one channel are of one frequency."""
    factor = flows.pixel_factor(rewriter.groups, node)
    shuffle, split = EachPixelShuffle(factor), only_split(rewriter, node).fold_each(factor**2)
    if split is None:
        raise UncoveredError("no rule folds neighbours of both frequencies into one channel")
    if node.op == "call_module":
        rewriter.replace(node, shuffle, EachPixelShuffle)
    else:
        rewriter.call(node, shuffle, (node.args[0],))
    rewriter.give(node, split)


@RULES.add(nn.Upsample, nn.UpsamplingNearest2d, nn.UpsamplingBilinear2d, flow=flows.inherit)
def upsample(rewriter: Rewriter, node: fx.Node) -> None:
    """Resize each frequency; the low part to half of the high size."""
    module: Any = rewriter.called(node, nn.Module)
    split = only_split(rewriter, node)
    if module.recompute_scale_factor:
        raise UncoveredError("no rule computes the factor anew from the size")
    resize = EachInterpolate(module.mode, module.align_corners, module.size, module.scale_factor)
    rewriter.replace(node, resize, EachInterpolate)
    rewriter.give(node, split)


@RULES.add(functional.interpolate, flow=flows.inherit)
def interpolation(rewriter: Rewriter, node: fx.Node) -> None:
    """Resize each frequency; the low part to half of the high size."""
    split = only_split(rewriter, node)
    names = ("size", "scale_factor", "mode", "align_corners", "recompute_scale_factor", "antialias")
    given = named_arguments(node, *names, may_vary=("size",))
    if given.get("recompute_scale_factor") or given.get("antialias"):
        raise UncoveredError("no rule takes these arguments")
    # The size may be computed from another value's, and so stays an argument of the call.
    size = node.args[1] if len(node.args) > 1 else node.kwargs.get("size")
    resize = EachInterpolate(
        given.get("mode", "nearest"), given.get("align_corners"), None, given.get("scale_factor")
    )
    rewriter.call(node, resize, (node.args[0], size))
    rewriter.give(node, split)
