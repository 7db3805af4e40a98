"""Derived tensors kept between forward calls, and dropped as soon as what they derive from has changed."""

from collections.abc import Callable
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch._C._functorch import is_functorch_wrapped_tensor

Tensors = tuple[Tensor | None, ...]


def is_traced() -> bool:
    """Tell whether `torch.jit.trace` is looking on, as fvcore's counters do."""
    return torch._C._is_tracing()


def _state(source: Tensor | None) -> tuple[int, int]:
    """Give what changes when a tensor is written in place or gets other storage."""
    if source is None:
        return (0, 0)
    return (-1 if source.is_inference() else source._version, source.data_ptr())


class PackCache:
    """One packed value and the state of the tensors it was made from.

    Two kinds of change torch keeps no count of: writing through `parameter.data` in place, and the step of
    a fused optimiser. A call that returns slices, as every call with gradients does, therefore drops what is
    not held. What stays unseen is such a change between two calls without gradients.
    """

    def __init__(self) -> None:
        self.packed: Tensors | None = None
        self.held = False
        self._sources: Tensors = ()
        self._states: list[tuple[int, int]] = []

    def clear(self) -> None:
        """Drop the packed value."""
        self.packed, self._sources, self._states = None, (), []

    def fits(self, sources: Tensors) -> bool:
        """Tell whether the packed value still derives from these tensors, unchanged."""
        same = len(sources) == len(self._sources)
        same = same and all(a is b for a, b in zip(sources, self._sources, strict=True))
        return same and [_state(s) for s in sources] == self._states

    def get(self, sources: Tensors, build: Callable[[], Tensors]) -> Tensors:
        """Give the packed value, built anew where a source has changed.

        What is built from fake tensors is given but not kept: it would outlive their mode.
        """
        if self.packed is not None and self.fits(sources):
            return self.packed
        # Inference tensors could not take part in a later backward pass, and the pack outlives this call.
        with torch.inference_mode(mode=False), torch.no_grad():
            packed = build()
        if all(type(tensor) is Tensor for tensor in packed if tensor is not None):
            self.packed, self._sources = packed, sources
            self._states = [_state(s) for s in sources]
        else:
            self.clear()
        return packed

    def __deepcopy__(self, memo: dict[int, Any]) -> "PackCache":
        return PackCache()

    def __reduce__(self) -> tuple[Any, ...]:
        return PackCache, ()


def may_pack(module: nn.Module, tensors: Tensors) -> bool:
    """Tell whether no gradient may be wanted of these tensors and no tracer or transform is looking on.

    A tracer must see the parameters themselves, or its graph would hold copies that go stale.
    """
    if is_traced() or module.training:
        return False
    present = [tensor for tensor in tensors if tensor is not None]
    if torch.is_grad_enabled() and any(tensor.requires_grad for tensor in present):
        return False
    return all(_is_ordinary(tensor) for tensor in present)


def _is_ordinary(tensor: Tensor) -> bool:
    """Tell whether a tensor has data of its own: neither one of torch.func's nor a fake one has."""
    return type(tensor) in {Tensor, nn.Parameter} and not is_functorch_wrapped_tensor(tensor)


class Packing(nn.Module):
    """A module whose forward uses derived tensors; `hold_packs` keeps them for a compiler to see.

    Without `hold_packs` compiled code slices the parameters in every call, which is always right. With it
    compiled code reads the packed copies and does not see later changes of the parameters until `train()`,
    a load or a move to another device or dtype, all of which let the copies go.
    """

    _cache: PackCache

    def pack_sources(self) -> Tensors:
        """Give the parameters and buffers that the derived tensors are slices of."""
        raise NotImplementedError

    def slices(self) -> Tensors:
        """Give the derived tensors as differentiable slices."""
        raise NotImplementedError

    def packed_slices(self) -> Tensors:
        """Give the derived tensors as contiguous copies."""
        raise NotImplementedError

    def drop_pack(self) -> None:
        """Drop the packed copies, held or not."""
        self._cache = PackCache()

    def derived(self) -> Tensors:
        """Give the derived tensors: packed in eval without gradients, slices otherwise."""
        if torch.compiler.is_compiling():
            held = self._cache.packed if self._cache.held and not torch.is_grad_enabled() else None
            return self.slices() if held is None else held
        sources = self.pack_sources()
        if may_pack(self, sources):
            return self._cache.get(sources, self.packed_slices)
        if not self._cache.held:
            self._cache.clear()
        return self.slices()

    def train(self, mode: bool = True) -> Self:
        """Set training mode and drop the packed copies."""
        self.drop_pack()
        return super().train(mode)

    def __copy__(self) -> Self:
        other = type(self).__new__(type(self))
        other.__dict__.update(self.__dict__)
        other.drop_pack()
        return other

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        self.drop_pack()
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]  # torch has no types there
        return self

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: object) -> None:
        self.drop_pack()
        super()._load_from_state_dict(state_dict, prefix, *rest)


def hold_packs(model: nn.Module) -> None:
    """Pack every octave layer of a model in eval mode now, and let compiled code use the copies.

    For measuring and serving with `torch.compile`; see `Packing` for what compiled code then does not see.
    """
    for module in model.modules():
        if isinstance(module, Packing) and not module.training:
            with torch.no_grad():
                module._cache.get(module.pack_sources(), module.packed_slices)
            module._cache.held = True
