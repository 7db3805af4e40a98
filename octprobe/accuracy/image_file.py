"""An image file that cannot be read, told by its name: one handling of all that its reader may raise."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from octprobe.errors import OctprobeError, UsageError, first_line, wants_memory


@contextmanager
def told_of(file: str | Path) -> Iterator[None]:
    """Read an image file within; what its reader raises is one line that names the file.

    Raises:
        UsageError: the file is gone, is no image, is cut short, or so large that it may be meant to do harm.
    """
    try:
        yield
    except Exception as error:  # PIL raises OSError, SyntaxError, ValueError and errors of its own
        if isinstance(error, OctprobeError) or wants_memory(error):
            raise
        said = getattr(error, "strerror", None) or first_line(error)
        raise UsageError(f"{file}: cannot be read as an image: {said}; mend or remove it") from error
