"""Which of many rows are last attempts, found on keys of their ids; no Python object is made for a row."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Ints = npt.NDArray[np.int64]
Keys = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]

ATTEMPT_COLUMNS = ("point_id", "env_id", "attempt", "recorded_at")
# Ids of octprobe's making; others are keyed by their place in a dictionary.
_ID_BYTES = 16
# Odd factors of full width, so that keys which differ in a bit differ in many: of the golden ratio and of pi.
_GOLDEN, _PI = np.uint64(0x9E3779B97F4A7C15), np.uint64(0x243F6A8885A308D3)
# A key's last bits: with 16 million marks, few of 10 million keys are marked by chance.
_MARK_BITS = np.uint64(2**24 - 1)
# Keys are looked up in blocks that stay in the processor's cache.
_BLOCK = 65_536


def last_attempts(table: pa.Table) -> Flags:
    """Say which rows are the last attempt at their point in their environment.

    Keys of 64 bits tell which rows may have others of the same ids; these are compared exactly. Of attempts
    with equal numbers at equal times the one that was read last counts, as for every reader.

    Args:
        table: `ATTEMPT_COLUMNS` in the order of the parts; `env_id` as a dictionary.
    """
    kept = np.ones(table.num_rows, dtype=bool)
    keys = _keys(table)
    ordered = np.sort(keys)
    repeated = ordered[1:][ordered[1:] == ordered[:-1]]
    if len(repeated):
        marks = np.zeros(int(_MARK_BITS) + 1, dtype=bool)
        marks[repeated & _MARK_BITS] = True
        blocks = (marks[keys[start : start + _BLOCK] & _MARK_BITS] for start in range(0, len(keys), _BLOCK))
        doubtful = np.concatenate(list(blocks))
        kept[doubtful] = _are_last(table.filter(pa.array(doubtful)))  # `take` would join all chunks first
    return kept


def _keys(table: pa.Table) -> Keys:
    """Give each row a key: rows of equal ids have equal ones, and others hardly ever.

    Part by part, for the steps between then lie in memory that is used again.
    """
    keys = np.empty(table.num_rows, dtype=np.uint64)
    ids = table.column("point_id")
    known = _are_short(ids)
    ids = ids if known else ids.dictionary_encode().unify_dictionaries()
    start = 0
    for points in ids.chunks:
        found = _mixed(_words(points)) if known else points.indices.to_numpy().astype(np.uint64) * _GOLDEN
        keys[start : start + len(points)] = found
        start += len(points)
    start = 0
    for environments in table.column("env_id").unify_dictionaries().chunks:
        end = start + len(environments)
        keys[start:end] += environments.indices.to_numpy().astype(np.uint64) * _PI
        start = end
    return keys


def _are_last(table: pa.Table) -> Flags:
    points, environments = (
        _codes(table.column("point_id").dictionary_encode()),
        _codes(table.column("env_id")),
    )
    attempts, times = (table.column(name).cast(pa.int64()).to_numpy() for name in ATTEMPT_COLUMNS[2:])
    order = np.lexsort((times, attempts, environments, points))
    points, environments = points[order], environments[order]
    last = np.ones(len(order), dtype=bool)
    last[:-1] = (points[1:] != points[:-1]) | (environments[1:] != environments[:-1])
    flags = np.empty(len(order), dtype=bool)
    flags[order] = last
    return flags


def _codes(column: pa.ChunkedArray) -> Ints:
    """Number the values of a column that is a dictionary."""
    chunks = column.unify_dictionaries().chunks
    return np.concatenate([np.zeros(0, np.int64), *(chunk.indices.to_numpy() for chunk in chunks)])


def _mixed(words: Keys) -> Keys:
    """Make one key of two words; the digits of a number lie in few bits of each letter, multiplied in all."""
    mixed: Keys = (words[:, 0] * _GOLDEN) ^ (words[:, 1] * _PI)
    mixed ^= mixed >> np.uint64(32)
    return mixed * _GOLDEN


def _are_short(ids: pa.ChunkedArray) -> bool:
    """Say whether every id has the length of octprobe's own."""
    return all((np.diff(_bounds(chunk)) == _ID_BYTES).all() for chunk in ids.chunks)


def _bounds(ids: pa.StringArray) -> npt.NDArray[np.int32]:
    if not len(ids):
        return np.zeros(1, np.int32)
    return np.frombuffer(ids.buffers()[1], np.int32)[ids.offset : ids.offset + len(ids) + 1]


def _words(ids: pa.StringArray) -> Keys:
    """Read ids of 16 bytes as two words each."""
    if not len(ids):
        return np.zeros((0, 2), np.uint64)
    bounds = _bounds(ids)
    found: Keys = np.frombuffer(ids.buffers()[2], np.uint8)[bounds[0] : bounds[-1]].view(np.uint64)
    return found.reshape(-1, 2)
