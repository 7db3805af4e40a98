"""Locks of files: who holds them, who is kept out, and what is left when a holder dies."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from octprobe.store.file_lock import FileLock

_HOLD = """
import sys
from pathlib import Path
from octprobe.store.file_lock import FileLock
lock = FileLock(Path(sys.argv[1]))
assert lock.try_acquire()
print("held", flush=True)
sys.stdin.read()
"""


def test_one_holds_and_the_other_waits_until_it_is_let_go(tmp_path: Path) -> None:
    """Two locks of one process keep each other out too, so threads do."""
    first, second = FileLock(tmp_path / "a"), FileLock(tmp_path / "a")
    assert first.try_acquire()
    assert not second.try_acquire()
    first.release()
    assert second.try_acquire()
    second.release()


def test_those_that_share_keep_out_who_wants_it_alone(tmp_path: Path) -> None:
    """And the other way round."""
    one, two = (FileLock(tmp_path / "a", shared=True) for _ in range(2))
    alone = FileLock(tmp_path / "a")
    assert one.try_acquire() and two.try_acquire()
    assert not alone.try_acquire()
    one.release()
    assert not alone.try_acquire()
    two.release()
    assert alone.try_acquire()
    assert not one.try_acquire()
    alone.release()


def test_a_lock_goes_with_its_process(tmp_path: Path) -> None:
    """SIGKILL leaves a file that nobody holds, with the note of who held it."""
    path = tmp_path / "a"
    command = [sys.executable, "-c", _HOLD, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        lock = FileLock(path)
        assert not lock.try_acquire()
        holder = lock.holder()
        assert holder is not None
        assert (holder.pid, str(path) in holder.command) == (other.pid, True)
        other.kill()
        other.wait()
        assert lock.try_acquire()
        assert (lock.holder() or holder).pid == os.getpid()
        lock.release()


def test_a_removed_file_is_no_lock_for_who_had_it_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who opened the file before its holder removed it must not hold what others cannot see."""
    path = tmp_path / "a"
    first = FileLock(path, removed=True)
    assert first.try_acquire()
    late = FileLock(path, removed=True)
    opened = os.open(path, os.O_RDWR)
    monkeypatch.setattr("octprobe.store.file_lock._open", lambda _: opened)
    first.release()
    assert not path.exists()
    assert not late.try_acquire()
    monkeypatch.undo()
    assert late.try_acquire()
    assert path.exists()
    late.release()
    assert not path.exists()


@pytest.mark.parametrize("note", [b"", b"{", b"[1]", b'{"pid": 1}', b"\xff", b"x" * 100_000])
def test_a_note_that_cannot_be_read_is_none(tmp_path: Path, note: bytes) -> None:
    """Whatever lies in the file, the lock works."""
    path = tmp_path / "a"
    path.write_bytes(note)
    lock = FileLock(path)
    assert lock.holder() is None
    assert lock.try_acquire()
    assert lock.holder() is not None
    lock.release()


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """In a folder that everybody may write, a link could point anywhere."""
    target = tmp_path / "precious"
    target.write_text("kept")
    (tmp_path / "a").symlink_to(target)
    with pytest.raises(OSError, match="symbolic links"):
        FileLock(tmp_path / "a").try_acquire()
    assert target.read_text() == "kept"


def test_every_user_can_queue(tmp_path: Path) -> None:
    """Whatever the umask, the file is there for all."""
    before = os.umask(0o077)
    try:
        lock = FileLock(tmp_path / "a")
        assert lock.try_acquire()
        lock.release()
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o666
