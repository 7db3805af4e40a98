"""Norms that act on each channel by itself, and what passes channels as they are."""

from torch import fx, nn

from octprobe.octave.flows import inherit
from octprobe.octave.norm import OctaveBatchNorm
from octprobe.octave.rewrite import Rewriter
from octprobe.octave.rules.operands import only_split
from octprobe.octave.table import RULES, UncoveredError


@RULES.add(
    nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm,
    "timm.layers.norm_act.BatchNormAct2d",
    "timm.layers.norm_act.SyncBatchNormAct",
    "timm.layers.norm_act.FrozenBatchNormAct2d",
    "torchvision.ops.misc.FrozenBatchNorm2d",
    flow=inherit,
)  # fmt: skip
def batch_norm(rewriter: Rewriter, node: fx.Node) -> None:
    """Normalise each frequency with its channels' parameters; what a norm does after it, to each."""
    split, norm = only_split(rewriter, node), rewriter.called(node, nn.Module)
    if any(len(p) > 1 for inner in norm.children() for p in inner.parameters()):
        raise UncoveredError("no rule takes an activation with parameters a channel within a norm")
    rewriter.replace(node, OctaveBatchNorm.from_norm(norm, split), split)
    rewriter.give(node, split)


@RULES.add(nn.Identity, flow=inherit)
def identity(rewriter: Rewriter, node: fx.Node) -> None:
    """Pass a pair as it is."""
    rewriter.give(node, only_split(rewriter, node))
