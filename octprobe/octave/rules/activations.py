"""Activations, dropouts and other operators that treat every number by itself."""

import operator

import torch
from torch import fx, nn
from torch.nn import functional

from octprobe.octave.flows import inherit
from octprobe.octave.layers import Each, EachDropPath, Method
from octprobe.octave.prelu import OctavePReLU
from octprobe.octave.rewrite import Rewriter
from octprobe.octave.rules.operands import only_split
from octprobe.octave.table import RULES, UncoveredError

_TIMM_ACTIVATIONS = (
    "Swish", "Mish", "Sigmoid", "Tanh", "HardSwish", "HardSigmoid", "HardMish", "GELU", "GELUTanh",
    "QuickGELU",
)  # fmt: skip


@RULES.add(
    nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.ELU, nn.CELU, nn.SELU, nn.SiLU, nn.GELU, nn.Mish, nn.Hardswish,
    nn.Hardsigmoid, nn.Hardtanh, nn.Hardshrink, nn.Sigmoid, nn.LogSigmoid, nn.Tanh, nn.Tanhshrink,
    nn.Softplus, nn.Softshrink, nn.Softsign, nn.Threshold,
    nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d,
    *(f"timm.layers.activations.{name}" for name in _TIMM_ACTIVATIONS),
    flow=inherit,
)  # fmt: skip
def elementwise_module(rewriter: Rewriter, node: fx.Node) -> None:
    """Act on each frequency alike."""
    split = only_split(rewriter, node)
    rewriter.replace(node, Each(rewriter.called(node, nn.Module)), Each)
    rewriter.give(node, split)


@RULES.add(nn.PReLU, "timm.layers.activations.PReLU", flow=inherit)
def prelu(rewriter: Rewriter, node: fx.Node) -> None:
    """Act on each frequency with its channels' slopes."""
    split, module = only_split(rewriter, node), rewriter.called(node, nn.PReLU)
    rewriter.replace(node, OctavePReLU.from_prelu(module, split), split)
    rewriter.give(node, split)


@RULES.add(
    functional.relu, functional.relu6, functional.leaky_relu, functional.elu, functional.celu,
    functional.selu, functional.silu, functional.gelu, functional.mish, functional.hardswish,
    functional.hardsigmoid, functional.hardtanh, functional.logsigmoid, functional.sigmoid,
    functional.softplus, functional.softsign, functional.tanh, functional.dropout, functional.dropout2d,
    torch.relu, torch.sigmoid, torch.tanh, torch.clamp, torch.abs, torch.exp, torch.sqrt, torch.square,
    operator.neg, torch.neg,
    flow=inherit,
)  # fmt: skip
def elementwise_function(rewriter: Rewriter, node: fx.Node) -> None:
    """Act on each frequency alike."""
    split = only_split(rewriter, node)
    if len(node.all_input_nodes) > 1:
        raise UncoveredError("no rule takes these arguments")
    module = rewriter.module_of(node, nn.Module)
    if module is not None:
        rewriter.replace(node, Each(module), Each)
    elif callable(node.target):
        rewriter.call(node, Each(node.target))
    rewriter.give(node, split)


@RULES.add(
    "relu", "relu_", "sigmoid", "tanh", "clone", "contiguous", "clamp", "abs", "exp", "sqrt", "square", "neg",
    "float", "half", "bfloat16", "detach",
    flow=inherit,
)  # fmt: skip
def elementwise_method(rewriter: Rewriter, node: fx.Node) -> None:
    """Act on each frequency alike."""
    split = only_split(rewriter, node)
    arguments, keywords = node.args[1:], dict(node.kwargs)
    if any(isinstance(value, fx.Node) for value in (*arguments, *keywords.values())):
        raise UncoveredError("no rule takes arguments of this method")
    method = Method(str(node.target), *arguments, **keywords)
    rewriter.call(node, Each(method), (node.args[0],))
    rewriter.give(node, split)


@RULES.add("timm.layers.drop.DropPath", "torchvision.ops.stochastic_depth.StochasticDepth", flow=inherit)
def drop_path(rewriter: Rewriter, node: fx.Node) -> None:
    """Drop both frequencies of a sample with one mask."""
    split = only_split(rewriter, node)
    rewriter.replace(node, EachDropPath(rewriter.called(node, nn.Module)), EachDropPath)
    rewriter.give(node, split)
