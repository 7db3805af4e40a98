"""A file's bytes made into the events of a trace; whatever is no trace is refused in one line."""

import gzip
import json
import zlib
from decimal import Decimal
from io import BufferedIOBase
from pathlib import Path
from typing import Final

from octprobe.errors import TraceError

# RFC 1952: the first two bytes of every gzip file.
_GZIP_MAGIC: Final = b"\x1f\x8b"
# Reading takes about five times a trace's length in memory (26 MB of ResNet-18, 30 steps: 125 MB), so 5 GiB
# at this limit. A small file that unpacks to more is no trace.
MAX_BYTES: Final = 1024**3
_CHUNK_BYTES: Final = 1024**2
_EXPORT: Final = "a trace that torch.profiler exported (.json or .json.gz)"
_AGAIN: Final = "copy or export it again"


def read_events(path: Path) -> list[object]:
    """Read the events of a Chrome trace: a list, or the list `traceEvents` of an object.

    The contents tell whether the file is compressed, not its name. Numbers with a fraction come as decimals.

    Raises:
        TraceError: the file cannot be read, is cut off or damaged, or holds no trace.
    """
    content = _read(path)
    if not content:
        raise TraceError(f"{path}: is empty; export the trace again")
    return _events(path, _parse(path, content.decode("utf-8-sig", errors="replace").rstrip()))


def _read(path: Path) -> bytearray:
    try:
        with path.open("rb") as stream:
            if stream.peek(len(_GZIP_MAGIC)).startswith(_GZIP_MAGIC):
                with gzip.open(stream) as unpacked:
                    return _read_limited(path, unpacked)
            return _read_limited(path, stream)
    except EOFError:
        raise TraceError(f"{path}: the compressed data end early; the file was cut off, {_AGAIN}") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise TraceError(f"{path}: the compressed data are damaged ({error}); {_AGAIN}") from None
    except (OSError, ValueError) as error:
        raise TraceError(f"{path}: {_why_unread(error)}") from None


def _read_limited(path: Path, stream: BufferedIOBase) -> bytearray:
    content = bytearray()
    while chunk := stream.read(_CHUNK_BYTES):
        content += chunk
        if len(content) > MAX_BYTES:
            raise TraceError(
                f"{path}: holds more than {MAX_BYTES // 1024**2:,} MiB uncompressed; "
                "record fewer steps, with torch.profiler.schedule"
            )
    return content


def _why_unread(error: OSError | ValueError) -> str:
    if isinstance(error, IsADirectoryError):
        return "is a folder; name one trace file in it"
    if isinstance(error, FileNotFoundError | ValueError):  # a name with a null character is a ValueError
        return f"there is no such file; name {_EXPORT}"
    return f"cannot be read: {getattr(error, 'strerror', None) or error}; name {_EXPORT}"


def _parse(path: Path, text: str) -> object:
    """Parse JSON; control characters in text are let through, as some versions write them."""
    try:
        return json.loads(text, parse_float=Decimal, strict=False)
    except json.JSONDecodeError as error:
        if _is_cut_off(text, error):
            raise TraceError(
                f"{path}: the JSON ends early, after {len(text):,} characters; the file was cut off, {_AGAIN}"
            ) from None
        where = f"line {error.lineno}, column {error.colno}: {error.msg}"
        raise TraceError(f"{path}: is not JSON ({where}); name {_EXPORT}") from None
    except RecursionError:
        raise TraceError(f"{path}: the JSON is nested too deeply to be a trace; name {_EXPORT}") from None
    except (ValueError, ArithmeticError):  # what Python and decimal say to thousands of digits
        raise TraceError(f"{path}: a number in it has too many digits for a trace; name {_EXPORT}") from None


def _is_cut_off(text: str, error: json.JSONDecodeError) -> bool:
    if error.msg == "Extra data" or not text.lstrip().startswith(("{", "[")):
        return False
    ran_out = error.pos >= len(text) or error.msg.startswith("Unterminated")
    return ran_out or not text.endswith(("}", "]"))


def _events(path: Path, parsed: object) -> list[object]:
    events = parsed.get("traceEvents") if isinstance(parsed, dict) else parsed
    if isinstance(events, list):
        return events
    kind = "an object without a list `traceEvents`" if isinstance(parsed, dict) else "neither object nor list"
    raise TraceError(f"{path}: the JSON is {kind}, so no trace; name {_EXPORT}")
