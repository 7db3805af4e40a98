"""All counts of one point: fvcore's, the meta walk's and the closed form's, and whether they agree."""

import copy
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves, tree_map

from octprobe.cost.closed_form import LayerRecorder, feature_map_bytes
from octprobe.cost.fvcore_count import fvcore_count
from octprobe.cost.walk import walk, walk_training
from octprobe.errors import wants_memory
from octprobe.octave.shapes import on_meta
from octprobe.octave.trace import first_line
from octprobe.store.records import Cost
from octprobe.workload import Workload


def quick_cost(workload: Workload, batch: int = 1) -> Cost:
    """Count without fvcore, on meta tensors: fast and without memory; fvcore's figures are None.

    Args:
        workload: a float32 workload of batch 1; in training mode its forward and backward are walked.
        batch: items of a training call: the peak is an item's share of such a call's, as the gradients of the
            weights do not grow with the batch. All other figures are the same for every batch.
    """
    module = on_meta(workload.module)
    example = tree_map(_on_meta, workload.example)
    with torch.no_grad():
        module(example)  # an octave layer packs its kernels in its first call, which is no work of later ones
    with LayerRecorder(module) as recorder:
        forward = walk(module, example)
    is_training = workload.module.training
    call = walk_training(module.train(), example, batch) if is_training else forward
    return Cost(
        macs=None,
        macs_dispatched=forward.macs,
        macs_executed=call.macs,
        path_macs=recorder.total,
        elementwise_flops=None,
        parameters=sum(parameter.numel() for parameter in module.parameters()),
        uncounted_ops=None,
        bytes_read=call.bytes_read,
        bytes_written=call.bytes_written,
        operators=call.operators,
        weights_bytes=_weights_bytes(module),
        input_bytes=sum(map(_bytes, tree_leaves(example))),
        peak_live_bytes=call.peak_live_bytes,
        feature_map_bytes=feature_map_bytes(module, _size_of(example)),
        octave_exits=workload.octave_exits,
    )


def full_cost(workload: Workload, batch: int = 1) -> Cost:
    """Count with fvcore as well.

    Args:
        workload: a float32 workload of batch 1, on a real device; its module is left as it is.
        batch: as for `quick_cost`.

    Raises:
        MemoryError: or what torch raises in its place.
    """
    quick = quick_cost(workload, batch)
    try:
        with torch.no_grad():
            counted = fvcore_count(_in_eval_mode(workload.module), workload.example)
    except Exception as error:  # whatever torch's tracer trips over costs fvcore's figures, not the walk's
        if wants_memory(error):
            raise
        fault = f"fvcore could not trace it: {type(error).__name__}: {first_line(error)}"
        return replace(quick, fvcore_fault=fault)
    if quick.macs_dispatched and not counted.macs:
        return replace(quick, fvcore_fault="fvcore sees no MACs: its trace drops what no output depends on")
    return replace(
        quick,
        macs=counted.macs,
        elementwise_flops=counted.elementwise_flops,
        uncounted_ops=counted.uncounted_ops,
    )


def disagreement(cost: Cost) -> str | None:
    """Say in one line which counts of a full cost differ or are missing; None where all agree."""
    if cost.macs is None:
        return f"{cost.fvcore_fault}; the meta walk counts {cost.macs_dispatched} MACs an item"
    counts = {"fvcore": cost.macs, "meta walk": cost.macs_dispatched, "closed form": cost.path_macs.total}
    if len(set(counts.values())) == 1:
        return None
    return "MACs an item differ: " + ", ".join(f"{name} {count}" for name, count in counts.items())


def _in_eval_mode(module: nn.Module) -> nn.Module:
    """Give a copy in eval mode that has the module's own weights, as there may be no room for them twice."""
    return copy.deepcopy(module, {id(weight): weight for weight in module.parameters()}).eval()


def _size_of(example: Any) -> tuple[int, ...]:
    """Give the size of a value's high part, or of a plain value."""
    high = example if isinstance(example, Tensor) else example[0]
    return tuple(high.shape[2:])


def _on_meta(tensor: Tensor) -> Tensor:
    return tensor.detach().to("meta").requires_grad_(tensor.requires_grad)


def _weights_bytes(module: nn.Module) -> int:
    return sum(_bytes(tensor) for tensor in [*module.parameters(), *module.buffers()])


def _bytes(tensor: Tensor | Any) -> int:
    return int(tensor.numel() * tensor.element_size())
