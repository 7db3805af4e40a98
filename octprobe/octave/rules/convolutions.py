"""Convolutions on pairs: octave where they can be, plain where they cannot."""

from torch import fx, nn
from torch.nn.modules.conv import _ConvNd

from octprobe.octave.conv import OctaveConv, OctaveConv1d, OctaveConv2d, OctaveConv3d
from octprobe.octave.fault import is_depthwise, octave_fault
from octprobe.octave.flows import convolve
from octprobe.octave.rewrite import Rewriter
from octprobe.octave.split import ChannelSplit
from octprobe.octave.standardised import OctaveStdConv2d
from octprobe.octave.table import RULES, UncoveredError

_OCTAVE: dict[type[nn.Module], type[OctaveConv]] = {
    nn.Conv1d: OctaveConv1d,
    nn.Conv2d: OctaveConv2d,
    nn.Conv3d: OctaveConv3d,
}


@RULES.add(
    *_OCTAVE,
    nn.ConvTranspose1d,
    nn.ConvTranspose2d,
    nn.ConvTranspose3d,
    "torchvision.models.video.resnet.Conv3DSimple",
    "torchvision.models.video.resnet.Conv3DNoTemporal",
    "timm.layers.std_conv.StdConv2d",
    "timm.layers.std_conv.ScaledStdConv2d",
    "timm.layers.std_conv.StdConv2dSame",
    "timm.layers.std_conv.ScaledStdConv2dSame",
    "timm.layers.conv2d_same.Conv2dSame",
    flow=convolve,
)
def convolution(rewriter: Rewriter, node: fx.Node) -> None:
    """Make a convolution octave where its input or output has low channels; where it cannot be, leave."""
    conv = rewriter.called(node, _ConvNd)
    split_in = rewriter.splits.get(node.all_input_nodes[0], ChannelSplit(conv.in_channels))
    split_out = rewriter.groups.split_of(node) or ChannelSplit(conv.out_channels)
    if is_depthwise(conv):
        split_out = split_in.repeat_each(conv.out_channels // conv.in_channels)
    fault = octave_fault(conv)
    if fault is not None:
        rewriter.leave(node, f"it has no octave form: {fault}")
        split_in = split_out = ChannelSplit(conv.in_channels)
    if split_in.is_plain and split_out.is_plain:
        rewriter.keep(node)
        return
    octave = _octave_form(rewriter, conv, split_in, split_out)
    rewriter.replace(node, octave, split_in, split_out)
    rewriter.give(node, split_out)


def _octave_form(
    rewriter: Rewriter, conv: _ConvNd, split_in: ChannelSplit, split_out: ChannelSplit
) -> OctaveConv:
    if conv.groups > 1 and not is_depthwise(conv) and split_in.within_groups(conv.groups) is None:
        raise UncoveredError("no rule gives the groups of a convolution unlike shares of low channels")
    kind = next((octave for plain, octave in _OCTAVE.items() if isinstance(conv, plain)), OctaveConv2d)
    if "StdConv2d" in type(conv).__name__:
        kind = OctaveStdConv2d
    form = rewriter.form
    return kind.from_conv(conv, split_in, split_out, exchange=form.exchange, downsample=form.downsample)
