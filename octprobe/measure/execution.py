"""A workload put on a device under a point's conditions, ready to be called."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_map

from octprobe.measure.device import Call, Device
from octprobe.octave.pack import hold_packs
from octprobe.plan.point import Conditions
from octprobe.workload import Workload

# Number formats by their name in a sweep.
DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}
_MEMORY_FORMATS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}
# As torch advises for capturing a whole network: a few calls on a side stream come first.
_CAPTURE_WARMUP_CALLS = 3
_NUMBERS = itertools.count()


@dataclass(frozen=True)
class Runnable:
    """One forward call, made ready.

    Attributes:
        call: runs the forward once; must be called under `torch.inference_mode`.
        compiles: whether the very first call compiles.
        module: what the call runs, on the device, in its number and memory format; not compiled.
        example: what its forward takes, placed alike.
    """

    call: Call
    compiles: bool
    module: nn.Module
    example: Any


def make_runnable(workload: Workload, conditions: Conditions, device: Device) -> Runnable:
    """Move a workload to the device in its number and memory format, and wrap its execution."""
    module, example = place(workload, conditions, device)
    if conditions.execution == "compiled":
        return Runnable(compile_call(module, example), True, module, example)
    if conditions.execution == "cudagraph":
        return Runnable(capture(module, example), False, module, example)
    return Runnable(lambda: module(example), False, module, example)


def place(workload: Workload, conditions: Conditions, device: Device) -> tuple[nn.Module, Any]:
    """Give module and example on the device, in the conditions' number and memory format."""
    dtype, memory_format = DTYPES[conditions.dtype], _MEMORY_FORMATS[conditions.memory_format]

    def move(tensor: Tensor) -> Tensor:
        return tensor.to(device.torch_device, dtype, memory_format=memory_format)

    module = workload.module.to(device=device.torch_device, dtype=dtype)
    return module.to(memory_format=memory_format), tree_map(move, workload.example)


def compile_call(module: nn.Module, example: Any) -> Call:
    """Give a forward call whose first call makes torch.compile's code, for this example's sizes alone.

    Dynamo keeps what it compiled by code object, tries it in order and gives up after a few. With a code
    object of its own, no subject pays for another's guards or meets that limit.
    """
    hold_packs(module)

    def call() -> object:
        return module(example)

    call.__code__ = call.__code__.replace(co_name=f"call_{next(_NUMBERS)}")
    compiled: Call = torch.compile(call, dynamic=False)
    return compiled


def capture(module: nn.Module, example: Any, cuda: Any = torch.cuda) -> Callable[[], None]:
    """Capture one forward call as a CUDA graph and give its replay."""
    side = cuda.Stream()
    side.wait_stream(cuda.current_stream())
    with cuda.stream(side):
        for _ in range(_CAPTURE_WARMUP_CALLS):
            module(example)
    cuda.current_stream().wait_stream(side)
    graph = cuda.CUDAGraph()
    with cuda.graph(graph):
        module(example)
    replay: Callable[[], None] = graph.replay
    return replay
