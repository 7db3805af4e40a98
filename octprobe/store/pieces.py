"""Columns of a part as compact pieces of numpy, and the pieces of all parts as columns of pandas."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

Array = npt.NDArray[Any]
Ints = npt.NDArray[np.int64]

_TEXT_ARRAY = pd.StringDtype("pyarrow")
_TEXT_LIST = pa.list_(pa.string())
_SIZES = (np.int8, np.int16, np.int32, np.int64)


@dataclass(frozen=True)
class Figures:
    """Figures, with a flag for each that is absent; of floats, the absent are NaN and have no flags."""

    values: Array
    absent: Array | None = None


@dataclass(frozen=True)
class Coded:
    """Places in a list of distinct values; -1 is absent."""

    codes: Array
    values: tuple[Hashable, ...]


@dataclass(frozen=True)
class Kept:
    """Cells as Arrow holds them."""

    cells: pa.Array


Piece = Figures | Coded | Kept


def piece_of(column: pa.ChunkedArray) -> Piece:
    """Make a column of one part compact: whole numbers and codes in as few bytes as hold them."""
    cells = column.combine_chunks()
    if isinstance(cells, pa.ChunkedArray):  # older pyarrow keeps a single chunk in its wrapping
        cells = pa.concat_arrays(cells.chunks)
    if pa.types.is_floating(cells.type):
        return Figures(cells.to_numpy(zero_copy_only=False))
    if pa.types.is_integer(cells.type) or pa.types.is_boolean(cells.type):
        return _whole(cells)
    if pa.types.is_dictionary(cells.type):
        codes = pc.fill_null(cells.indices, -1).to_numpy(zero_copy_only=False)
        return Coded(_narrowed(codes, len(cells.dictionary)), tuple(cells.dictionary.to_pylist()))
    return _lists(cells) if cells.type == _TEXT_LIST else Kept(cells)


def joined(pieces: Sequence[Piece]) -> Any:
    """Join the pieces of one column, at least one, to what pandas takes as a column."""
    first = pieces[0]
    if isinstance(first, Coded):
        return _categorical([piece for piece in pieces if isinstance(piece, Coded)])
    if isinstance(first, Figures):
        return _figures([piece for piece in pieces if isinstance(piece, Figures)])
    cells = pa.chunked_array([piece.cells for piece in pieces if isinstance(piece, Kept)])
    if pa.types.is_list(cells.type):
        return pd.Series([None if cell is None else tuple(cell) for cell in cells.to_pylist()], dtype=object)
    return cells.to_pandas(types_mapper={pa.string(): _TEXT_ARRAY}.get)


def _whole(cells: pa.Array) -> Figures:
    absent = cells.is_null().to_numpy(zero_copy_only=False)
    if pa.types.is_boolean(cells.type):
        return Figures(pc.fill_null(cells, False).to_numpy(zero_copy_only=False), absent)
    values = pc.fill_null(cells, 0).to_numpy(zero_copy_only=False)
    largest = max(abs(int(values.min(initial=0))), int(values.max(initial=0)))
    return Figures(_narrowed(values, largest + 1), absent)


def _narrowed(values: Array, bound: int) -> Array:
    """Store whole numbers below a bound, and not below its negative, in as few bytes as hold them."""
    return values.astype(next(size for size in _SIZES if bound - 1 <= np.iinfo(size).max))


def _lists(cells: pa.Array) -> Coded:
    """Make the distinct lists of texts, which are few, values: tuples, in the order met."""
    codes, distinct = pd.factorize(_list_keys(cells))
    first = np.full(len(distinct), len(cells))
    np.minimum.at(first, codes, np.arange(len(cells)))
    values = cells.take(pa.array(first)).to_pylist()
    absent = [place for place, value in enumerate(values) if value is None]
    codes[np.isin(codes, absent)] = -1
    return Coded(_narrowed(codes, len(values)), tuple(tuple(value or ()) for value in values))


def _list_keys(cells: pa.Array) -> Ints:
    """Number lists so that equal ones, and no others, have equal numbers."""
    texts = cells.flatten().dictionary_encode()
    digits = pc.fill_null(texts.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64) + 1
    lengths = pc.fill_null(cells.value_lengths(), -1).to_numpy(zero_copy_only=False).astype(np.int64)
    starts = np.cumsum(np.maximum(lengths, 0)) - np.maximum(lengths, 0)
    keys: Ints = lengths + 1
    for place in range(int(lengths.max(initial=0))):
        longer = np.flatnonzero(lengths > place)
        keys[longer] = keys[longer] * (len(texts.dictionary) + 1) + digits[starts[longer] + place]
        keys = pd.factorize(keys)[0].astype(np.int64)
    return keys


def _figures(pieces: Sequence[Figures]) -> Any:
    values = np.concatenate([piece.values for piece in pieces])
    absent = [piece.absent for piece in pieces if piece.absent is not None]
    if not absent:
        return values
    array = pd.arrays.BooleanArray if values.dtype == bool else pd.arrays.IntegerArray
    return array(values, np.concatenate(absent))


def _categorical(pieces: Sequence[Coded]) -> pd.Categorical:
    """Join codes under one list of values, each part's translated to it."""
    places: dict[Hashable, int] = {}
    for piece in pieces:
        for value in piece.values:
            places.setdefault(value, len(places))
    translated = [_translated(piece, places) for piece in pieces]
    index = pd.Index(list(places), dtype=object, tupleize_cols=False)
    return pd.Categorical.from_codes(np.concatenate(translated), categories=index, validate=False)


def _translated(piece: Coded, places: dict[Hashable, int]) -> Array:
    """Give codes in the joint list; the last entry is where -1 points to."""
    table = _narrowed(np.asarray([*(places[value] for value in piece.values), -1]), len(places))
    if np.array_equal(table[:-1], np.arange(len(piece.values))) and piece.codes.dtype == table.dtype:
        return piece.codes
    return table[piece.codes]
