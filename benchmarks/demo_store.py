"""The store that travels with the package, made of a measured one: `python -m benchmarks.demo_store STORE`.

Every figure stays as measured: the last attempt at each point, with its samples, its machine and its time.
"""

import argparse
import shutil
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from octprobe.demo import demo_store
from octprobe.store.latest import read_last_attempts
from octprobe.store.publish import write_whole
from octprobe.store.schema import SCHEMA
from octprobe.store.store import PARTS_FOLDER, SPECS_FOLDER, Store, refuse_empty

# The package stays small: what is larger is no demonstration.
LARGEST_BYTES = 300_000
# zstd's best of the levels that need no more memory to read.
_COMPRESSION_LEVEL = 19


def encoded(table: pa.Table) -> bytes:
    """Give the rows as one part."""
    buffer = pa.BufferOutputStream()
    whole = table.replace_schema_metadata(SCHEMA.metadata)
    pq.write_table(whole, buffer, compression="zstd", compression_level=_COMPRESSION_LEVEL)
    return buffer.getvalue().to_pybytes()


def rewrite(source: Store, target: Path) -> int:
    """Make the target hold the source's rows in one part and its sweep files; give the part's size in bytes.

    Raises:
        StoreError: the source holds no rows.
        ValueError: a part could not be read, or the rows are too large for a demonstration.
    """
    contents = read_last_attempts(source)
    refuse_empty(source.path, contents.table.num_rows, contents.damaged)
    content = encoded(contents.table)
    if contents.damaged or len(content) > LARGEST_BYTES:
        raise ValueError(f"{len(content):,} bytes of at most {LARGEST_BYTES:,}; damaged: {contents.damaged}")
    shutil.rmtree(target, ignore_errors=True)
    for folder in (PARTS_FOLDER, SPECS_FOLDER):
        (target / folder).mkdir(parents=True)
    part = target / PARTS_FOLDER / source.parts()[-1].name
    write_whole(part, lambda file: file.write(content), overwrite=False)
    asked_for = set(contents.table["spec_digest"].to_pylist())
    for spec in (source.path / SPECS_FOLDER).glob("*.yaml"):
        if spec.stem in asked_for:
            shutil.copy(spec, target / SPECS_FOLDER)
    return len(content)


def main() -> None:
    """Write the demonstration anew and say how large it is."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("store", type=Path, help="a store that `octprobe sweep` wrote")
    size = rewrite(Store.open(parser.parse_args().store), demo_store())
    sys.stdout.write(f"{demo_store()}: {size:,} bytes\n")


if __name__ == "__main__":
    main()
