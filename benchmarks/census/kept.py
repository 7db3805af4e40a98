"""Rows kept between runs, so that an interrupted census goes on where it was."""

import hashlib
import json
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.census.row import Row

_ROOT = Path(__file__).parents[2]
# What a row hangs on: the conversion, the count, and the judge itself.
_SOURCES = (
    "octprobe/octave",
    "octprobe/cost/walk.py",
    "benchmarks/census/field.py",
    "benchmarks/census/judge.py",
)
_DIGEST_HEX_DIGITS = 16


def versions() -> dict[str, str]:
    """Give the versions that the census hangs on, without the part that names a build."""
    return {name: version(name).partition("+")[0] for name in ("timm", "torch")}


def digest() -> str:
    """Give a digest of the sources and versions that a row hangs on."""
    files = [file for source in _SOURCES for file in _files(_ROOT / source)]
    texts = [*(file.read_bytes() for file in files), *(text.encode() for text in versions().values())]
    return hashlib.sha256(b"\0".join(texts)).hexdigest()[:_DIGEST_HEX_DIGITS]


def _files(source: Path) -> Sequence[Path]:
    return sorted(source.rglob("*.py")) if source.is_dir() else [source]


class Kept:
    """Rows in a file of JSON lines, each under the digest of what it hangs on.

    What the machine had no time or room for is kept for a person to see, and asked again.

    Args:
        path: the file; made when the first row is added.
        digest: rows of another one are passed over.
    """

    def __init__(self, path: Path, digest: str) -> None:
        self._path, self._digest = path, digest

    def rows(self) -> dict[str, Row]:
        """Give the rows that stand, by architecture."""
        lines = self._path.read_text().splitlines() if self._path.exists() else ()
        objects = [value for value in map(_object, lines) if value and value["digest"] == self._digest]
        rows = (Row.from_object(value["row"]) for value in objects)
        return {row.architecture: row for row in rows if not _asks_again(row)}

    def add(self, row: Row, seconds: float) -> None:
        """Append a row and the processor's seconds that it took."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        value = {"digest": self._digest, "seconds": round(seconds, 2), "row": row.as_object()}
        with self._path.open("a") as file:
            # A line that was cut off must not take the next one with it.
            file.write(f"\n{json.dumps(value)}")


def _object(line: str) -> dict[str, Any] | None:
    try:
        value: dict[str, Any] = json.loads(line)
    except ValueError:
        return None
    return value


def _asks_again(row: Row) -> bool:
    criterion = row.findings.criterion if row.findings else None
    return criterion is not None and criterion.is_the_machines
