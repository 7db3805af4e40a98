"""A lock that is a file: the kernel holds it, and lets it go when its process dies, however that dies."""

import fcntl
import json
import os
import shlex
import sys
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

_MAX_COMMAND_CHARACTERS = 200
_MAX_NOTE_BYTES = 4096


@dataclass(frozen=True)
class Holder:
    """Who holds a lock, as they noted it in the file.

    Attributes:
        pid: the process, as its own machine or container numbers it.
        command: what was typed.
        since: when it took the lock, UTC, ISO 8601.
    """

    pid: int
    command: str
    since: str

    def __str__(self) -> str:
        return f"process {self.pid} ({self.command}) since {self.since}"


class FileLock:
    """One file under `flock`: exclusive, or shared among those that ask for it so.

    Args:
        path: the file; it is made where it is missing, its folder is not.
        shared: hold it together with others that share, and keep out who wants it alone.
        removed: whether releasing removes the file; only where nobody shares the lock.
    """

    def __init__(self, path: Path, *, shared: bool = False, removed: bool = False) -> None:
        self.path = path
        self._kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        self._removed = removed
        self._descriptor: int | None = None

    def try_acquire(self) -> bool:
        """Take the lock if it is free now.

        Raises:
            OSError: the file cannot be made or opened, or its file system knows no locks.
        """
        descriptor = _open(self.path)
        try:
            fcntl.flock(descriptor, self._kind | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        except OSError:
            os.close(descriptor)
            raise
        if not _is_same(descriptor, self.path):  # whoever held it removed it as we opened it
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        if self._kind == fcntl.LOCK_EX:
            _note(descriptor)
        return True

    def release(self) -> None:
        """Let the lock go; nothing happens where it is not held."""
        if self._descriptor is None:
            return
        if self._removed:
            self.path.unlink(missing_ok=True)
        os.close(self._descriptor)
        self._descriptor = None

    def holder(self) -> Holder | None:
        """Read who noted themselves last; None where nobody did, or the note cannot be read."""
        try:
            with self.path.open("rb") as file:
                return Holder(**json.loads(file.read(_MAX_NOTE_BYTES)))
        except (OSError, ValueError, TypeError):
            return None


def _open(path: Path) -> int:
    """Open a lock's file; one that another user owns is opened to read, and can be locked all the same.

    Never made by O_CREAT alone, which Linux refuses for others' files in a folder that everybody may write.
    """
    while True:
        for mode in (os.O_RDWR, os.O_RDONLY):
            try:
                return os.open(path, mode | os.O_NOFOLLOW | os.O_CLOEXEC)
            except PermissionError:
                if mode == os.O_RDONLY:
                    raise
            except FileNotFoundError:
                break
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        except FileExistsError:
            continue
        os.fchmod(descriptor, 0o666)  # whatever the umask: other users queue here too
        return descriptor


def _is_same(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _note(descriptor: int) -> None:
    """Write who holds the lock into it, for those who wait; a file of another user takes no note."""
    command = shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])[:_MAX_COMMAND_CHARACTERS]
    since = datetime.now(UTC).isoformat(timespec="seconds")
    text = json.dumps(asdict(Holder(os.getpid(), command, since))).encode()
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, text, 0)
    except OSError:  # a full disk, or another user's file: the lock holds without a note
        return
