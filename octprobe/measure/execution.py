"""A workload put on a device under a point's conditions, ready to be called."""

import itertools
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_map, tree_map_only

from octprobe.measure.device import Call, Device
from octprobe.octave.pack import hold_packs
from octprobe.plan.point import Conditions
from octprobe.workload import Workload, forget_gradients, gradient_leaves, loss_of

# What tensors are made of, by the number format's name in a sweep.
DTYPES = {
    "float32": torch.float32,
    "tf32": torch.float32,
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
}
_MEMORY_FORMATS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}
# As torch advises for capturing a whole network: a few calls on a side stream come first.
_CAPTURE_WARMUP_CALLS = 3
# TF32 came with the Ampere architecture (NVIDIA, CUDA C++ programming guide, compute capabilities).
_TF32_CAPABILITY = (8, 0)
_NUMBERS = itertools.count()

# Makes one forward and gives its output; in training the loss and the output.
Forward = Callable[[], Any]


@dataclass(frozen=True)
class Runnable:
    """A call made ready: one forward, or in training one forward and its backward.

    Attributes:
        call: runs once, its conditions being `in_force`, and gives the forward's output without gradients.
            A CUDA graph gives the same tensors each time: the next call overwrites them.
        compiles: whether the very first call compiles.
        module: what the call runs, on the device, in its number and memory format; not compiled.
        example: what its forward takes, placed alike.
        forget: lets go what the last call left behind, the gradients of training; every call does so first.
    """

    call: Call
    compiles: bool
    module: nn.Module
    example: Any
    forget: Call


@contextmanager
def in_force(conditions: Conditions) -> Iterator[None]:
    """Put in force what calls depend on beside tensors: gradients in training only, TF32 where asked for."""
    with _tf32(allowed=conditions.dtype == "tf32"), torch.inference_mode(conditions.mode == "infer"):
        yield


@contextmanager
def _tf32(*, allowed: bool) -> Iterator[None]:
    """Allow or forbid TF32 in convolutions and matrix products of float32.

    These are torch's older switches. What its newer ones have set may not be read through the older, as
    Inductor of torch 2.9 and 2.10 does; the older set both.
    """
    with _unwarned():
        before = torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32
    _set_tf32(convolutions=allowed, products=allowed)
    try:
        yield
    finally:
        _set_tf32(convolutions=before[0], products=before[1])


def _set_tf32(*, convolutions: bool, products: bool) -> None:
    with _unwarned():
        torch.backends.cudnn.allow_tf32 = convolutions
        torch.backends.cuda.matmul.allow_tf32 = products


def _unwarned() -> AbstractContextManager[object]:
    """Silence torch 2.9, which advises the newer switches."""
    return warnings.catch_warnings(action="ignore", category=UserWarning)


def lacks_tf32(conditions: Conditions, device: Device, cuda: Any = torch.cuda) -> str | None:
    """Say why a CUDA device cannot run a point in TF32; None where it can or is not asked to."""
    if conditions.dtype != "tf32" or device.kind != "cuda":
        return None
    major, minor = cuda.get_device_capability(device.torch_device)
    if (major, minor) >= _TF32_CAPABILITY:
        return None
    return f"dtype tf32 needs compute capability 8.0; this device has {major}.{minor}"


def make_runnable(workload: Workload, conditions: Conditions, device: Device) -> Runnable:
    """Move a workload to the device in its number and memory format, and wrap its execution.

    To be called with the conditions `in_force`, for a CUDA graph is captured here.
    """
    module, example = place(workload, conditions, device)
    forget = partial(forget_gradients, gradient_leaves(module, example))
    compiles = conditions.execution == "compiled"
    forward = training_forward(module, example) if module.training else inference_forward(module, example)
    if compiles:
        hold_packs(module)
        forward = compile_forward(forward)
    call = with_backward(forward, forget) if module.training else forward
    if conditions.execution == "cudagraph":
        call = capture(call, forget)
    return Runnable(call, compiles, module, example, forget)


def place(workload: Workload, conditions: Conditions, device: Device) -> tuple[nn.Module, Any]:
    """Give the module itself and a copy of the example, on the device in the conditions' formats."""
    module = workload.module.to(device=device.torch_device, dtype=DTYPES[conditions.dtype])
    module = module.to(memory_format=_MEMORY_FORMATS[conditions.memory_format])
    return module, place_example(workload, conditions, device)


def place_example(workload: Workload, conditions: Conditions, device: Device) -> Any:
    """Give a copy of the example alone, placed alike: a forward may write to what it takes."""
    memory_format = _MEMORY_FORMATS[conditions.memory_format]

    def placed(tensor: Tensor) -> Tensor:
        copied = tensor.detach().to(
            device.torch_device, DTYPES[conditions.dtype], copy=True, memory_format=memory_format
        )
        return copied.requires_grad_(tensor.requires_grad)

    return tree_map(placed, workload.example)


def inference_forward(module: nn.Module, example: Any) -> Forward:
    """Give a function that makes one forward."""

    def forward() -> object:
        return module(example)

    return forward


def training_forward(module: nn.Module, example: Any) -> Forward:
    """Give a function that makes one forward with its loss.

    The output leaves without gradients, or compiled code would add zeros for it in the backward.
    """

    def forward() -> tuple[Tensor, object]:
        output = module(example)
        return loss_of(output), tree_map_only(Tensor, Tensor.detach, output)

    return forward


def with_backward(forward: Forward, forget: Call) -> Call:
    """Give a training call: gradients let go, a forward with its loss, the backward; no weight changes."""

    def call() -> object:
        forget()
        loss, output = forward()
        loss.backward()
        return output

    return call


def compile_forward(forward: Forward) -> Forward:
    """Give a forward whose first call makes torch.compile's code, for its example's sizes alone.

    Dynamo keeps what it compiled by code object, tries it in order and gives up after a few. With a code
    object of its own, no subject pays for another's guards or meets that limit.
    """
    forward.__code__ = forward.__code__.replace(co_name=f"forward_{next(_NUMBERS)}")
    compiled: Forward = torch.compile(forward, dynamic=False)
    return compiled


def capture(call: Call, forget: Call, cuda: Any = torch.cuda) -> Call:
    """Capture a call as a CUDA graph and give its replay.

    Args:
        call: what is captured.
        forget: lets go what a call leaves behind: gradients made while capturing are to lie in the graph's
            memory.
        cuda: torch.cuda or what stands in for it in a test.
    """
    side = cuda.Stream()
    side.wait_stream(cuda.current_stream())
    with cuda.stream(side):
        for _ in range(_CAPTURE_WARMUP_CALLS):
            call()
    cuda.current_stream().wait_stream(side)
    forget()
    graph = cuda.CUDAGraph()
    with cuda.graph(graph):
        output = call()

    def replay() -> object:
        graph.replay()
        return output

    return replay
