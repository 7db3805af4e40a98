"""Peak memory of a call."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

from fake_cuda import BLOCK_BYTES, FakeCuda
from fake_device import FakeCudaDevice
from octprobe.cost.count import quick_cost
from octprobe.measure.device import CpuDevice, CudaDevice
from octprobe.measure.execution import Runnable, in_force, make_runnable
from octprobe.measure.memory import measure_memory
from octprobe.plan.point import Conditions
from octprobe.store.records import Memory
from octprobe.workload import Workload


def runnable(call: Callable[[], object], forget: Callable[[], object] = lambda: None) -> Runnable:
    """Make any function a call."""
    return Runnable(call, False, nn.Identity(), None, forget)


def test_the_processors_peak_is_exact_for_known_allocations() -> None:
    """Two live tensors of 4 MB and a third after one was let go peak at 8 MB."""

    def call() -> torch.Tensor:
        one = torch.ones(1_000_000)
        two = torch.ones(1_000_000)
        del one
        return torch.ones(1_000_000) + two[0]

    peak = measure_memory(runnable(call), Conditions(), CpuDevice()).peak_allocator_bytes
    assert peak is not None
    # `two`, `ones` and the sum are alive together.
    assert peak == pytest.approx(12_000_000, rel=1e-3)


def test_work_in_place_holds_nothing() -> None:
    """Operators were recorded and no allocation: 0, which is a figure."""
    tensor = torch.ones(1000)
    memory = measure_memory(runnable(tensor.relu_), Conditions(), CpuDevice())
    assert memory.peak_allocator_bytes == 0


@pytest.mark.parametrize("memory_format", ["contiguous", "channels_last"])
def test_a_convolutions_peak_is_its_output(memory_format: str) -> None:
    """oneDNN's copies of input and weights and its scratchpad, which are more than that, are left out."""
    conditions = Conditions(batch=2, resolution=32, memory_format=memory_format)
    workload = Workload(nn.Conv2d(64, 64, 3, padding=1).eval(), torch.ones(2, 64, 32, 32))
    with in_force(conditions):
        ready = make_runnable(workload, conditions, CpuDevice())
        peak = measure_memory(ready, conditions, CpuDevice()).peak_allocator_bytes
    assert peak == 2 * 64 * 32 * 32 * 4


def test_what_a_call_leaves_behind_is_in_its_peak() -> None:
    """Each call lets go the last one's 4 MB and makes them anew: 4 MB above what was there, not none."""
    left: list[torch.Tensor] = []

    def call() -> None:
        left.clear()
        left.append(torch.ones(1_000_000))

    peak = measure_memory(runnable(call, left.clear), Conditions(), CpuDevice()).peak_allocator_bytes
    assert peak == pytest.approx(4_000_000, rel=1e-3)


@pytest.mark.parametrize("batch", [1, 4])
def test_a_training_calls_peak_is_that_of_the_walk(batch: int) -> None:
    """Outputs kept for the backward and the weights' gradients: what is counted is what is allocated."""
    # A last layer that takes the sum's gradient as it comes; a convolution would copy it, unseen by the walk.
    chain = nn.Sequential(*[nn.Conv2d(32, 32, 1, bias=False) for _ in range(4)], nn.ReLU()).train()
    counted = quick_cost(Workload(chain, torch.ones(1, 32, 32, 32)), batch=batch).peak_live_bytes * batch
    conditions = Conditions(mode="train", resolution=32)
    workload = Workload(chain, torch.ones(batch, 32, 32, 32))
    with in_force(conditions):
        ready = make_runnable(workload, conditions, CpuDevice())
        peak = measure_memory(ready, conditions, CpuDevice()).peak_allocator_bytes
    assert peak == pytest.approx(counted, abs=batch)


def test_cuda_reads_its_own_counters() -> None:
    """The peak is reset after a first call, then read around one more: what a call takes, in whole blocks."""
    cuda = FakeCuda()
    log: list[str] = []

    def call() -> None:
        log.append("call")
        cuda.give(cuda.take(5 * BLOCK_BYTES))

    cuda.take(3 * BLOCK_BYTES)
    memory = measure_memory(runnable(call, lambda: log.append("forget")), Conditions(), FakeCudaDevice(cuda))
    assert log == ["call", "forget", "call"]
    assert memory.peak_allocator_bytes == 5 * BLOCK_BYTES
    assert memory.peak_reserved_bytes == cuda.max_memory_reserved() > 0


def test_a_captured_graph_has_no_peak_of_its_own() -> None:
    """A replay allocates nothing: null, never 0."""
    graph = Conditions(execution="cudagraph")
    nothing = Memory(peak_allocator_bytes=None, peak_reserved_bytes=None)
    never = runnable(lambda: pytest.fail("called"))
    assert measure_memory(never, graph, CudaDevice(0, cuda=None)) == nothing
