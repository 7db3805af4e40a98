"""How low channels flow through an operator: from the layouts of its inputs to the layout of its output."""

from collections.abc import Iterable
from typing import Any

from torch import fx, nn

from octprobe.octave.fault import is_depthwise, octave_fault
from octprobe.octave.groups import AlphaGroups
from octprobe.octave.layouts import Layout, LayoutError


def convolve(groups: AlphaGroups, node: fx.Node) -> Layout:
    """Give the output channels of its own; those of a depthwise convolution inherit its input's."""
    name, source = str(node.target), node.all_input_nodes[0]
    conv = groups.modules[name]
    if not isinstance(conv, nn.modules.conv._ConvNd) or octave_fault(conv) is not None:
        return ()
    if groups.is_pooled(source):
        # What works on globally pooled values, as squeeze-excite does, has no space to halve.
        return ()
    if is_depthwise(conv):
        layout = groups.leaves.repeated(groups.layout(source), conv.out_channels // conv.in_channels)
        groups.also(name, layout)
        return layout
    layout = groups.new(name, conv.out_channels)
    if conv.groups > 1:
        groups.leaves.group(layout, conv.groups)
        groups.leaves.group(groups.layout(source), conv.groups)
    return layout


def inherit(groups: AlphaGroups, node: fx.Node) -> Layout:
    """Split as the inputs, which must split alike; what broadcasts against them has no say."""
    shape = groups.shape(node)
    whole = [source for source in node.all_input_nodes if groups.shape(source)[1:2] == shape[1:2]]
    return groups.joined(whole)


def inherit_second(groups: AlphaGroups, node: fx.Node) -> Layout:
    """Split as the second input, which the first one is expanded to."""
    inputs = node.all_input_nodes
    return groups.layout(inputs[1]) if len(inputs) > 1 else ()


def pool_all(groups: AlphaGroups, node: fx.Node) -> Layout:
    """Make all of space one value: the output is plain, and so is all that is computed from it alone."""
    if set(groups.shape(node)[2:]) <= {1}:
        groups.mark_pooled(node)
    return ()


def leave(groups: AlphaGroups, node: fx.Node) -> Layout:
    """Give a plain output."""
    return ()


def concatenate(groups: AlphaGroups, node: fx.Node) -> Layout:
    """Put the parts' channels side by side; a part that is always plain has none that can be low."""
    sources = concatenated(node)
    if not sources or not any(groups.layout(source) for source in sources) or axis_of(node, groups) != 1:
        return ()
    plain = (groups.leaves.new(groups.shape(source)[1], is_plain=True) for source in sources)
    return tuple(
        run
        for source, otherwise in zip(sources, plain, strict=True)
        for run in groups.layout(source) or otherwise
    )


def divide(groups: AlphaGroups, node: fx.Node) -> Layout:
    """Give pieces of the channels; each splits as its place in the whole says."""
    layout, widths = groups.layout(node.all_input_nodes[0]), widths_of(groups, node)
    if layout and sum(widths) == sum(run.channels for run in layout):
        groups.set_parts(node, groups.leaves.pieces(layout, widths))
    return ()


def pick(groups: AlphaGroups, node: fx.Node) -> Layout:
    """Give one of the pieces, or a range of the channels."""
    source, index = node.args[0], groups.recording.static(node.args[1])
    if not isinstance(source, fx.Node):
        return ()
    if groups.parts(source):
        return groups.parts(source)[index] if isinstance(index, int) else ()
    layout, taken = groups.layout(source), channel_range(index)
    if not layout or taken is None:
        return ()
    start, stop, _ = taken.indices(sum(run.channels for run in layout))
    return groups.leaves.slice(layout, start, stop)


def shuffle(groups: AlphaGroups, node: fx.Node) -> Layout:
    """Deal the channels of some groups out in turn."""
    return groups.leaves.shuffled(groups.layout(node.all_input_nodes[0]), shuffled_groups(groups, node))


def fold(groups: AlphaGroups, node: fx.Node) -> Layout:
    """Fold neighbouring channels into space, as a pixel shuffle does."""
    layout = groups.layout(node.all_input_nodes[0])
    return groups.leaves.folded(layout, pixel_factor(groups, node) ** 2) if layout else ()


def concatenated(node: fx.Node) -> list[fx.Node]:
    """Give the values that a node concatenates; none where they are not listed in the call."""
    listed = node.args[0] if node.args else node.kwargs.get("tensors")
    nodes = list(listed) if isinstance(listed, Iterable) else []
    return [n for n in nodes if isinstance(n, fx.Node)] if all(isinstance(n, fx.Node) for n in nodes) else []


def axis_of(node: fx.Node, groups: AlphaGroups) -> int:
    """Give the dimension that a node concatenates over."""
    axis: Any = node.args[1] if len(node.args) > 1 else node.kwargs.get("dim", node.kwargs.get("axis", 0))
    return int(axis) % max(len(groups.shape(node)), 1)


def widths_of(groups: AlphaGroups, node: fx.Node) -> list[int]:
    """Give the channels of each piece that a node gives; none where it does not divide the channels."""
    shapes: Any = groups.recording.shapes.get(node.name, ())
    whole = groups.shape(node.all_input_nodes[0])
    if len(whole) < 3 or not all(isinstance(s, tuple) and s[2:] == whole[2:] for s in shapes):
        return []
    return [shape[1] for shape in shapes]


def channel_range(index: object) -> slice | None:
    """Give the range of channels that an index takes; None where it takes anything else."""
    if not isinstance(index, tuple) or len(index) < 2 or not all(isinstance(i, slice) for i in index):
        return None
    batch, channels, *space = index
    whole = slice(None)
    if batch != whole or any(axis != whole for axis in space) or channels.step not in {None, 1}:
        return None
    return channels if isinstance(channels, slice) else None


def shuffled_groups(groups: AlphaGroups, node: fx.Node) -> int:
    """Give the groups whose channels a node deals out in turn."""
    module = groups.modules.get(str(node.target))
    number: Any = module.groups if isinstance(module, nn.ChannelShuffle) else _second(node, "groups")
    if not isinstance(number, int):
        raise LayoutError("the groups of a channel shuffle are not written in the call")
    return number


def pixel_factor(groups: AlphaGroups, node: fx.Node) -> int:
    """Give the factor by which a node's pixel shuffle enlarges."""
    module = groups.modules.get(str(node.target))
    given = module.upscale_factor if isinstance(module, nn.PixelShuffle) else None
    factor: Any = given or _second(node, "upscale_factor")
    if not isinstance(factor, int):
        raise LayoutError("the factor of a pixel shuffle is not written in the call")
    return factor


def _second(node: fx.Node, name: str) -> object:
    """Give the second argument of a call, by position or by name."""
    return node.args[1] if len(node.args) > 1 else node.kwargs.get(name)
