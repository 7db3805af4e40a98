"""What went wrong, as a status and one line."""

from octprobe.store.records import Status

_MEMORY_WORDS = ("out of memory", "can't allocate memory", "cannot allocate memory", "outofmemory")


def status_of(error: BaseException) -> Status:
    """Tell a want of memory from any other failure."""
    text = f"{type(error).__name__}: {error}".lower()
    wants_memory = isinstance(error, MemoryError) or any(word in text for word in _MEMORY_WORDS)
    return Status.OUT_OF_MEMORY if wants_memory else Status.FAILED


def reason_of(error: BaseException) -> str:
    """Give the failure in one line: its type and the first line of what it says."""
    first_line = next(iter(str(error).strip().splitlines()), "")
    return f"{type(error).__name__}: {first_line}".removesuffix(": ")
