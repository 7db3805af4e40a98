"""Who has which training in hand, and what is left of those that were killed."""

import errno
import fcntl
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from octprobe.accuracy.checkpoint import Task, checkpoint_folder
from octprobe.accuracy.claim import claimed, holder_of, remove_traces
from octprobe.errors import StoreError
from octprobe.plan.recipe import Kind
from octprobe.store.file_lock import FileLock
from trainings import recipe

# Takes a lock, says so, and is killed as it waits for a word.
HOLDER = """
import sys
from pathlib import Path
from octprobe.store.file_lock import FileLock
print(FileLock(Path(sys.argv[1])).try_acquire(), flush=True)
sys.stdin.read()
"""


def task(seed: int = 0) -> Task:
    """Give a training."""
    return Task(recipe=recipe(), kind=Kind.TRAINED, alpha=Decimal("0.5"), seed=seed, dataset="stripes")


def files(store: Path) -> list[str]:
    """List what lies in the folder of checkpoints."""
    return sorted(path.name for path in checkpoint_folder(store).iterdir())


def test_one_process_has_it_in_hand(tmp_path: Path) -> None:
    """Until it lets go; then nothing stays, and another training is another matter."""
    with claimed(task(), tmp_path) as mine, claimed(task(), tmp_path) as again:
        assert (mine, again) == (True, False)
        with claimed(task(1), tmp_path) as other:
            assert other
        holder = holder_of(task(), tmp_path)
        assert holder is not None
        assert holder.pid == os.getpid()
        assert files(tmp_path) == [task().claim(tmp_path).name]
    assert files(tmp_path) == []
    assert holder_of(task(), tmp_path) is None
    with claimed(task(), tmp_path) as mine:
        assert mine


def test_it_is_let_go_where_the_training_fails(tmp_path: Path) -> None:
    """By whatever it raises."""
    with pytest.raises(KeyboardInterrupt), claimed(task(), tmp_path):
        raise KeyboardInterrupt
    assert files(tmp_path) == []


def test_what_a_killed_process_held_is_free(tmp_path: Path) -> None:
    """Its file is left, and goes with the next one that takes it."""
    checkpoint_folder(tmp_path).mkdir(parents=True)
    command = [sys.executable, "-c", HOLDER, str(task().claim(tmp_path))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "True\n"
        with claimed(task(), tmp_path) as mine:
            assert not mine
        process.kill()
    assert files(tmp_path) == [task().claim(tmp_path).name]
    with claimed(task(), tmp_path) as mine:
        assert mine
    assert files(tmp_path) == []


@pytest.mark.parametrize("error", [errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS])
def test_without_locks_nobody_is_kept_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    """A file system that knows none is no reason not to train."""

    def refuse(*_: object) -> None:
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with claimed(task(), tmp_path) as mine:
        assert mine
        assert files(tmp_path) == []


def test_a_store_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is told before the training begins."""

    def refuse(self: FileLock) -> bool:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(FileLock, "try_acquire", refuse)
    with pytest.raises(StoreError, match="cannot be used as a store"), claimed(task(), tmp_path):
        pytest.fail("began")


def leave(store: Path, *tasks: Task) -> None:
    """Leave what killed processes would."""
    for each in tasks:
        each.file(store, unfinished=True).parent.mkdir(parents=True, exist_ok=True)
        each.file(store, unfinished=True).touch()
        each.claim(store).touch()
    for folder in (store / "accuracy", checkpoint_folder(store)):
        (folder / "_half.pt.1a2b3c4d.tmp").touch()


def test_traces_of_what_has_ended_go(tmp_path: Path) -> None:
    """With all that is half-written; what is to be gone on from stays, and so does the other rest."""
    leave(tmp_path, task(0), task(1))
    task(0).file(tmp_path).touch()
    remove_traces(tmp_path, [task(0)])
    assert files(tmp_path) == sorted(
        [
            task(0).file(tmp_path).name,
            task(1).file(tmp_path, unfinished=True).name,
            task(1).claim(tmp_path).name,
        ]
    )
    assert [path.name for path in (tmp_path / "accuracy").iterdir()] == ["checkpoints"]


def test_what_another_process_has_in_hand_stays(tmp_path: Path) -> None:
    """It is not this one's to remove."""
    leave(tmp_path, task())
    with claimed(task(), tmp_path) as mine:
        assert mine
        remove_traces(tmp_path, [task()])
        assert task().file(tmp_path, unfinished=True).exists()


def test_nothing_comes_into_being(tmp_path: Path) -> None:
    """Where there is no store, or nothing to remove."""
    remove_traces(tmp_path / "none", [task()])
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_changed_keeps_what_is_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run with nothing to do does not end by it."""
    leave(tmp_path, task())

    def refuse(self: FileLock) -> bool:
        raise OSError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(FileLock, "try_acquire", refuse)
    remove_traces(tmp_path, [task()])
    assert task().file(tmp_path, unfinished=True).exists()
