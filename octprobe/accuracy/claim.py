"""Which process has which training in hand: a locked file beside its weights, gone when it ends."""

import contextlib
import errno
from collections.abc import Iterable, Iterator
from pathlib import Path

from octprobe.accuracy.checkpoint import Task, checkpoint_folder
from octprobe.errors import StoreError
from octprobe.store.accuracy_runs import ACCURACY_FOLDER
from octprobe.store.file_lock import FileLock, Holder
from octprobe.store.publish import make_folder, remove_leftovers, store_error

# What a file system says that knows no locks: nobody can keep anybody out there.
_NO_LOCKS = frozenset({errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})


@contextlib.contextmanager
def claimed(task: Task, store: Path) -> Iterator[bool]:
    """Take a training in hand, and let it go at the end; the kernel does so where the process is killed.

    Returns:
        whether no other process has it in hand.

    Raises:
        StoreError: the store cannot be written.
    """
    make_folder(checkpoint_folder(store))
    lock = FileLock(task.claim(store), removed=True)
    is_mine = _acquired(lock)
    try:
        yield is_mine
    finally:
        lock.release()


def _acquired(lock: FileLock) -> bool:
    try:
        return lock.try_acquire()
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise store_error(error, lock.path.parent) from error
        lock.path.unlink(missing_ok=True)
        return True


def holder_of(task: Task, store: Path) -> Holder | None:
    """Say who has a training in hand, where they noted it."""
    return FileLock(task.claim(store)).holder()


def remove_traces(store: Path, ended: Iterable[Task]) -> None:
    """Remove what killed processes have left: half-written files, and what ended trainings went on from.

    Args:
        store: the folder of the store; one that cannot be changed keeps what is in it.
        ended: trainings whose end is in the store.
    """
    for folder in (store / ACCURACY_FOLDER, checkpoint_folder(store)):
        remove_leftovers(folder)
    for task in ended:
        unfinished = task.file(store, unfinished=True)
        if unfinished.exists() or task.claim(store).exists():
            with contextlib.suppress(StoreError, OSError), claimed(task, store) as is_mine:
                if is_mine:
                    unfinished.unlink(missing_ok=True)
