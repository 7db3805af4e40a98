"""A result store: a folder of immutable parquet parts that is its own resume index."""

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from octprobe.errors import StoreError
from octprobe.store.index import INDEX_COLUMNS, ResumeIndex
from octprobe.store.part import read_part
from octprobe.store.publish import HIDDEN_PREFIXES, keep, make_folder, publish, remove_leftovers, store_error
from octprobe.store.row import Row
from octprobe.store.schema import SCHEMA, table_of

PARTS_FOLDER = "parts"
SPECS_FOLDER = "specs"
# 64 bits, as for point ids: the digest is a name, not a seal.
_DIGEST_HEX_DIGITS = 16


@dataclass(frozen=True)
class DamagedPart:
    """A part that could not be read, and why; the rest of the store is unharmed."""

    path: Path
    reason: str

    def __str__(self) -> str:
        return (
            f"{self.path} is damaged ({self.reason}); its rows are left out. "
            "Move the file away and run the sweep again to measure its points anew."
        )


@dataclass(frozen=True)
class Contents:
    """The rows that could be read, oldest part first, and the parts that could not."""

    table: pa.Table
    damaged: tuple[DamagedPart, ...]


def refuse_empty(path: str | Path, rows: int, damaged: Sequence[DamagedPart]) -> None:
    """Stop where there is no row to answer from; of what is damaged the first part is named.

    Raises:
        StoreError: no row could be read.
    """
    if rows:
        return
    if damaged:
        raise StoreError(f"{path} holds no rows that can be read: {damaged[0]}")
    raise StoreError(f"{path} holds no rows yet; `octprobe sweep FILE --store {path}` measures some.")


@dataclass(frozen=True)
class Store:
    """A folder of results: rows in `parts/*.parquet`, the sweep files that asked for them in `specs/*.yaml`.

    One process writes at a time; any number may read meanwhile. A store comes into being with the first write
    or with `create`.
    """

    path: Path

    @classmethod
    def create(cls, path: str | Path) -> "Store":
        """Open a store for writing; make its folders where they are missing.

        Raises:
            StoreError: a file is in the way, or the folder cannot be made.
        """
        store = cls(Path(path))
        make_folder(store.path / PARTS_FOLDER)
        for folder in (PARTS_FOLDER, SPECS_FOLDER):
            remove_leftovers(store.path / folder)
        # pyarrow loads pandas when it first turns Python values into columns: now, not beside a timed block.
        table_of([])
        return store

    @classmethod
    def open(cls, path: str | Path) -> "Store":
        """Open a store for reading.

        Raises:
            StoreError: there is no store at this path.
        """
        store = cls(Path(path))
        if not store.path.exists():
            raise StoreError(
                f"{path}: no such folder. `octprobe sweep FILE --store {path}` makes a store there."
            )
        if not store.path.is_dir():
            raise StoreError(f"{path} is a file; a store is the folder that `octprobe sweep` wrote.")
        if not (store.path / PARTS_FOLDER).is_dir():
            raise StoreError(
                f"{path} holds no store: it has no folder {PARTS_FOLDER}/. "
                "Give the folder that `octprobe sweep` wrote, such as results/quickstart."
            )
        return store

    def append(self, rows: Sequence[Row]) -> Path:
        """Publish rows as one new part and give its path; after this returns they survive a crash.

        Raises:
            StoreError: the disk is full or the folder cannot be written; then nothing was added.
            ValueError: there are no rows, or one carries a time without its zone.
        """
        if not rows:
            raise ValueError("a part needs at least one row")
        buffer = pa.BufferOutputStream()
        # Parts are a few rows long: dictionaries would only make them larger and slower.
        pq.write_table(table_of(rows), buffer, compression="zstd", use_dictionary=False)
        make_folder(self.path / PARTS_FOLDER)
        part = self.path / PARTS_FOLDER / _part_name(rows)
        publish(buffer.getvalue().to_pybytes(), part)
        return part

    def keep_spec(self, text: str) -> str:
        """Keep a sweep file's text beside the rows it asked for; give the digest that names it.

        Raises:
            StoreError: the disk is full or the folder cannot be written.
        """
        content = text.encode("utf-8", "replace")
        digest = hashlib.sha256(content).hexdigest()[:_DIGEST_HEX_DIGITS]
        make_folder(self.path / SPECS_FOLDER)
        kept = self.path / SPECS_FOLDER / f"{digest}.yaml"
        if not kept.exists():
            keep(kept, lambda file: file.write(content))
        return digest

    def parts(self) -> list[Path]:
        """List the published parts, oldest first.

        Raises:
            StoreError: the folder cannot be listed.
        """
        folder = self.path / PARTS_FOLDER
        try:
            found = [path for path in folder.glob("*.parquet") if path.is_file()] if folder.is_dir() else []
        except OSError as error:
            raise store_error(error, folder) from error
        return sorted(path for path in found if not path.name.startswith(HIDDEN_PREFIXES))

    def read(self, columns: Iterable[str] | None = None) -> Contents:
        """Read every row, all attempts, of all parts that can be read.

        Args:
            columns: the columns wanted, in this order; all of the schema's by default.

        Raises:
            StoreError: a part was written by a newer octprobe.
        """
        names = SCHEMA.names if columns is None else list(columns)
        tables: list[pa.Table] = [
            pa.Table.from_batches([], pa.schema([SCHEMA.field(name) for name in names]))
        ]
        damaged = []
        for part in self.parts():
            outcome = read_part(part, names)
            if isinstance(outcome, str):
                damaged.append(DamagedPart(part, outcome))
            else:
                tables.append(outcome)
        return Contents(pa.concat_tables(tables), tuple(damaged))

    def index(self) -> ResumeIndex:
        """Read what is needed to tell which points are done; light, for pandas is not loaded.

        Raises:
            StoreError: a part was written by a newer octprobe.
        """
        contents = self.read(INDEX_COLUMNS)
        # As integers: pyarrow loads pandas to turn times into Python's.
        times = contents.table["recorded_at"].cast(pa.int64())
        table = contents.table.drop_columns(["recorded_at"]).append_column("recorded_at", times)
        return ResumeIndex.of(table.to_pylist(), tuple(str(part) for part in contents.damaged))


def _part_name(rows: Sequence[Row]) -> str:
    """Name a part by its newest row, so that names sort by time; the token keeps equal times apart."""
    newest = max(row.recorded_at for row in rows).astimezone(UTC)
    return f"{newest:%Y%m%dT%H%M%S%fZ}-{secrets.token_hex(4)}.parquet"
