"""What went wrong, as a status and one line."""

import re

from octprobe.errors import wants_memory
from octprobe.store.records import Status

# Where torch.compile's errors live: their first line says where it failed, a later one what it met.
_COMPILER_MODULES = ("torch._inductor", "torch._dynamo")
# `ImportError: what it said`, and a C++ compiler's `file:line: error: what it said`.
_CAUSE = re.compile(r"\w+: \S|.*\berror: ")
# A row's reason is read in one line; what a C++ compiler says of its templates fills pages.
_MAX_CHARACTERS = 300


def status_of(error: BaseException) -> Status:
    """Tell a want of memory from any other failure."""
    return Status.OUT_OF_MEMORY if wants_memory(error) else Status.FAILED


def reason_of(error: BaseException) -> str:
    """Give the failure in one line: its type, the first line of what it says, and what a compiler met."""
    first_line, *more = str(error).strip().splitlines() or [""]
    reason = f"{type(error).__name__}: {first_line}".removesuffix(": ")
    if not type(error).__module__.startswith(_COMPILER_MODULES):
        return reason
    cause = next(filter(_CAUSE.match, map(str.strip, more)), None)
    return "; ".join(filter(None, (reason, cause)))[:_MAX_CHARACTERS]
