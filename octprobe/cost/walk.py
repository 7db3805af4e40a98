"""One forward call on meta tensors, operator by operator: MACs, bytes, operators and the live-range peak."""

import weakref
from collections.abc import Callable, Iterator, Sequence
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

MacRule = Callable[[Sequence[Any], Tensor], int]

MAC_RULES: dict[str, MacRule] = {}


def _rule(name: str) -> Callable[[MacRule], MacRule]:
    def register(function: MacRule) -> MacRule:
        if name in MAC_RULES:
            raise ValueError(f"there are two MAC rules for {name}")
        MAC_RULES[name] = function
        return function

    return register


@_rule("aten::convolution")
def _convolution_macs(arguments: Sequence[Any], output: Tensor) -> int:
    source, weight, transposed = arguments[0], arguments[1], bool(arguments[6])
    # A transposed convolution spreads each input value, and its weight is (C_in, C_out / groups, k, k).
    positions: Tensor = source if transposed else output
    return positions.numel() * int(prod(weight.shape[1:]))


@_rule("aten::mm")
@_rule("aten::bmm")
def _matrix_product_macs(arguments: Sequence[Any], output: Tensor) -> int:
    return output.numel() * int(arguments[0].shape[-1])


@_rule("aten::addmm")
@_rule("aten::baddbmm")
def _added_matrix_product_macs(arguments: Sequence[Any], output: Tensor) -> int:
    return output.numel() * int(arguments[1].shape[-1])


class Walk(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch leaves the hook untyped
    """Counts what passes through the dispatcher while it is the active mode.

    Attributes:
        macs: multiply-accumulates of convolutions and matrix products.
        operators: operators that compute; views are free.
        bytes_read: bytes of the tensors that operators take.
        bytes_written: bytes of the tensors that operators make or change in place.
        peak_live_bytes: most bytes alive at once among tensors made during the walk.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        self.macs = 0
        self.operators = 0
        self.bytes_read = 0
        self.bytes_written = 0
        self.peak_live_bytes = 0
        self._live_bytes = 0
        self._alive: set[int] = set()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run one operator and count it."""
        inputs = list(_tensors((args, kwargs)))
        held = {_storage_key(tensor) for tensor in inputs}
        result = func(*args, **(kwargs or {}))
        outputs = list(_tensors(result))
        if func.is_view or not outputs:
            return result
        self._count(func, args, inputs, outputs)
        for output in outputs:
            if _storage_key(output) not in held:
                self._follow(output)
        return result

    def _count(self, func: Any, args: Sequence[Any], inputs: list[Tensor], outputs: list[Tensor]) -> None:
        rule = MAC_RULES.get(func._schema.name)
        self.macs += rule(args, outputs[0]) if rule else 0
        self.operators += 1
        self.bytes_read += sum(map(_bytes, inputs))
        self.bytes_written += sum(map(_bytes, outputs))

    def _follow(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        key = _storage_key(tensor)
        if key in self._alive:
            return
        self._alive.add(key)
        size = storage.nbytes()
        self._live_bytes += size
        self.peak_live_bytes = max(self.peak_live_bytes, self._live_bytes)
        weakref.finalize(storage, self._forget, key, size)

    def _forget(self, key: int, size: int) -> None:
        self._alive.discard(key)
        self._live_bytes -= size


def walk(model: nn.Module, example: Any) -> Walk:
    """Walk one forward call of a model that lies on the meta device.

    Args:
        model: a module whose parameters are meta tensors.
        example: what its forward takes: a tensor (B, C, H, W) or a (high, low) pair.
    """
    counter = Walk()
    with torch.no_grad(), counter:
        model(example)
    return counter


def _tensors(tree: Any) -> Iterator[Tensor]:
    return (leaf for leaf in tree_leaves(tree) if isinstance(leaf, Tensor))


def _storage_key(tensor: Tensor) -> int:
    return int(tensor.untyped_storage()._cdata)


def _bytes(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()
