"""Tensors by name put back in their places, once it is known that all of them fit."""

from collections.abc import Mapping

import torch
from torch import Tensor

from octprobe.errors import UsageError
from octprobe.weights.fit import mismatch


def refuse_misfit(held: Mapping[str, Tensor], given: object) -> None:
    """Stop before anything is changed where what a checkpoint gives cannot take its place.

    Args:
        held: the network's own tensors by name.
        given: what the checkpoint has for them, whatever that is.

    Raises:
        UsageError: it is no tensors by name, or those of another network.
    """
    if not isinstance(given, Mapping) or not all(map(_is_named_tensor, given.items())):
        raise UsageError("the checkpoint is damaged: it does not hold plain tensors by name; get it anew")
    faults = mismatch(held, given)
    if faults:
        raise UsageError(f"the checkpoint is of another network: {faults}")


@torch.no_grad()
def put_back(held: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> None:
    """Copy what fits into its places; a count of batches that is not given stays as it is."""
    for name, tensor in held.items():
        if name in given:
            tensor.copy_(given[name])


def _is_named_tensor(item: tuple[object, object]) -> bool:
    name, value = item
    if not isinstance(name, str) or not isinstance(value, Tensor):
        return False
    return value.layout is torch.strided and not value.is_meta
