"""A store as it is now, and one reader of its columns for all who ask in one process."""

import hashlib
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from octprobe.store.accuracy_runs import accuracy_parts
from octprobe.store.columns import ColumnReader
from octprobe.store.store import Store

_readers: dict[tuple[str, bool], tuple[str, ColumnReader]] = {}
_turn = Lock()


class Snapshot(NamedTuple):
    """A state of a store.

    Attributes:
        path: its folder.
        mark: changes with its parts, of accuracies too.
        parts: how many there are of rows.
    """

    path: str
    mark: str
    parts: int


def snapshot(path: str) -> Snapshot:
    """Look at which parts a store has, of rows and of accuracies.

    Raises:
        StoreError: there is no store.
    """
    parts = Store.open(path).parts()
    seen = hashlib.sha256()
    for part in [*parts, *accuracy_parts(Path(path))]:
        try:
            seen.update(f"{part.name} {part.stat().st_size}\n".encode())
        except OSError:  # taken away since it was listed
            continue
    return Snapshot(path, seen.hexdigest(), len(parts))


def shared_reader(store: Snapshot, *, every_attempt: bool = False) -> ColumnReader:
    """Give the reader of a state of a store; the one of an earlier state is let go."""
    with _turn:
        mark, reader = _readers.get((store.path, every_attempt), (None, None))
        if reader is None or mark != store.mark:
            reader = ColumnReader(store.path, every_attempt=every_attempt)
            _readers[store.path, every_attempt] = (store.mark, reader)
        return reader
