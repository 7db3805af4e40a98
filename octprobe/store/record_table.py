"""A table of frozen records in a store: a folder of parquet parts, written whole and read with care."""

import secrets
from collections.abc import Sequence
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Generic, TypeVar, get_origin, get_type_hints

import pyarrow as pa
import pyarrow.parquet as pq

from octprobe.store.publish import HIDDEN_PREFIXES, make_folder, publish, store_error
from octprobe.store.schema import (
    VERSION_KEY,
    UnreadablePartError,
    brought_to,
    laid_out,
    refuse_newer,
    schema_of,
    version_of,
)
from octprobe.store.store import DamagedPart, Store

Record = TypeVar("Record")


class RecordTable(Generic[Record]):
    """Records of one kind in a folder of a store; a part is never changed, later parts add to it.

    Args:
        record: a frozen dataclass; a field with a default may be null.
        folder: its folder in the store.
        version: raised whenever a column is added, renamed or given another type or meaning.
    """

    def __init__(self, record: type[Record], *, folder: str, version: int) -> None:
        self._record, self._folder, self._version = record, folder, version
        self.schema = schema_of(record).with_metadata({VERSION_KEY: str(version).encode()})
        self._tuples = {name for name, hint in get_type_hints(record).items() if get_origin(hint) is tuple}

    def append(self, store: Path, rows: Sequence[Record]) -> Path:
        """Publish rows as one new part of a store, which comes into being with it; give its path.

        Raises:
            StoreError: the disk is full or the folder cannot be written; then nothing was added.
        """
        make_folder(store / self._folder)
        Store.create(store)
        buffer = pa.BufferOutputStream()
        pq.write_table(laid_out(rows, self.schema), buffer, compression="zstd")
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}-{secrets.token_hex(4)}.parquet"
        publish(buffer.getvalue().to_pybytes(), store / self._folder / name)
        return store / self._folder / name

    def read(self, store: Path) -> tuple[list[Record], list[DamagedPart]]:
        """Give the rows of all parts that can be read, oldest part first, and the parts that cannot.

        Raises:
            StoreError: a part was written by a newer octprobe, or the folder cannot be listed.
        """
        rows: list[Record] = []
        damaged: list[DamagedPart] = []
        for part in self.parts(store):
            try:
                rows.extend(self._rows(part))
            except UnreadablePartError as error:
                damaged.append(DamagedPart(part, str(error)))
        return rows, damaged

    def parts(self, store: Path) -> list[Path]:
        """List the published parts, oldest first.

        Raises:
            StoreError: the folder cannot be listed.
        """
        folder = store / self._folder
        try:
            found = [path for path in folder.glob("*.parquet") if path.is_file()] if folder.is_dir() else []
        except OSError as error:
            raise store_error(error, folder) from error
        return sorted(path for path in found if not path.name.startswith(HIDDEN_PREFIXES))

    def _rows(self, part: Path) -> list[Record]:
        try:
            with pq.ParquetFile(part) as file:
                refuse_newer(version_of(file.schema_arrow), str(part), self._version)
                table = file.read(use_threads=False)
                table.validate(full=True)
        except (OSError, pa.ArrowException, ValueError) as error:
            raise UnreadablePartError(str(error).strip().partition("\n")[0]) from error
        return [self._made(row) for row in brought_to(table, self.schema).to_pylist()]

    def _made(self, row: dict[str, Any]) -> Record:
        values = {declared.name: row[declared.name] for declared in fields(self._record)}  # type: ignore[arg-type]  # a dataclass
        return self._record(**{name: tuple(v) if name in self._tuples else v for name, v in values.items()})
