"""Errors, and how those of other libraries are told."""

import pytest

from octprobe.errors import ConversionError, first_line, wants_memory


class PoolMemoryError(MemoryError):
    """A library's own kind, as numpy has one."""


@pytest.mark.parametrize(
    ("error", "wanted"),
    [
        (MemoryError(), True),
        (PoolMemoryError("unable to allocate"), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), True),
        (OSError("[Errno 12] Cannot allocate memory"), True),
        (RuntimeError("CUDA out of memory. Tried to allocate 20.00 MiB"), True),
        (RuntimeError("memory format option is only supported by strided tensors"), False),
        (ConversionError("Net has no Conv2d; there is nothing to make octave"), False),
    ],
)
def test_a_want_of_memory_is_told_by_type_or_words(error: Exception, wanted: bool) -> None:
    """No package that raises it need be loaded."""
    assert wants_memory(error) is wanted


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("one\ntwo"), "one"),
        (ValueError("\n  one  \ntwo"), "one  "),
        (ValueError(), "ValueError"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
    ],
)
def test_one_line_of_an_error(error: BaseException, line: str) -> None:
    """Its first with anything in it; an error without words has its type's name."""
    assert first_line(error) == line
