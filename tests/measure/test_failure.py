"""Failures named."""

import pytest
import torch

from octprobe.measure.failure import reason_of, status_of
from octprobe.store.records import Status


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError(
            "[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"
        ),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB"),
    ],
)
def test_a_want_of_memory_is_told_apart(error: BaseException) -> None:
    """Python's, the processor allocator's and CUDA's words for it."""
    assert status_of(error) is Status.OUT_OF_MEMORY


def test_a_real_allocation_beyond_the_machine_is_a_want_of_memory() -> None:
    """The processor's allocator refuses an exabyte."""
    with pytest.raises(RuntimeError) as refused:
        torch.empty(2**58)
    assert status_of(refused.value) is Status.OUT_OF_MEMORY


def test_anything_else_is_a_failure_in_one_line() -> None:
    """The first line of the message, or the type alone."""
    assert status_of(ValueError("bad")) is Status.FAILED
    assert reason_of(ValueError("bad\nmore")) == "ValueError: bad"
    assert reason_of(KeyError()) == "KeyError"
