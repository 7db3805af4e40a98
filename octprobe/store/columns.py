"""Few columns of many rows: what choosing needs, read without a Python object for each cell.

Text comes as pandas categoricals (of doubts too: a category is a tuple), ids of points and groups as Arrow's
text, floats as numpy's, whole numbers and flags as pandas' nullable ones, in as few bytes as hold a column's:
widen them before you multiply. Absent is null in each.
"""

import os
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import accumulate, pairwise
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from octprobe.errors import StoreError
from octprobe.store.attempts import ATTEMPT_COLUMNS, Flags, last_attempts
from octprobe.store.part import read_part
from octprobe.store.pieces import Piece, joined, piece_of
from octprobe.store.query import Loaded
from octprobe.store.schema import SCHEMA, encode_text
from octprobe.store.store import DamagedPart, Store

Places = npt.NDArray[np.intp]

# So many cells of a part are read at once: about 30 MB.
_MOST_CELLS = 4_000_000

_IDENTITY = ("point_id", "env_id")
# Nearly every row has another, so that a dictionary would only be in the way.
_IDS = frozenset({"point_id", "group_id"})
_TEXT = frozenset(column.name for column in SCHEMA if column.type == pa.string()) - _IDS


def read_columns(path: str | Path, names: Sequence[str]) -> Loaded:
    """Read columns of the last attempt at each point in each environment, oldest part first.

    Args:
        path: the store.
        names: columns of the schema; `point_id` and `env_id` come first, named or not.

    Raises:
        StoreError: there is no store, or a part was written by a newer octprobe.
    """
    loaded = ColumnReader(path).read(names)
    return Loaded(loaded.frame.reset_index(drop=True), loaded.damaged)


class ColumnReader:
    """A store's columns, of all rows that count, and more of a few.

    Each column is read once; the frames share them. A row's label is its place among the rows of all parts,
    so it stays when a part turns out damaged, and rows of others count in its stead. Threads may read at the
    same time.
    """

    def __init__(self, path: str | Path, *, every_attempt: bool = False) -> None:
        """Open a store; rows that come later are not read.

        Args:
            path: the store.
            every_attempt: whether earlier attempts at a point are rows too.

        Raises:
            StoreError: there is no store.
        """
        self._parts = Store.open(path).parts()
        self._every_attempt = every_attempt
        self._sizes: dict[Path, int] = {}
        self._damaged: dict[Path, str] = {}
        self._kept: dict[Path, Flags] = {}
        self._columns: dict[str, pd.Series[Any]] = {}
        self._turn = Lock()

    def read(self, names: Sequence[str]) -> Loaded:
        """Read columns of every row that counts, as `read_columns` does.

        Raises:
            StoreError: a part was written by a newer octprobe.
        """
        wanted = tuple(dict.fromkeys((*_IDENTITY, *names)))
        with self._turn, ThreadPoolExecutor(os.cpu_count()) as pool:
            while missing := [name for name in wanted if name not in self._columns]:
                self._know_attempts(pool)
                found = list(pool.map(lambda pair: _pieces(pair[0], missing, pair[1]), self._kept.items()))
                if not self._faults(found):
                    self._columns |= _joined(found, missing, self._labels(), pool)
            frame = pd.DataFrame({name: self._columns[name] for name in wanted}, copy=False)
            return Loaded(frame, tuple(DamagedPart(*pair) for pair in sorted(self._damaged.items())))

    def rows(self, names: Sequence[str], labels: Places) -> pd.DataFrame:
        """Read more columns of some of the rows that `read` gave.

        Args:
            names: columns of the schema.
            labels: the rows, in any order; one may come twice.

        Raises:
            StoreError: one of these columns is damaged.
        """
        wanted = tuple(dict.fromkeys((*_IDENTITY, *names)))
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            pieces = [_compact(table) for table in self._few(wanted, labels, _encoded(wanted), pool)]
            frame = pd.DataFrame(_joined(pieces, wanted, None, pool), copy=False)
        return frame.iloc[_back(labels)].set_axis(labels, axis="index")

    def table(self, names: Sequence[str], labels: Places) -> pa.Table:
        """Read columns of some of the rows that `read` gave, as they are stored.

        Raises:
            StoreError: one of these columns is damaged.
        """
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            found = pa.concat_tables([*self._few(names, labels, (), pool), _plain_empty(names)])
        return found.take(pa.array(_back(labels)))

    def _few(
        self, names: Sequence[str], labels: Places, encoded: Collection[str], pool: ThreadPoolExecutor
    ) -> list[pa.Table]:
        """Read some rows, ascending by label, a table a part."""
        with self._turn:
            self._know_attempts(pool)
        starts = np.cumsum([0, *self._sizes.values()])
        ascending = np.sort(labels, kind="stable")
        at = np.searchsorted(ascending, starts)
        chosen = [
            (part, (ascending[low:high] - start).tolist())
            for part, start, (low, high) in zip(self._sizes, starts, pairwise(at), strict=False)
            if high > low
        ]
        found = list(pool.map(lambda pair: read_part(pair[0], names, encoded, pair[1]), chosen))
        for (part, _), told in zip(chosen, found, strict=True):
            if isinstance(told, str):
                raise StoreError(str(DamagedPart(part, told)))
        return [table for table in found if not isinstance(table, str)]

    def _labels(self) -> "pd.Index[int]":
        """Give the label of each row that counts."""
        if list(self._kept) == list(self._sizes) and all(flags.all() for flags in self._kept.values()):
            return pd.RangeIndex(sum(self._sizes.values()))
        starts = dict(zip(self._sizes, np.cumsum([0, *self._sizes.values()]), strict=False))
        found = [starts[part] + np.flatnonzero(flags) for part, flags in self._kept.items()]
        labels: pd.Index[int] = pd.Index(np.concatenate([np.zeros(0, dtype=np.int64), *found]))
        return labels

    def _know_attempts(self, pool: ThreadPoolExecutor) -> None:
        """Read first what tells attempts apart; then no other column is held of a row that does not stay."""
        while not self._kept:
            parts = [part for part in self._parts if part not in self._damaged]
            found = list(
                pool.map(lambda part: read_part(part, ATTEMPT_COLUMNS, _encoded(ATTEMPT_COLUMNS)), parts)
            )
            damaged = {part: told for part, told in zip(parts, found, strict=True) if isinstance(told, str)}
            self._damaged |= damaged
            tables = [table for table in found if not isinstance(table, str)]
            table = pa.concat_tables([*tables, _empty(ATTEMPT_COLUMNS)])
            kept = np.ones(table.num_rows, dtype=bool) if self._every_attempt else last_attempts(table)
            bounds = accumulate((table.num_rows for table in tables), initial=0)
            readable = [part for part in parts if part not in damaged]
            self._kept = {
                part: kept[low:high] for part, (low, high) in zip(readable, pairwise(bounds), strict=True)
            }
            # A part keeps its labels when it turns out damaged later.
            self._sizes = self._sizes or {part: len(flags) for part, flags in self._kept.items()}
            if not readable:
                return

    def _faults(self, found: Sequence[list[Piece] | str]) -> bool:
        """Note the parts that turned out damaged; then all is to be read anew without them.

        A part of which only some columns are damaged counts with none, so its ids neither.
        """
        damaged = {part: told for part, told in zip(self._kept, found, strict=True) if isinstance(told, str)}
        self._damaged |= damaged
        if damaged:
            self._kept, self._columns = {}, {}
        return bool(damaged)


