"""Stores as pandas frames: integers with gaps stay integers, absent stays absent."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from octprobe.errors import StoreError
from octprobe.store.schema import SCHEMA
from octprobe.store.store import DamagedPart, Store

_IDENTITY = ["point_id", "env_id"]
_ORDER = [*_IDENTITY, "attempt", "recorded_at"]
# Floats stay numpy's, as pandas users expect: there the null is NaN.
_NULLABLE = {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype(), pa.string(): pd.StringDtype()}
_LISTS = [column.name for column in SCHEMA if pa.types.is_list(column.type)]


@dataclass(frozen=True)
class Loaded:
    """The rows that could be read, and the parts that could not."""

    frame: pd.DataFrame
    damaged: tuple[DamagedPart, ...]


def load_frame(path: str | Path) -> pd.DataFrame:
    """Read one row a (`point_id`, `env_id`), the last attempt; `point_id` first, then the schema's order.

    Raises:
        StoreError: there is no store, or a part cannot be read; `load_readable` reads the rest.
    """
    loaded = load_readable(path)
    _refuse_damaged(loaded.damaged)
    return loaded.frame


def load_attempts(path: str | Path) -> pd.DataFrame:
    """Read every attempt, oldest part first, the columns as in `load_frame`.

    Raises:
        StoreError: there is no store, or a part cannot be read.
    """
    contents = Store.open(path).read()
    _refuse_damaged(contents.damaged)
    return _frame(contents.table)


def load_readable(path: str | Path) -> Loaded:
    """Read as `load_frame` does, but past damaged parts, which are named beside the rows.

    Raises:
        StoreError: there is no store, or a part was written by a newer octprobe.
    """
    attempts = load_readable_attempts(path)
    return Loaded(last_attempts(attempts.frame), attempts.damaged)


def load_readable_attempts(path: str | Path) -> Loaded:
    """Read every attempt, oldest part first, past damaged parts, which are named beside the rows.

    Raises:
        StoreError: there is no store, or a part was written by a newer octprobe.
    """
    contents = Store.open(path).read()
    return Loaded(_frame(contents.table), contents.damaged)


def last_attempts(attempts: pd.DataFrame) -> pd.DataFrame:
    """Keep the last attempt at each point in each environment, in the order given."""
    return attempts[are_last_attempts(attempts)].reset_index(drop=True)


def are_last_attempts(attempts: pd.DataFrame) -> "npt.NDArray[np.bool_]":
    """Say which rows are the last attempt at their point in their environment."""
    kept: npt.NDArray[np.bool_] = ~attempts.duplicated(_IDENTITY, keep=False).to_numpy()
    places = np.flatnonzero(~kept)
    repeated = attempts.iloc[places].assign(place=places).sort_values(_ORDER, kind="stable")
    kept[repeated.drop_duplicates(_IDENTITY, keep="last")["place"]] = True
    return kept


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Give the rows as plain values for JSON: absent is None, never NaN; times are ISO 8601 text."""
    names = [str(name) for name in frame.columns]
    columns = [[plain(value) for value in frame[name]] for name in frame.columns]
    return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]


def plain(value: object) -> object:
    """Give one cell as a value JSON can hold; what is absent or not finite becomes None."""
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, datetime):
        return value.isoformat()
    unboxed = value.item() if hasattr(value, "item") else value
    return None if isinstance(unboxed, float) and not math.isfinite(unboxed) else unboxed


def _frame(table: pa.Table) -> pd.DataFrame:
    frame: pd.DataFrame = table.to_pandas(types_mapper=_NULLABLE.get)
    for name in _LISTS:
        frame[name] = pd.Series([_tuple(cell) for cell in frame[name]], index=frame.index, dtype=object)
    return frame


def _tuple(cell: "np.ndarray[Any, Any] | None") -> tuple[Any, ...] | None:
    return None if cell is None else tuple(cell.tolist())


def _refuse_damaged(damaged: Sequence[DamagedPart]) -> None:
    if damaged:
        more = f" ({len(damaged)} such parts)" if len(damaged) > 1 else ""
        raise StoreError(f"{damaged[0]}{more}")
