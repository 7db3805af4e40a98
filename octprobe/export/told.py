"""What an exporter or a runtime could not do, told in one line."""

from collections.abc import Iterator
from contextlib import contextmanager

from octprobe.errors import ConversionError, OctprobeError, wants_memory


@contextmanager
def told(what: str) -> Iterator[None]:
    """Tell in one line what could not be done, and the first cause.

    Raises:
        ConversionError: anything was raised but a want of memory, an error of the disk's or one that is told.
    """
    try:
        yield
    except (OSError, OctprobeError):
        raise  # the disk's is told where the file is made to appear
    except Exception as error:  # whatever the exporter raises
        if wants_memory(error):
            raise
        cause: BaseException = error
        while cause.__cause__ is not None:
            cause = cause.__cause__
        said = next(iter(str(cause).splitlines()), "")
        raise ConversionError(f"{what}: {type(cause).__name__}: {said}") from error
