"""Operators that mix channels or have no half size: the network leaves the octave world before them."""

import torch
from torch import fx, nn

from octprobe.octave.flows import leave
from octprobe.octave.rewrite import Rewriter
from octprobe.octave.table import RULES

_TIMM_NORMS = (
    "norm.GroupNorm", "norm.GroupNorm1", "norm.LayerNorm", "norm.LayerNorm2d", "norm.LayerNormFp32",
    "norm.LayerNorm2dFp32", "norm.LayerNormExp2d", "norm.RmsNorm", "norm.RmsNorm2d", "norm.SimpleNorm",
    "norm.SimpleNorm2d", "norm_act.GroupNormAct", "norm_act.GroupNorm1Act", "norm_act.LayerNormAct",
    "norm_act.LayerNormAct2d", "norm_act.RmsNormAct", "norm_act.RmsNormAct2d",
    "evo_norm.EvoNorm2dB0", "evo_norm.EvoNorm2dB1", "evo_norm.EvoNorm2dB2", "evo_norm.EvoNorm2dS0",
    "evo_norm.EvoNorm2dS0a", "evo_norm.EvoNorm2dS1", "evo_norm.EvoNorm2dS1a", "evo_norm.EvoNorm2dS2",
    "evo_norm.EvoNorm2dS2a", "filter_response_norm.FilterResponseNormAct2d",
    "filter_response_norm.FilterResponseNormTlu2d",
)  # fmt: skip
_TIMM_SAME = ("pool2d_same.AvgPool2dSame", "pool2d_same.MaxPool2dSame")


@RULES.add(
    nn.GroupNorm, nn.LayerNorm, nn.LocalResponseNorm, nn.InstanceNorm2d,
    *(f"timm.layers.{name}" for name in _TIMM_NORMS),
    flow=leave,
)  # fmt: skip
def mixing_norm(rewriter: Rewriter, node: fx.Node) -> None:
    """Make the pair plain: a norm that mixes channels has no octave form."""
    rewriter.leave(node, "it mixes the channels of both frequencies")


@RULES.add(*(f"timm.layers.{name}" for name in _TIMM_SAME), flow=leave)
def padding_by_size(rewriter: Rewriter, node: fx.Node) -> None:
    """Make the pair plain: a padding that depends on the size is not symmetric, and has no octave form."""
    rewriter.leave(node, "its padding depends on the size")


@RULES.add(
    nn.ZeroPad1d, nn.ZeroPad2d, nn.ConstantPad1d, nn.ConstantPad2d, nn.ReflectionPad1d, nn.ReflectionPad2d,
    nn.ReplicationPad1d, nn.ReplicationPad2d, nn.functional.pad,
    flow=leave,
)  # fmt: skip
def padding(rewriter: Rewriter, node: fx.Node) -> None:
    """Make the pair plain: padded by itself, the low part would not stay half of the high one."""
    rewriter.leave(node, "what pads by itself does not keep the low size half of the high size")


@RULES.add(nn.Flatten, torch.flatten, "flatten", flow=leave)
def flattening(rewriter: Rewriter, node: fx.Node) -> None:
    """Make the pair plain: its channels and positions become one axis."""
    rewriter.leave(node, "it makes channels and space one axis")
