"""One parquet part read: some columns, all rows or a few, or in a line why it cannot be read."""

from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from octprobe.store.schema import (
    SCHEMA_VERSION,
    UnreadablePartError,
    current,
    encode_text,
    refuse_newer,
    version_of,
)


def read_part(
    part: Path,
    columns: Sequence[str],
    encoded: Collection[str] = frozenset(),
    places: Sequence[int] | None = None,
) -> pa.Table | str:
    """Read a part, or say in a line why it cannot be read.

    Args:
        part: the file.
        columns: the columns wanted, in this order.
        encoded: which of them, of text, come as dictionaries.
        places: the rows wanted, ascending; all by default.

    Raises:
        StoreError: the part was written by a newer octprobe.
    """
    try:
        return _read_part(part, columns, encoded, places)
    except UnreadablePartError as error:
        return str(error)


def _read_part(
    part: Path, columns: Sequence[str], encoded: Collection[str], places: Sequence[int] | None
) -> pa.Table:
    try:
        metadata = pq.read_metadata(part)
        schema = metadata.schema.to_arrow_schema()
        version = version_of(schema)
        refuse_newer(version, str(part))
        present = [name for name in schema.names if name in columns]
        as_dictionaries = [name for name in present if name in encoded]
        with pq.ParquetFile(
            part, metadata=metadata, read_dictionary=as_dictionaries, pre_buffer=False
        ) as file:
            # A migration may need columns that have since gone, so an older part is read whole.
            names = present if version == SCHEMA_VERSION else None
            table = file.read(names, use_threads=False) if places is None else _rows_at(file, names, places)
            table.validate(full=True)
    except (OSError, pa.ArrowException, ValueError) as error:
        raise UnreadablePartError(str(error).strip().partition("\n")[0]) from error
    return encode_text(current(table, version, columns), encoded)


def _rows_at(file: pq.ParquetFile, names: Sequence[str] | None, places: Sequence[int]) -> pa.Table:
    """Read a few rows: of a large part only the row groups that hold them."""
    wanted = np.asarray(places, dtype=np.int64)
    counts = [file.metadata.row_group(group).num_rows for group in range(file.metadata.num_row_groups)]
    ends = np.cumsum(counts)
    groups = np.searchsorted(ends, wanted, side="right")
    read, at = np.unique(groups, return_inverse=True)
    kept = np.cumsum([0, *np.asarray(counts)[read]])
    table = file.read_row_groups(read.tolist(), names, use_threads=False)
    return table.take(pa.array(kept[at] + wanted - (ends - counts)[groups]))
