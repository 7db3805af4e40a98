"""Shapes without arithmetic: networks run on meta tensors, and the sizes of pairs checked there."""

import copy
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.fx.node import Target
from torch.nn.modules.batchnorm import _BatchNorm

from octprobe.errors import ConversionError
from octprobe.octave.frequency import half
from octprobe.octave.split import ChannelSplit


def on_meta(model: nn.Module) -> nn.Module:
    """Copy a network to the meta device without copying its weights, in evaluation mode."""
    memo: dict[int, Any] = {}
    for parameter in model.parameters():
        memo[id(parameter)] = nn.Parameter(
            torch.empty_like(parameter, device="meta"), parameter.requires_grad
        )
    for buffer in model.buffers():
        memo[id(buffer)] = torch.empty_like(buffer, device="meta")
    return copy.deepcopy(model, memo).eval()


def odd_size_of(example: Tensor) -> Tensor:
    """Give an empty input of odd height and width, on meta, other than the example's."""
    height, width = (size + 2 if size % 2 else size + 1 for size in example.shape[2:])
    return torch.empty((*example.shape[:2], height, width), dtype=example.dtype, device="meta")


class _Recorder(fx.Interpreter):
    """Runs a graph and keeps the shape of every tensor that a node gives."""

    def __init__(self, module: nn.Module, graph: fx.Graph) -> None:
        super().__init__(module, graph=graph)
        self.results: dict[str, Any] = {}

    def call_module(self, target: Target, args: tuple[Any, ...], kwargs: dict[str, Any]) -> object:
        # Norms keep shapes, and on meta they take two thirds of the time.
        if isinstance(self.fetch_attr(str(target)), _BatchNorm):
            return args[0]
        return super().call_module(target, args, kwargs)

    def run_node(self, n: fx.Node) -> object:
        result = super().run_node(n)
        if isinstance(result, Tensor):
            self.results[n.name] = tuple(result.shape)
        elif isinstance(result, tuple) and len(result) == 2 and all(isinstance(r, Tensor) for r in result):
            self.results[n.name] = tuple(tuple(r.shape) for r in result)
        return result


def run_on_meta(module: nn.Module, graph: fx.Graph, example: Tensor) -> dict[str, Any]:
    """Give the shape of every node's tensor, or the two shapes of its pair, by node name.

    Args:
        module: a network on the meta device.
        graph: a graph over its modules.
        example: (B, C, H, W); only its shape and dtype matter.
    """
    recorder = _Recorder(module, graph)
    with torch.no_grad():
        recorder.run(torch.empty_like(example, device="meta"))
    return recorder.results


def check_sizes(plain: dict[str, Any], octave: dict[str, Any], splits: dict[str, ChannelSplit]) -> None:
    """Hold every node of an octave network to the vanilla network's shape.

    Args:
        plain: shapes of the vanilla network's nodes.
        octave: shapes of the octave network's nodes, of the same names.
        splits: splits of the nodes that are pairs.

    Raises:
        ConversionError: a high part, a low part or a plain value has another size than it must have.
    """
    for name, shape in plain.items():
        split = splits.get(name)
        expected = shape if split is None else _pair_shapes(shape, split)
        if octave.get(name) != expected:
            raise ConversionError(
                f"node {name}: the octave network gives {octave.get(name)} where the vanilla's {shape} "
                f"asks for {expected}; low size must be ceil(high size / 2) after every node"
            )


def _pair_shapes(shape: tuple[int, ...], split: ChannelSplit) -> tuple[tuple[int, ...], tuple[int, ...]]:
    batch, _, height, width = shape
    return (batch, len(split.high), height, width), (batch, len(split.low), half(height), half(width))
