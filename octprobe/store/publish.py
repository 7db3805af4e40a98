"""Files that appear whole or not at all: written under a hidden name, flushed to the disk, then renamed."""

import contextlib
import errno
import fcntl
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from octprobe.errors import StoreError, UsageError

# Readers of parquet folders, ours and pyarrow's, skip names that start so.
HIDDEN_PREFIXES = ("_", ".")
_HALF_PREFIX, _HALF_SUFFIX = "_", ".tmp"
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def publish(content: bytes, target: Path) -> None:
    """Make a new file appear atomically and durably; a crash at any moment leaves it whole or absent.

    Raises:
        StoreError: the disk is full, the folder cannot be written, or the name is taken.
    """
    if target.exists():
        raise StoreError(
            f"{target} exists; a store never overwrites. Move the file away, or give another --store."
        )
    try:
        _appear(target, lambda file: file.write(content))
    except OSError as error:
        raise store_error(error, target.parent) from error


def keep(target: Path, write: Callable[[BinaryIO], object]) -> None:
    """Make a file of a store appear, or take the place of an older one, atomically and durably.

    Raises:
        StoreError: the disk is full, or the folder cannot be written; then the older one stays.
    """
    make_folder(target.parent)
    try:
        _appear(target, write)
    except OSError as error:
        raise store_error(error, target.parent) from error


def write_whole(target: Path, write: Callable[[BinaryIO], object], *, overwrite: bool) -> None:
    """Make a file that a person asked for appear whole or not at all; an old one stays until then.

    Args:
        target: where the file is to be.
        write: what writes its content.
        overwrite: whether a file of that name may be replaced.

    Raises:
        UsageError: the name is taken, or the file cannot be written.
    """
    refuse_taken(target, overwrite=overwrite)
    try:
        _appear(target, write)
    except OSError as error:
        raise UsageError(
            f"{target}: cannot be written: {error.strerror or error}; name another file"
        ) from error


def refuse_taken(target: Path, *, overwrite: bool) -> None:
    """Stop before a file that is there is lost, and before work is done for it.

    Raises:
        UsageError: the name is a folder's, or a file's that may not be replaced.
    """
    if target.is_dir():
        raise UsageError(f"{target}: is a folder; name a file in it")
    if target.exists() and not overwrite:
        raise UsageError(f"{target}: exists already; --force overwrites it")


def make_folder(folder: Path) -> None:
    """Make a folder and its parents where they are missing.

    Raises:
        StoreError: a file is in the way, or the folder cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise store_error(error, folder) from error


def store_error(error: OSError, folder: Path) -> StoreError:
    """Say in one line what the file system refused and what to do about it."""
    if error.errno in _FULL:
        return StoreError(
            f"{folder}: the disk is full. Free some space and run again: what is stored is kept."
        )
    if error.errno in (errno.EEXIST, errno.ENOTDIR):
        return StoreError(f"{folder}: a file is in the way of this folder. Give another --store.")
    return StoreError(
        f"{folder}: cannot be used as a store ({error.strerror or error}). "
        "Give the folder the right permissions, or give another --store."
    )


def remove_leftovers(folder: Path) -> None:
    """Remove what killed writers have left half-written; what a live one writes is locked, and stays."""
    for left in folder.glob(f"{_HALF_PREFIX}*{_HALF_SUFFIX}"):
        # A folder that cannot be changed keeps what is in it.
        with contextlib.suppress(OSError):
            if left.is_file():
                with left.open("rb") as file:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    left.unlink()


def _appear(target: Path, write: Callable[[BinaryIO], object]) -> None:
    hidden = target.with_name(f"{_HALF_PREFIX}{target.name}.{secrets.token_hex(4)}{_HALF_SUFFIX}")
    try:
        with _open_locked(hidden) as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
            hidden.replace(target)
        flush_folder(target.parent)
    except BaseException:  # Ctrl-C too: nothing half-written stays
        with contextlib.suppress(OSError):  # what failed first is what is told
            hidden.unlink(missing_ok=True)
        raise


def _open_locked(path: Path) -> BinaryIO:
    """Open a new file that nobody takes for a leftover, as it is locked; without locks nobody can."""
    while True:
        file = path.open("wb")
        with contextlib.suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)
        if path.exists():
            return file
        file.close()  # it was removed between the two


def flush_folder(folder: Path) -> None:
    """Make a rename durable: the folder's own entry has to reach the disk too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
