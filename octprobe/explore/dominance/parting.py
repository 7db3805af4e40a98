"""Rows parted by the axes that must not mix: a number for each combination of their values."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from octprobe.explore.advice.arrays import Places
from octprobe.explore.dominance.domination import BLOCK
from octprobe.explore.groups import Record, in_order
from octprobe.store.query import records

Codes = npt.NDArray[Any]

# Rows have their place as a number below 2**31; times a number below this it stays whole in 64 bits.
_MOST_NUMBERS = 2**32


@dataclass(frozen=True)
class Parting:
    """Every row's part, numbered in the order of the parts' values.

    Attributes:
        numbers: the part of each row.
        given: the values of each part, by axis.
        varying: the axes that take more than one value.
    """

    numbers: Places
    given: tuple[Record, ...]
    varying: tuple[str, ...]


def parted(frame: pd.DataFrame, rows: Places, axes: Sequence[str]) -> Parting:
    """Part some rows of a frame by the values of axes; null is a value, and all of an axis without a column.

    Args:
        frame: rows of a store.
        rows: the places of those that count.
        axes: columns.
    """
    if not len(rows):
        return Parting(rows, (), ())
    several = _several(frame, rows, axes)
    numbers = _combined(list(several.values()), rows)
    return _in_order(frame, rows, numbers, axes, tuple(several))


def part_numbers(frame: pd.DataFrame, axes: Sequence[str]) -> Places:
    """Number every row's combination of values, from 0 in the order met; null is a value.

    Args:
        frame: rows of a store.
        axes: columns; one that the frame lacks parts nothing.
    """
    rows = np.arange(len(frame))
    return _combined(list(_several(frame, rows, axes).values()), rows) if len(frame) else rows


def _several(frame: pd.DataFrame, rows: Places, axes: Sequence[str]) -> "dict[str, _Values]":
    """Give the values of the axes that take more than one."""
    known = {axis: _Values.of(coded(frame[axis])[0], rows) for axis in axes if axis in frame}
    return {axis: values for axis, values in known.items() if values.count > 1}


def coded(column: "pd.Series[Any]") -> tuple[Codes, Sequence[Any]]:
    """Number the values of a column, not all numbers need be taken; null is -1."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column.cat.codes.to_numpy(), column.cat.categories.tolist()
    if isinstance(column.dtype, pd.Int8Dtype | pd.Int16Dtype):
        lowest, highest = column.min(), column.max()
        if lowest is pd.NA:
            return np.full(len(column), -1, dtype=np.int8), ()
        if lowest >= 0:  # they are their own numbers, and none need be looked up
            kind = np.int8 if column.dtype == pd.Int8Dtype() else np.int16
            return column.to_numpy(dtype=kind, na_value=-1), range(int(highest) + 1)
    codes, values = pd.factorize(column.array)
    return codes, values  # of ids there are as many as rows: no list of them


@dataclass(frozen=True)
class _Values:
    """One column's codes, and by code + 1 the places of those that the rows have."""

    codes: Codes
    places: Places
    count: int

    @classmethod
    def of(cls, codes: Codes, rows: Places) -> "_Values":
        is_met = np.zeros(int(codes.max()) + 2, dtype=bool)
        for block in _blocks(rows):
            is_met[codes[block].astype(np.intp) + 1] = True
        return cls(codes, np.cumsum(is_met) - 1, int(is_met.sum()))

    def at(self, rows: Places) -> Places:
        """Give the place of each row's value among those that are met."""
        return self.places[self.codes[rows].astype(np.intp) + 1]


def _combined(columns: Sequence[_Values], rows: Places) -> Places:
    """Give equal numbers to rows that have equal values in all columns; they count from 0."""
    numbers: Places = np.zeros(len(rows), dtype=np.intp)
    left = list(columns)
    while left:
        width, now = 1, list[_Values]()
        while left and (not now or width * left[0].count < _MOST_NUMBERS):
            width *= left[0].count
            now.append(left.pop(0))
        for start, block in zip(range(0, len(rows), BLOCK), _blocks(rows), strict=True):
            part = numbers[start : start + BLOCK]
            for values in now:
                part *= values.count
                part += values.at(block)
        numbers = np.asarray(pd.factorize(numbers)[0], dtype=np.intp)
    return numbers


def _blocks(rows: Places) -> Iterator[Places]:
    """Give rows in blocks that stay in the processor's cache."""
    return (rows[start : start + BLOCK] for start in range(0, len(rows), BLOCK))


def _in_order(
    frame: pd.DataFrame, rows: Places, numbers: Places, axes: Sequence[str], varying: tuple[str, ...]
) -> Parting:
    """Number parts anew, in the order of their values."""
    first = np.full(int(numbers.max()) + 1, len(rows))
    np.minimum.at(first, numbers, np.arange(len(rows)))
    known = records(frame[[axis for axis in axes if axis in frame]].iloc[rows[first]])
    given = [{axis: record.get(axis) for axis in axes} for record in known]
    order = sorted(range(len(given)), key=lambda number: in_order(given[number].values()))
    renumbered = np.empty(len(order), dtype=np.intp)
    renumbered[order] = np.arange(len(order))
    return Parting(renumbered[numbers], tuple(given[number] for number in order), varying)
