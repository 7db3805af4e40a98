"""All counts of one point: fvcore's, the meta walk's and the closed form's, and whether they agree."""

import copy
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
    module = copy.deepcopy(workload.module)
    with torch.no_grad():
        counted = fvcore_count(module, workload.example)
    return replace(
        quick_cost(workload),
        macs=counted.macs,
        elementwise_flops=counted.elementwise_flops,
        uncounted_ops=counted.uncounted_ops,
    )


def disagreement(cost: Cost) -> str | None:
    """Say in one line which counts of the MACs differ; None where all that were made agree."""
    counts = {"fvcore": cost.macs, "meta walk": cost.macs_dispatched, "closed form": cost.path_macs.total}
    known = {name: count for name, count in counts.items() if count is not None}
    if len(set(known.values())) == 1:
        return None
    return "MACs an item differ: " + ", ".join(f"{name} {count}" for name, count in known.items())


def _weights_bytes(module: nn.Module) -> int:
    return sum(_bytes(tensor) for tensor in [*module.parameters(), *module.buffers()])


def _bytes(tensor: Tensor | Any) -> int:
    return int(tensor.numel() * tensor.element_size())
