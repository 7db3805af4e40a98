"""The columns of a parquet part: explicit, versioned, and derived from `Row` alone.

`python -m octprobe.store.schema` prints docs/columns.md.
"""

import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import MISSING, Field, asdict, fields, is_dataclass
from datetime import datetime
from typing import Any, get_args, get_type_hints

import pyarrow as pa

from octprobe.errors import StoreError
from octprobe.plan.variant import USUAL
from octprobe.store.accuracy import Accuracy
from octprobe.store.accuracy_run import RUN_SCHEMA_VERSION, AccuracyRun
from octprobe.store.row import Row
from octprobe.store.sample import Sample
from octprobe.store.sensitivity import Sensitivity

# Raised whenever a column of `Row` is added, renamed or given another type or meaning.
SCHEMA_VERSION = 3
VERSION_KEY = b"octprobe_schema"

_ARROW_TYPES: Mapping[Any, pa.DataType] = {
    str: pa.string(),
    int: pa.int64(),
    float: pa.float64(),
    bool: pa.bool_(),
    bytes: pa.binary(),
    datetime: pa.timestamp("us", tz="UTC"),
    tuple[float, ...]: pa.list_(pa.float64()),
    tuple[str, ...]: pa.list_(pa.string()),
}


def _with_usual_extent(table: pa.Table) -> pa.Table:
    """Give networks at a uniform alpha the extent that all had before it was an axis."""
    if "alpha" not in table.column_names:
        return table
    alphas = table.column("alpha").cast(pa.float64()).to_pylist()
    for name in ("octave_kernels", "return_at"):
        table = table.append_column(name, pa.array([USUAL[name] if a else None for a in alphas], pa.string()))
    return table


# From version n to n + 1, for what is more than a column added: those become null without an entry here.
MIGRATIONS: Mapping[int, Callable[[pa.Table], pa.Table]] = {2: _with_usual_extent}


class UnreadablePartError(Exception):
    """A parquet file is no part of a store: the message says in what way."""


def _arrow_field(declared: Field[Any], hint: object) -> pa.Field:
    return pa.field(declared.name, _arrow_type(hint), nullable=declared.default is not MISSING)


def _arrow_type(hint: Any) -> pa.DataType:
    for choice in (hint, *get_args(hint)):
        if choice in _ARROW_TYPES:
            return _ARROW_TYPES[choice]
        record = get_args(choice)[0] if get_args(choice) else None
        if is_dataclass(record):
            return pa.list_(_struct(record))
    raise TypeError(f"no parquet type is known for {hint}")


def _struct(record: Any) -> pa.DataType:
    hints = get_type_hints(record)
    return pa.struct([(declared.name, _arrow_type(hints[declared.name])) for declared in fields(record)])


def schema_of(record: Any) -> pa.Schema:
    """Give the columns of a record, a frozen dataclass: a field with a default may be null."""
    hints = get_type_hints(record)
    return pa.schema([_arrow_field(declared, hints[declared.name]) for declared in fields(record)])


SCHEMA = schema_of(Row).with_metadata({VERSION_KEY: str(SCHEMA_VERSION).encode()})
ACCURACY_SCHEMA = schema_of(Accuracy)


def table_of(rows: Sequence[Row]) -> pa.Table:
    """Lay rows out in columns; a NaN becomes null, because absent is null everywhere.

    Raises:
        ValueError: `recorded_at` has no time zone.
    """
    if any(row.recorded_at.tzinfo is None for row in rows):
        raise ValueError("recorded_at must carry its time zone")
    return laid_out(rows, SCHEMA)


def accuracies_table(accuracies: Sequence[Accuracy]) -> pa.Table:
    """Lay accuracies out in columns."""
    return laid_out(accuracies, ACCURACY_SCHEMA)


