"""All counts of one point: fvcore's, the meta walk's and the closed form's, and whether they agree."""

import copy
import traceback
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves, tree_map

from octprobe.cost.closed_form import LayerRecorder
from octprobe.cost.fvcore_count import fvcore_count
from octprobe.cost.walk import walk
from octprobe.store.records import Cost
from octprobe.workload import Workload


def quick_cost(workload: Workload) -> Cost:
    """Count without fvcore, on meta tensors: fast and without memory; fvcore's figures are None.

    Args:
        workload: a float32 workload of batch 1.
    """
    module = copy.deepcopy(workload.module).to("meta")
    example = tree_map(lambda tensor: tensor.to("meta"), workload.example)
    with torch.no_grad():
        module(example)  # an octave layer packs its kernels in its first call, which is no work of later ones
    with LayerRecorder(module) as recorder:
        walked = walk(module, example)
    return Cost(
        macs=None,
        macs_dispatched=walked.macs,
        macs_executed=walked.macs,
        path_macs=recorder.total,
        elementwise_flops=None,
        parameters=sum(parameter.numel() for parameter in module.parameters()),
        uncounted_ops=None,
        bytes_read=walked.bytes_read,
        bytes_written=walked.bytes_written,
        operators=walked.operators,
        weights_bytes=_weights_bytes(module),
        input_bytes=sum(map(_bytes, tree_leaves(example))),
        peak_live_bytes=walked.peak_live_bytes,
    )


def full_cost(workload: Workload) -> Cost:
    """Count with fvcore as well.

    Args:
        workload: a float32 workload of batch 1, on a real device; its module is left as it is.
    """
    quick = quick_cost(workload)
    try:
        with torch.no_grad():
            counted = fvcore_count(copy.deepcopy(workload.module), workload.example)
    except Exception:  # whatever torch's tracer trips over costs fvcore's figures, not the walk's
        traceback.print_exc()
        return quick
    return replace(
        quick,
        macs=counted.macs,
        elementwise_flops=counted.elementwise_flops,
        uncounted_ops=counted.uncounted_ops,
    )


def disagreement(cost: Cost) -> str | None:
    """Say in one line which counts of a full cost differ or are missing; None where all agree."""
    if cost.macs is None:
        return f"fvcore could not trace it; the meta walk counts {cost.macs_dispatched} MACs an item"
    counts = {"fvcore": cost.macs, "meta walk": cost.macs_dispatched, "closed form": cost.path_macs.total}
    if len(set(counts.values())) == 1:
        return None
    return "MACs an item differ: " + ", ".join(f"{name} {count}" for name, count in counts.items())


def _weights_bytes(module: nn.Module) -> int:
    return sum(_bytes(tensor) for tensor in [*module.parameters(), *module.buffers()])


def _bytes(tensor: Tensor | Any) -> int:
    return int(tensor.numel() * tensor.element_size())
