"""The one error root, a child for each party that must act, and how other libraries' errors are told."""

from collections.abc import Sequence
from fractions import Fraction

# What Python, the processor's allocator and CUDA's say; a wrapped error keeps the type's name in its text.
_MEMORY_WORDS = ("memoryerror", "out of memory", "can't allocate memory", "cannot allocate memory")


def wants_memory(error: BaseException) -> bool:
    """Tell a want of memory, which another try may not meet, from any other error."""
    text = f"{type(error).__name__}: {error}".lower()
    return any(word in text for word in _MEMORY_WORDS)


def first_line(error: BaseException) -> str:
    """Give one line of what an error of another library says; where it says nothing, its type."""
    return str(error).strip().partition("\n")[0] or type(error).__name__


class OctprobeError(Exception):
    """Something a person can put right; the message is one clear line: place, value, rule, way out."""

    exit_code = 2


class UsageError(OctprobeError):
    """The person at the command line must act."""


class SpecError(OctprobeError):
    """The author of a sweep file must act; carries every fault of the file at once."""


class ConversionError(OctprobeError):
    """The author of the model must act: what no conversion rule covers, or a layer with no octave form."""


class UnrealisableAlphaError(ConversionError):
    """No whole number of low channels gives this alpha.

    Attributes:
        allowed: the alphas that would do, ascending.
    """

    def __init__(self, message: str, allowed: Sequence[Fraction]) -> None:
        super().__init__(message)
        self.allowed = tuple(allowed)


class MachineError(OctprobeError):
    """The owner of the machine must act: a device, a compiler or a disk is missing."""


class StoreError(OctprobeError):
    """The keeper of a result store must act."""


class TraceError(OctprobeError):
    """Whoever recorded the trace must act: the file is no trace, or not a whole one."""
