"""Sums, products and gates: pairs with pairs, with numbers and with plain values."""

import operator
from collections.abc import Callable
from typing import Any

import torch
from torch import fx

from octprobe.octave.flows import inherit, inherit_second
from octprobe.octave.layers import ExpandAs, Gate, Pairwise, add_pairs
from octprobe.octave.rewrite import Rewriter
from octprobe.octave.split import ChannelSplit
from octprobe.octave.table import RULES, UncoveredError

_Operand = fx.Node | int | float


@RULES.add(operator.add, operator.iadd, torch.add, "add", "add_", flow=inherit)
def addition(rewriter: Rewriter, node: fx.Node) -> None:
    """Add pairs part by part; a plain side is split first, without parameters."""
    _combine(rewriter, node, operator.add)


@RULES.add(operator.sub, operator.isub, torch.sub, "sub", "sub_", flow=inherit)
def subtraction(rewriter: Rewriter, node: fx.Node) -> None:
    """Subtract part by part; a plain side is split first, without parameters."""
    _combine(rewriter, node, operator.sub)


@RULES.add(operator.truediv, operator.itruediv, torch.div, "div", "div_", flow=inherit)
def division(rewriter: Rewriter, node: fx.Node) -> None:
    """Divide part by part; a plain side is split first, without parameters."""
    _combine(rewriter, node, operator.truediv)


@RULES.add(torch.maximum, flow=inherit)
def maximum(rewriter: Rewriter, node: fx.Node) -> None:
    """Take the greater part by part; a plain side is split first, without parameters."""
    _combine(rewriter, node, torch.maximum)


@RULES.add(torch.minimum, flow=inherit)
def minimum(rewriter: Rewriter, node: fx.Node) -> None:
    """Take the lesser part by part; a plain side is split first, without parameters."""
    _combine(rewriter, node, torch.minimum)


@RULES.add(operator.mul, operator.imul, torch.mul, "mul", "mul_", flow=inherit)
def multiplication(rewriter: Rewriter, node: fx.Node) -> None:
    """Multiply part by part; a plain gate of one value a channel scales each frequency's own channels."""
    a, b = _operands(rewriter, node)
    pair, gate = (a, b) if a in rewriter.splits else (b, a)
    if isinstance(pair, fx.Node) and isinstance(gate, fx.Node) and gate not in rewriter.splits:
        split = rewriter.splits[pair]
        shape = rewriter.shape(gate)
        if shape[1:2] == (split.channels,) and set(shape[2:]) == {1} and _rank(rewriter, pair) == len(shape):
            rewriter.call(node, Gate(split), (pair, gate))
            rewriter.give(node, split)
            return
    _combine(rewriter, node, operator.mul)


@RULES.add("expand_as", flow=inherit_second)
def expansion(rewriter: Rewriter, node: fx.Node) -> None:
    """Expand a plain gate to the size of a pair."""
    gate, like = _operands(rewriter, node)
    if not isinstance(gate, fx.Node) or gate in rewriter.splits or not isinstance(like, fx.Node):
        raise UncoveredError("no rule expands a pair")
    split = rewriter.splits[like]
    if rewriter.shape(gate)[1:2] != (split.channels,) or set(rewriter.shape(gate)[2:]) != {1}:
        raise UncoveredError(f"no rule expands anything but a plain value (B, {split.channels}, 1, 1)")
    rewriter.call(node, ExpandAs(split), (gate, like))
    rewriter.give(node, split)


def _combine(rewriter: Rewriter, node: fx.Node, function: Callable[[Any, Any], Any]) -> None:
    """Act on both frequencies; plain operands become pairs first, numbers stay what they are."""
    operands = _operands(rewriter, node)
    split = rewriter.splits[rewriter.pairs(node)[0]]
    if any(operand in rewriter.splits and rewriter.splits[operand] != split for operand in operands):
        raise UncoveredError("no rule combines pairs that split differently")
    a, b = (_as_pair(rewriter, node, operand, split) for operand in operands)
    if function is operator.add and a in rewriter.splits and b in rewriter.splits:
        node.op, node.target, node.args, node.kwargs = "call_function", add_pairs, (a, b), {}
    else:
        rewriter.call(node, Pairwise(function), (a, b))
    rewriter.give(node, split)


def _as_pair(rewriter: Rewriter, node: fx.Node, operand: _Operand, split: ChannelSplit) -> _Operand:
    if not isinstance(operand, fx.Node) or operand in rewriter.splits:
        return operand
    if operand.name in rewriter.recording.numbers:
        return operand
    shape, whole = rewriter.shape(operand), rewriter.shape(node)
    if len(shape) <= len(whole) and set(shape) <= {1} and operand.name in rewriter.recording.shapes:
        return operand
    if len(shape) != len(whole) or shape[1] not in {1, split.channels}:
        raise UncoveredError(f"no rule takes anything but a value (B, {split.channels}, H, W) here")
    if any(size not in {1, of_whole} for size, of_whole in zip(shape[2:], whole[2:], strict=True)):
        raise UncoveredError("no rule lets a pair be expanded")
    return rewriter.split_before(node, operand, split)


def _operands(rewriter: Rewriter, node: fx.Node) -> tuple[_Operand, _Operand]:
    if len(node.args) == 2 and not node.kwargs:
        a, b = node.args
        if isinstance(a, fx.Node | int | float) and isinstance(b, fx.Node | int | float):
            if any(
                isinstance(x, fx.Node) and rewriter.shape(x) == () and x in rewriter.parts for x in (a, b)
            ):
                raise UncoveredError("no rule takes a tuple here")
            return _in_line(rewriter, node, a), _in_line(rewriter, node, b)
    raise UncoveredError("no rule takes anything but two tensors")


def _in_line(rewriter: Rewriter, node: fx.Node, operand: _Operand) -> _Operand:
    """Give a value without a batch, such as a parameter (C, 1, 1), the axis that broadcasting would."""
    shape = rewriter.shape(operand) if isinstance(operand, fx.Node) else ()
    if not isinstance(operand, fx.Node) or len(shape) < 2 or len(shape) + 1 != len(rewriter.shape(node)):
        return operand
    return rewriter.batch_before(node, operand)


def _rank(rewriter: Rewriter, node: fx.Node) -> int:
    return len(rewriter.shape(node))
