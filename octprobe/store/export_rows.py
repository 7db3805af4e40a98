"""The rows of a store as one file for other programs: CSV or parquet, whole or not at all."""

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from octprobe.errors import UsageError
from octprobe.store.latest import read_last_attempts
from octprobe.store.publish import refuse_taken, write_whole
from octprobe.store.schema import SCHEMA
from octprobe.store.store import Contents, Store, refuse_empty
from octprobe.store.tabular import write_csv


def export_rows(
    path: str | Path,
    target: Path,
    columns: Sequence[str] = (),
    *,
    every_attempt: bool = False,
    overwrite: bool = False,
) -> Contents:
    """Write rows to a file and give them, with the parts that could not be read.

    Args:
        path: the store.
        target: the file, whose ending names its form: .csv or .parquet.
        columns: the columns wanted, in this order; all by default.
        every_attempt: whether earlier attempts are written too, not only the last at each point.
        overwrite: whether a file of that name may be replaced.

    Raises:
        UsageError: the ending or a column is unknown, the name is taken, or the file cannot be written.
        StoreError: there is no store, it holds no rows, or a part was written by a newer octprobe.
    """
    write = _WRITERS.get(target.suffix.lower())
    if write is None:
        raise UsageError(f"{target}: the ending must be one of {', '.join(_WRITERS)}")
    names = list(dict.fromkeys(_known(name) for name in columns)) or SCHEMA.names
    refuse_taken(target, overwrite=overwrite)
    store = Store.open(path)
    contents = store.read(names) if every_attempt else read_last_attempts(store, names)
    refuse_empty(store.path, contents.table.num_rows, contents.damaged)
    write_whole(target, lambda file: write(contents.table, file), overwrite=overwrite)
    return contents


def _known(name: str) -> str:
    """Give a column's name.

    Raises:
        UsageError: there is none of that name; the message names the nearest.
    """
    if name in SCHEMA.names:
        return name
    near = difflib.get_close_matches(name.lower(), SCHEMA.names, n=1)
    hint = f"Did you mean {near[0]}?" if near else "docs/columns.md lists all columns."
    raise UsageError(f"--columns: there is no column {name!r}. {hint}")


def _write_parquet(table: pa.Table, file: BinaryIO) -> None:
    pq.write_table(table, file, compression="zstd")


_WRITERS = {".csv": write_csv, ".parquet": _write_parquet}
