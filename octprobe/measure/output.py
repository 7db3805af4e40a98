"""What a point computes, looked at once beside eager float32: a wrong answer is not worth timing."""

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves, tree_map

from octprobe.measure.device import Device
from octprobe.measure.execution import DTYPES, Runnable, in_force, place, place_example
from octprobe.plan.point import Conditions
from octprobe.workload import Workload

# Distances beyond these are no rounding. Measured in inference: ten networks of timm and torchvision with
# random weights, 32 to 224 pixels, alpha 0 and .5, both memory formats (Intel Xeon, torch 2.14, 2026-11; TF32
# by rounding operands). The largest were 2e-6 in float32, 4e-3 in TF32 and float16, 5e-2 in bfloat16. Limits
# are 6 to 8 times as much; that of float32, 50 times, leaves room for Winograd's forms and still tells TF32's
# smallest, 4e-4.
LIMITS = {"float32": 1e-4, "tf32": 3e-2, "float16": 3e-2, "bfloat16": 3e-1}
# Some networks make more of rounding, most of all where batch norm has few values. There the distance was at
# most 7 times as far as the output moves when each input value moves by one step of the number format.
_MOVEMENTS = 25
# A zero output is 1 away from its reference and an unrelated one 1.4: a limit beyond this judges nothing.
_LARGEST_LIMIT = 0.5
# The relative step between neighbouring numbers; TF32 keeps as many bits as float16.
_STEPS = {name: torch.finfo(dtype).eps for name, dtype in DTYPES.items()} | {
    "tf32": torch.finfo(torch.float16).eps
}
_SEED = 0

Values = tuple[Tensor, ...]


@dataclass(frozen=True)
class Reference:
    """What eager float32 gives for a point's weights and input.

    Attributes:
        values: the output's tensors, float32, on the processor.
        movement: how far the output moves when each input value moves by one step of the point's number
            format, as a share of the output's norm.
        is_random: whether the forward draws random numbers, as dropout and stochastic depth do in training:
            no other call gives the same.
    """

    values: Values
    movement: float
    is_random: bool = False


@dataclass(frozen=True)
class OutputCheck:
    """What looking at an output told.

    Attributes:
        error: distance from the reference as a share of its norm; None where there is no such figure.
        fault: what is wrong, in one line; None where nothing is.
        remark: why the output was not judged, in one line; None where it was.
    """

    error: float | None = None
    fault: str | None = None
    remark: str | None = None


def find_reference(workload: Workload, conditions: Conditions, device: Device) -> Reference:
    """Run a workload in eager contiguous float32, in the point's mode; the workload is left as it is.

    Args:
        workload: the point's module and example, still as they were built.
        conditions: the point's.
        device: where the point runs.
    """
    usual = replace(conditions, dtype="float32", memory_format="contiguous", execution="eager")
    with in_force(usual), torch.no_grad():
        module, example = place(replace(workload, module=copy.deepcopy(workload.module)), usual, device)
        states = _random_states(device)
        values = output_values(module(tree_map(torch.clone, example)))
        is_random = not all(map(torch.equal, states, _random_states(device)))
        moved = output_values(module(tree_map(lambda t: _moved(t, _STEPS[conditions.dtype]), example)))
    return Reference(values, relative_distance(moved, values), is_random)


def check_output(output: Any, reference: Reference, dtype: str) -> OutputCheck:
    """Compare what a point's call gave with the reference.

    Args:
        output: what the call gave: tensors in any nesting.
        reference: of the same workload.
        dtype: the point's number format.
    """
    values = output_values(output)
    fault = _unusable(values, reference.values)
    if fault:
        return OutputCheck(fault=fault)
    remark = _unjudgeable(reference, dtype)
    if remark:
        return OutputCheck(remark=f"output not judged: {remark}")
    return _judged(relative_distance(values, reference.values), reference.movement, dtype)


def changed_input(
    workload: Workload, runnable: Runnable, conditions: Conditions, device: Device
) -> str | None:
    """Say in one line that calls change what they take; None where they leave it.

    Args:
        workload: the point's, its example still as it was built.
        runnable: made of it, and called.
        conditions: the point's.
        device: where the point runs.
    """
    built = tree_leaves(place_example(workload, conditions, device))
    if all(map(torch.equal, built, tree_leaves(runnable.example))):
        return None
    return "the forward changes its input in place: times after the first call are of another input"


def output_values(output: Any) -> Values:
    """Give an output's tensors in float32 on the processor."""
    leaves = (leaf for leaf in tree_leaves(output) if isinstance(leaf, Tensor))
    return tuple(leaf.detach().to("cpu", torch.float32) for leaf in leaves)


def relative_distance(values: Sequence[Tensor], reference: Sequence[Tensor]) -> float:
    """Give the L2 distance over all tensors as a share of the reference's norm; infinite where that is 0."""
    distance = _norm([a - b for a, b in zip(values, reference, strict=True)])
    norm = _norm(reference)
    if norm == 0:
        return math.inf if distance else 0.0
    return distance / norm


def _judged(error: float, movement: float, dtype: str) -> OutputCheck:
    limit = max(LIMITS[dtype], _MOVEMENTS * movement)
    if limit > _LARGEST_LIMIT:
        remark = f"output not judged: it moves by {movement:.2g} where the input moves by one step of {dtype}"
        return OutputCheck(error=error, remark=remark)
    if error > limit:
        fault = (
            f"the output is {error:.2g} away from eager float32's; at most {limit:.2g} is rounding in {dtype}"
        )
        return OutputCheck(error=error, fault=fault)
    return OutputCheck(error=error)


def _unjudgeable(reference: Reference, dtype: str) -> str | None:
    """Say why no distance from a reference would mean anything; None where it does."""
    if not reference.values:
        return "it holds no tensor"
    if reference.is_random:
        return "the forward draws random numbers"
    if _size(reference.values) < torch.finfo(DTYPES[dtype]).tiny:
        return f"eager float32's values are too small for {dtype}"
    return None


def _unusable(values: Values, reference: Values) -> str | None:
    """Say why an output cannot be compared, which is a fault in itself; None where it can."""
    shapes, wanted = ([tuple(tensor.shape) for tensor in tensors] for tensors in (values, reference))
    if shapes != wanted:
        return f"the output's shapes are {shapes}; eager float32 gives {wanted}"
    if not _is_finite(reference):
        return "eager float32 itself gives NaN or infinity; the network needs another initialisation"
    if not _is_finite(values):
        return "the output has NaN or infinity where eager float32 has none; choose a dtype of more range"
    return None


def _random_states(device: Device) -> tuple[Tensor, ...]:
    """Give the states of the generators that a forward on this device draws from."""
    if device.torch_device.type == "cuda":
        return torch.get_rng_state(), torch.cuda.get_rng_state(device.torch_device)
    return (torch.get_rng_state(),)


def _is_finite(values: Values) -> bool:
    return all(bool(torch.isfinite(tensor).all()) for tensor in values)


def _moved(tensor: Tensor, step: float) -> Tensor:
    """Move each value up or down by a step, at random: a norm would undo what all values do alike."""
    generator = torch.Generator().manual_seed(_SEED)
    signs = torch.randint(2, tensor.shape, generator=generator).to(tensor.device) * 2 - 1
    return tensor * (1 + step * signs)


def _size(values: Values) -> float:
    """Give the root mean square of all values."""
    return _norm(values) / math.sqrt(max(sum(tensor.numel() for tensor in values), 1))


def _norm(values: Sequence[Tensor]) -> float:
    return math.hypot(*(float(torch.linalg.vector_norm(tensor, dtype=torch.float64)) for tensor in values))
