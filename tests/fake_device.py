"""What runs on the fake of `torch.cuda`: the CUDA device, calls of known kernels, and real modules."""

import weakref
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from fake_cuda import FakeCuda
from octprobe.measure.device import CudaDevice


class FakeCudaDevice(CudaDevice):
    """The CUDA device over a fake: its tensors lie on the processor, its time and memory are the fake's."""

    def __init__(self, cuda: FakeCuda) -> None:
        super().__init__(0, cuda)
        self.torch_device = torch.device("cpu")


class FakeNetwork:
    """A call that launches kernels, each given as the host's and the device's microseconds."""

    def __init__(self, cuda: FakeCuda, kernels_us: Sequence[tuple[float, float]]) -> None:
        self._cuda = cuda
        self._kernels_us = kernels_us

    def __call__(self) -> None:
        for host_us, device_us in self._kernels_us:
            self._cuda.launch(host_us, device_us)


class OnFakeCuda(TorchDispatchMode):
    """While active, each operator that computes launches a kernel and holds its result in the fake's memory.

    The operator itself runs on the processor, so real modules have real results.
    """

    def __init__(self, cuda: FakeCuda, *, host_us: float, device_us: float) -> None:
        super().__init__()
        self._cuda = cuda
        self._kernel_us = (host_us, device_us)
        self._held: set[int] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        known = {_storage(leaf)._cdata for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)}
        result = func(*args, **(kwargs or {}))
        made = [_storage(leaf) for leaf in tree_leaves(result) if isinstance(leaf, Tensor)]
        if func.is_view or not made:
            return result
        self._cuda.launch(*self._kernel_us)
        for storage in made:
            if storage._cdata not in known | self._held:
                self._hold(storage)
        return result

    def _hold(self, storage: torch.UntypedStorage) -> None:
        block = self._cuda.take(storage.nbytes())
        self._held.add(storage._cdata)
        weakref.finalize(storage, self._free, storage._cdata, block)

    def _free(self, key: int, block: int) -> None:
        self._held.discard(key)
        self._cuda.give(block)


def _storage(tensor: Tensor) -> torch.UntypedStorage:
    return tensor.untyped_storage()