def laid_out(records: Sequence[Any], schema: pa.Schema) -> pa.Table:
    """Lay records out in the columns of a schema."""
    columns = [
        pa.array([_storable(getattr(each, column.name)) for each in records], column.type, from_pandas=True)
        for column in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def _storable(value: object) -> object:
    """Replace what UTF-8 cannot hold: a worker's output may carry undecodable bytes as lone surrogates."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, tuple):
        return [asdict(item) if is_dataclass(item) and not isinstance(item, type) else item for item in value]
    return value


def version_of(schema: pa.Schema) -> int:
    """Give the schema version that a part was written with.

    Raises:
        UnreadablePartError: the file carries none, so octprobe did not write it.
    """
    text = (schema.metadata or {}).get(VERSION_KEY, b"")
    if not text.isdigit() or len(text) > 9:
        raise UnreadablePartError("it names no schema version, so octprobe did not write it")
    return int(text)


def refuse_newer(version: int, place: str, known: int = SCHEMA_VERSION) -> None:
    """Stop at a part from the future rather than read half of it.

    Raises:
        StoreError: the part's version is above the one known here.
    """
    if version > known:
        raise StoreError(
            f"{place} has schema version {version}; this octprobe reads up to {known}. "
            "Upgrade octprobe, or give another --store."
        )


def current(table: pa.Table, version: int, columns: Sequence[str]) -> pa.Table:
    """Bring a table of any known version to today's columns: migrated, added as null, cast.

    Text that was read as a dictionary stays one.

    Raises:
        UnreadablePartError: a column has another type than the schema's, or lacks a required value.
    """
    try:
        for older in range(version, SCHEMA_VERSION):
            table = MIGRATIONS.get(older, lambda unchanged: unchanged)(table)
    except (pa.ArrowException, ValueError) as error:
        raise UnreadablePartError(_first_line(error)) from error
    return brought_to(table, pa.schema([SCHEMA.field(name) for name in columns]))


def brought_to(table: pa.Table, wanted: pa.Schema) -> pa.Table:
    """Give a table the columns of a schema: what it lacks is null, all else is cast.

    Raises:
        UnreadablePartError: a column has another type, or lacks a required value.
    """
    try:
        if table.schema.equals(wanted):
            return table
        present = dict(zip(table.column_names, table.columns, strict=True))
        brought = [_column(present.get(column.name), column, table.num_rows) for column in wanted]
        kinds = [column.with_type(values.type) for column, values in zip(wanted, brought, strict=True)]
        return pa.Table.from_arrays(brought, schema=pa.schema(kinds))
    except (pa.ArrowException, ValueError) as error:
        raise UnreadablePartError(_first_line(error)) from error


def _column(stored: pa.ChunkedArray | None, wanted: pa.Field, rows: int) -> pa.ChunkedArray:
    if stored is None:
        values = pa.chunked_array([pa.nulls(rows, wanted.type)])
    else:
        values = stored if _is_encoded(stored, wanted) else stored.cast(wanted.type)
    if values.null_count and not wanted.nullable:
        raise UnreadablePartError(f"column {wanted.name} is absent or null; every row must have it")
    return values


def _is_encoded(stored: pa.ChunkedArray, wanted: pa.Field) -> bool:
    return bool(pa.types.is_dictionary(stored.type) and stored.type.value_type == wanted.type)


def encode_text(table: pa.Table, columns: Collection[str]) -> pa.Table:
    """Turn columns of text into dictionaries where they are not yet."""
    for name in columns:
        place = table.schema.get_field_index(name)
        field = table.schema.field(place)
        if not pa.types.is_dictionary(field.type):
            values = table.column(place).dictionary_encode()
            table = table.set_column(place, field.with_type(values.type), values)
    return table


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__


def columns_markdown() -> str:
    """Write docs/columns.md: every column with its type, unit, source and meaning, view by view."""
    lines = [
        "# Columns",
        "",
        "<!-- Generated by `python -m octprobe.store.schema`; a test holds it current. -->",
        "",
        f"One row is one attempt at one design point in one environment; schema version {SCHEMA_VERSION}.",
        "Absent is null. Measured: a clock or an allocator was read. Counted: a graph was walked, no clock.",
        "These are the columns of `octprobe.load`, of `octprobe export-rows` and, last attempts only, of the",
        "view `measurements` of `octprobe query`.",
        "",
        *_markdown_table(Row),
        "",
        "## The view `accuracies`",
        "",
        "One row is one accuracy as one source says it, or as trainings of the store gave it, over their",
        "seeds: `octprobe accuracy published`, `octprobe accuracy show`, `octprobe query`.",
        "",
        *_markdown_table(Accuracy),
        "",
        *_own_tables(),
        "## The view `samples`",
        "",
        "One row is one raw latency sample of a last attempt: `octprobe query`. The raw ratios lie in",
        "`measurements.pair_ratios`, for pairs are not samples: `unnest(pair_ratios)` gives a row each.",
        "",
        *_markdown_table(Sample),
    ]
    return "\n".join(lines) + "\n"


def _own_tables() -> list[str]:
    """Describe what trainings of a store leave in it beside its rows."""
    return [
        "## Accuracies a seed",
        "",
        "One row is the answers of one network at one alpha, from one seed, on one split, in the parts under",
        f"`accuracy/` of a store: `octprobe accuracy show --json`; schema version {RUN_SCHEMA_VERSION}.",
        "",
        *_markdown_table(AccuracyRun),
        "",
        "## Sensitivities",
        "",
        "One row is one alpha group of an elastic network alone at one alpha, from one seed, in the parts",
        "under `sensitivity/` of a store: `octprobe accuracy sensitivity --json`.",
        "",
        *_markdown_table(Sensitivity),
        "",
    ]


def _markdown_table(record: Any) -> list[str]:
    schema = schema_of(record)
    rows = [_markdown_row(declared, schema.field(declared.name).type) for declared in fields(record)]
    return ["| column | type | unit | source | meaning |", "|---|---|---|---|---|", *rows]


def _markdown_row(declared: Field[Any], kind: pa.DataType) -> str:
    about = declared.metadata
    shown = _list_name(kind.value_type) if pa.types.is_list(kind) else str(kind)
    cells = (
        f"`{declared.name}`",
        shown.replace("double", "float64"),
        about.get("unit"),
        about.get("source"),
        about["meaning"],
    )
    return "| " + " | ".join(str(cell or "") for cell in cells) + " |"


def _list_name(item: pa.DataType) -> str:
    return "list of records" if pa.types.is_struct(item) else f"list of {item}"


if __name__ == "__main__":
    sys.stdout.write(columns_markdown())
