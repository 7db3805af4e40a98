"""Failures named."""

import pytest
import torch

from octprobe.measure.failure import reason_of, status_of
from octprobe.store.records import Status


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        ValueError("building it failed: MemoryError"),
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


class FakeInductorError(RuntimeError):
    """Stands in for torch's, which says where it failed first and why below."""

    __module__ = "torch._inductor.exc"


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (
            "RuntimeError: Failed to import /tmp/x.py\nImportError: undefined symbol: f\n\nSet TORCH_LOGS",
            "RuntimeError: Failed to import /tmp/x.py; ImportError: undefined symbol: f",
        ),
        (
            "CppCompileError: C++ failed\n\nCommand:\ng++ x.cpp\n\nOutput:\nx.cpp:1: fatal error: no a.h",
            "CppCompileError: C++ failed; x.cpp:1: fatal error: no a.h",
        ),
        ("InvalidCxxCompiler: none found\n\nSet TORCHDYNAMO_VERBOSE=1", "InvalidCxxCompiler: none found"),
        ("", ""),
    ],
    ids=["import", "compiler", "one line", "nothing"],
)
def test_a_compilers_error_is_told_with_its_cause(said: str, reason: str) -> None:
    """In one line, without the command and the advice."""
    assert reason_of(FakeInductorError(said)) == f"FakeInductorError: {reason}".removesuffix(": ")


def test_a_compilers_pages_are_cut() -> None:
    """A template's name alone may fill one."""
    reason = reason_of(FakeInductorError("first\nx.cpp:1: error: " + "x" * 9999))
    assert reason.startswith("FakeInductorError: first; x.cpp:1: error: xxx")
    assert len(reason) == 300
