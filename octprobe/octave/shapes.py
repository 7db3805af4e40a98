"""Shapes without arithmetic: networks run on meta tensors, and the sizes of pairs checked there."""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.fx.node import Target
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils._pytree import tree_leaves, tree_map

from octprobe.errors import ConversionError
from octprobe.octave.frequency import SPACE_AXES, low_size
from octprobe.octave.split import ChannelSplit

# Pixels a side that leave several positions after five halvings.
_SPACIOUS_SIDE = 256


def on_meta(model: nn.Module) -> nn.Module:
    """Copy a network to the meta device without copying its weights, in evaluation mode."""
    memo: dict[int, Any] = {}
    for parameter in model.parameters():
        memo[id(parameter)] = nn.Parameter(
            torch.empty_like(parameter, device="meta"), parameter.requires_grad
        )
    for tensor in _other_tensors(model):
        memo[id(tensor)] = torch.empty_like(tensor, device="meta")
    return copy.deepcopy(model, memo).eval()


def _other_tensors(model: nn.Module) -> Iterator[Tensor]:
    """Give buffers, and tensors that are plain attributes, as the constants of a traced graph are."""
    yield from model.buffers()
    for module in model.modules():
        yield from (value for value in vars(module).values() if isinstance(value, Tensor))


def odd_size_of(example: Tensor) -> Tensor:
    """Give an empty input of odd sizes in space, on meta, other than the example's; time stays."""
    size = example.shape[2:]
    space = min(len(size), SPACE_AXES)
    odd = (side + 2 if side % 2 else side + 1 for side in size[-space:])
    shape = (*example.shape[:2], *size[:-space], *odd)
    return torch.empty(shape, dtype=example.dtype, device="meta")


def spacious_size_of(example: Tensor) -> Tensor:
    """Give an empty input, on meta, so large that only what is pooled globally has a single position."""
    space = min(example.dim() - 2, SPACE_AXES)
    factor = max(2, -(-_SPACIOUS_SIDE // min(example.shape[-space:])))
    shape = (*example.shape[:-space], *(side * factor for side in example.shape[-space:]))
    return torch.empty(shape, dtype=example.dtype, device="meta")


@dataclass(frozen=True)
class Region:
    """Which part of a storage a tensor shows; two equal ones are the same tensor."""

    storage: int
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


@dataclass
class Recording:
    """What one run of a graph on meta tensors has shown, by node name.

    Attributes:
        shapes: the shape of the node's tensor, or those of its pair or tuple.
        spacious: the same at a size at which only what is pooled globally has a single position.
        regions: where the tensors of its value lie.
        written: storages of its inputs that the node wrote to.
        numbers: the value of a node that is a number, or several, and no tensor.
    """

    shapes: dict[str, Any] = field(default_factory=dict)
    spacious: dict[str, Any] = field(default_factory=dict)
    numbers: dict[str, Any] = field(default_factory=dict)
    regions: dict[str, tuple[Region, ...]] = field(default_factory=dict)
    written: dict[str, set[int]] = field(default_factory=dict)

    def static(self, argument: object) -> Any:
        """Give an argument of a call with the nodes in it replaced by the numbers that they were."""
        nodes: Any = argument
        return fx.node.map_arg(nodes, lambda node: self.numbers.get(node.name, node))


class _Recorder(fx.Interpreter):
    """Runs a graph and keeps a recording; values stay alive, so that no storage's number is given twice."""

    def __init__(self, module: nn.Module, graph: fx.Graph) -> None:
        super().__init__(module, garbage_collect_values=False, graph=graph)
        self.recording = Recording()

    def call_module(self, target: Target, args: tuple[Any, ...], kwargs: dict[str, Any]) -> object:
        # Norms keep shapes, and on meta they take two thirds of the time.
        if isinstance(self.fetch_attr(str(target)), _BatchNorm):
            return tree_map(torch.empty_like, args[0])
        return super().call_module(target, args, kwargs)

    def run_node(self, n: fx.Node) -> object:
        inputs = _tensors([self.env[source] for source in n.all_input_nodes])
        versions = [tensor._version for tensor in inputs]
        try:
            result = super().run_node(n)
        except ConversionError as error:
            raise ConversionError(f"node {n.name}: {error}") from error
        self.recording.written[n.name] = {
            _region(tensor).storage
            for tensor, version in zip(inputs, versions, strict=True)
            if tensor._version != version
        }
        self.recording.regions[n.name] = tuple(map(_region, _tensors(result)))
        shapes = _shapes(result)
        if shapes is not None:
            self.recording.shapes[n.name] = shapes
        elif not _tensors(result):
            self.recording.numbers[n.name] = result
        return result


def record(module: nn.Module, graph: fx.Graph, example: Tensor) -> Recording:
    """Run a graph on meta tensors and tell the shapes, what shares memory, and what is written in place.

    Args:
        module: a network on the meta device.
        graph: a graph over its modules.
        example: (B, C, H, W); only its shape and dtype matter.
    """
    recorder = _Recorder(module, graph)
    with torch.no_grad():
        recorder.run(torch.empty_like(example, device="meta"))
    return recorder.recording


def _tensors(tree: object) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, Tensor)]


def _shapes(value: object) -> Any:
    """Give the shape of a tensor, or of each in a tuple; None for anything else."""
    if isinstance(value, Tensor):
        return tuple(value.shape)
    if not isinstance(value, tuple | list) or isinstance(value, torch.Size) or not value:
        return None
    shapes = tuple(map(_shapes, value))
    return None if None in shapes else shapes


def _region(tensor: Tensor) -> Region:
    storage = int(tensor.untyped_storage()._cdata)
    return Region(storage, int(tensor.storage_offset()), tuple(tensor.shape), tensor.stride())


Splits = ChannelSplit | tuple[ChannelSplit, ...]


def check_sizes(plain: dict[str, Any], octave: dict[str, Any], splits: Mapping[str, Splits]) -> None:
    """Hold every node of an octave network to the vanilla network's shape.

    Args:
        plain: shapes of the vanilla network's nodes.
        octave: shapes of the octave network's nodes, of the same names.
        splits: splits of the nodes that are pairs, or of the parts of those that are tuples.

    Raises:
        ConversionError: a high part, a low part or a plain value has another size than it must have.
    """
    for name, shape in plain.items():
        expected = _expected(shape, splits.get(name))
        if octave.get(name) != expected:
            raise ConversionError(
                f"node {name}: the octave network gives {octave.get(name)} where the vanilla's {shape} "
                f"asks for {expected}; low size must be ceil(high size / 2) after every node"
            )


def _expected(shape: Any, split: Splits | None) -> Any:
    """Give the shape that a value must have in the octave network."""
    if isinstance(split, tuple):
        return tuple(_expected(part, of_part) for part, of_part in zip(shape, split, strict=True))
    if split is None or split.is_plain:
        return shape
    batch, _, *size = shape
    return (batch, len(split.high), *size), (batch, len(split.low), *low_size(size))
