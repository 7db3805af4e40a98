"""One call on meta tensors, operator by operator: MACs, bytes, operators and the live-range peak."""

import weakref
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

from octprobe.workload import forget_gradients, gradient_leaves, loss_of

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


@_rule("aten::convolution_backward")
def _convolution_gradient_macs(arguments: Sequence[Any], _: Tensor) -> int:
    output_gradient, source, weight, transposed = *arguments[:3], bool(arguments[7])
    is_input_wanted, is_weight_wanted, _is_bias_wanted = arguments[10]
    positions: Tensor = source if transposed else output_gradient
    # Either gradient multiplies as many pairs of values as the forward did; that of a bias only adds.
    gradients = int(is_input_wanted) + int(is_weight_wanted)
    return positions.numel() * int(prod(weight.shape[1:])) * gradients


@_rule("aten::mm")
@_rule("aten::bmm")
def _matrix_product_macs(arguments: Sequence[Any], output: Tensor) -> int:
    return output.numel() * int(arguments[0].shape[-1])


@_rule("aten::addmm")
@_rule("aten::baddbmm")
def _added_matrix_product_macs(arguments: Sequence[Any], output: Tensor) -> int:
    return output.numel() * int(arguments[1].shape[-1])


@dataclass(frozen=True, kw_only=True)
class Counts:
    """What one call is made of.

    Attributes:
        macs: multiply-accumulates of convolutions and matrix products.
        operators: operators that compute; views are free.
        bytes_read: bytes of the tensors that operators take.
        bytes_written: bytes of the tensors that operators make or change in place.
        peak_live_bytes: most bytes alive at once among tensors made during the call.
    """

    macs: int
    operators: int
    bytes_read: int
    bytes_written: int
    peak_live_bytes: int


class Walk(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch leaves the hook untyped
    """Counts what passes through the dispatcher while it is the active mode."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        self._macs = 0
        self._operators = 0
        self._bytes_read = 0
        self._bytes_written = 0
        self._peak_live_bytes = 0
        self._live_bytes = 0
        self._alive: set[int] = set()

    @property
    def counts(self) -> Counts:
        """Give what was counted so far."""
        return Counts(
            macs=self._macs,
            operators=self._operators,
            bytes_read=self._bytes_read,
            bytes_written=self._bytes_written,
            peak_live_bytes=self._peak_live_bytes,
        )

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
        self._macs += rule(args, outputs[0]) if rule else 0
        self._operators += 1
        self._bytes_read += sum(map(_bytes, inputs))
        self._bytes_written += sum(map(_bytes, outputs))

    def _follow(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        key = _storage_key(tensor)
        if key in self._alive:
            return
        self._alive.add(key)
        size = storage.nbytes()
        self._live_bytes += size
        self._peak_live_bytes = max(self._peak_live_bytes, self._live_bytes)
        weakref.finalize(storage, self._forget, key, size)

    def _forget(self, key: int, size: int) -> None:
        self._alive.discard(key)
        self._live_bytes -= size


def walk(model: nn.Module, example: Any) -> Counts:
    """Walk one call of a model that lies on the meta device: a forward, in training mode with its backward.

    Args:
        model: a module whose parameters are meta tensors.
        example: what its forward takes: a tensor (B, C, H, W) or a (high, low) pair.
    """
    counter = Walk()
    if not model.training:
        with torch.no_grad(), counter:
            model(example)
        return counter.counts
    forget_gradients(gradient_leaves(model, example))
    with torch.enable_grad(), counter:
        output = model(example)
        loss_of(output).backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
    return counter.counts


def walk_training(model: nn.Module, example: Any, batch: int) -> Counts:
    """Walk training calls of a batch and of an item more, and give the figures of one item.

    MACs and bytes have a part for the weights and a part for each item, which two batches tell apart; a batch
    of one might not run at all, as batch norm refuses a single value a channel. The peak has no such parts:
    it is an item's share of the batch's own, rounded up.

    Args:
        model: a module in training mode whose parameters are meta tensors.
        example: what its forward takes, at batch 1.
        batch: items of a call.
    """
    here, more = (walk(model, _of_batch(example, size)) for size in (batch, batch + 1))

    def one_item(of_batch: int, of_one_more: int) -> int:
        return of_batch - (batch - 1) * (of_one_more - of_batch)

    return Counts(
        macs=one_item(here.macs, more.macs),
        operators=here.operators,
        bytes_read=one_item(here.bytes_read, more.bytes_read),
        bytes_written=one_item(here.bytes_written, more.bytes_written),
        peak_live_bytes=-(-here.peak_live_bytes // batch),
    )


def _of_batch(example: Any, batch: int) -> Any:
    def sized(tensor: Tensor) -> Tensor:
        return tensor.new_empty((batch, *tensor.shape[1:])).requires_grad_(tensor.requires_grad)

    return tree_map(sized, example)


def _tensors(tree: Any) -> Iterator[Tensor]:
    return (leaf for leaf in tree_leaves(tree) if isinstance(leaf, Tensor))


def _storage_key(tensor: Tensor) -> int:
    return int(tensor.untyped_storage()._cdata)


def _bytes(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()
