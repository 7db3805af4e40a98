"""What data sets are called: each content has a name of its own, so that figures of two are never mixed."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from torch import Tensor

from octprobe.accuracy.image_file import told_of

# Of a SHA-256: enough to keep the data sets of a person apart, short enough for tables and file names.
_DIGITS = 8


def content_digest(parts: Iterable[Tensor]) -> str:
    """Give the SHA-256 of tensors, of their sizes and values in order.

    Args:
        parts: uint8, on the processor.
    """
    digest = hashlib.sha256()
    for part in parts:
        digest.update(str(tuple(part.shape)).encode())
        digest.update(part.contiguous().numpy().data)
    return digest.hexdigest()


def named_by_content(name: str, digest: str) -> str:
    """Name a data set that is not the one that everybody means by this name."""
    return f"{name}-{digest[:_DIGITS]}"


def named_by_files(folder: Path, files: Iterable[str | Path]) -> str:
    """Name a folder of images after itself and after the names and sizes of its files.

    Their content is not read, which would take as long as the evaluation of a large data set.

    Args:
        folder: gives the first part of the name.
        files: the images that are used, all in it, in any order.

    Raises:
        UsageError: a file is not there, as behind a link that leads nowhere.
    """
    digest = hashlib.sha256()
    for file in sorted(map(Path, files)):
        with told_of(file):
            size = file.stat().st_size
        digest.update(os.fsencode(f"{file.relative_to(folder).as_posix()}\0{size}\n"))
    return named_by_content(folder.resolve().name, digest.hexdigest())