def _back(labels: Places) -> Places:
    """Give the places of rows that lie in ascending order, in the order of their labels."""
    order = np.argsort(labels, kind="stable")
    back = np.empty(len(order), dtype=np.intp)
    back[order] = np.arange(len(order))
    return back


def _joined(
    found: Sequence[list[Piece] | str],
    wanted: Sequence[str],
    labels: "pd.Index[int] | None",
    pool: ThreadPoolExecutor,
) -> "dict[str, pd.Series[Any]]":
    pieces = [*(rows for rows in found if not isinstance(rows, str)), _compact(_empty(wanted))]
    columns = pool.map(lambda place: joined([rows[place] for rows in pieces]), range(len(wanted)))
    return {
        name: pd.Series(column, copy=False) if labels is None else _labelled(column, labels)
        for name, column in zip(wanted, columns, strict=True)
    }


def _labelled(column: Any, labels: "pd.Index[int]") -> "pd.Series[Any]":
    return pd.Series(column, copy=False).set_axis(labels)


def _pieces(part: Path, wanted: Sequence[str], kept: Flags) -> list[Piece] | str:
    """Read columns of a part as pieces of the rows that stay.

    Of a part of many rows a few columns at a time, for cells are wide until they are compact.
    """
    step = max(1, _MOST_CELLS // max(1, len(kept)))
    pieces: list[Piece] = []
    for start in range(0, len(wanted), step):
        names = wanted[start : start + step]
        found = read_part(part, names, _encoded(names))
        if isinstance(found, str):
            return found
        pieces += _compact(found, None if kept.all() else pa.array(kept))
    return pieces


def _compact(table: pa.Table, chosen: pa.BooleanArray | None = None) -> list[Piece]:
    columns = (table.column(place) for place in range(table.num_columns))
    return [piece_of(column if chosen is None else column.filter(chosen)) for column in columns]


def _encoded(names: Collection[str]) -> list[str]:
    return sorted(_TEXT.intersection(names))


def _empty(names: Sequence[str]) -> pa.Table:
    """Give no rows of some columns, for a store without parts."""
    return encode_text(_plain_empty(names), _encoded(names))


def _plain_empty(names: Sequence[str]) -> pa.Table:
    return pa.Table.from_batches([], pa.schema([SCHEMA.field(name) for name in names]))
