"""What a file holds: a trace in one of its forms, or one clear line."""

import gzip
import json
import os
from decimal import Decimal
from pathlib import Path

import pytest

from octprobe.errors import TraceError
from octprobe.trace import source
from octprobe.trace.source import read_events

EVENTS = [{"name": 'a {["é\n', "ts": 1.5, "args": {"x": [None, True, -2e3]}}, {}]
OBJECT = json.dumps({"schemaVersion": 1, "traceEvents": EVENTS}).encode()
PARSED = [{"name": 'a {["é\n', "ts": Decimal("1.5"), "args": {"x": [None, True, Decimal(-2000)]}}, {}]


def refusal(path: Path) -> str:
    """Read a file that is no trace, and give the line that says so without the file's name."""
    with pytest.raises(TraceError) as refused:
        read_events(path)
    line = str(refused.value)
    assert "\n" not in line
    assert line.startswith(f"{path}: ")
    return line.removeprefix(f"{path}: ")


def refusal_of(tmp_path: Path, content: bytes) -> str:
    """Write a file that is no trace, and give the line that says so."""
    path = tmp_path / "x.json"
    path.write_bytes(content)
    return refusal(path)


@pytest.mark.parametrize(
    "content", [OBJECT, json.dumps(EVENTS).encode(), b"\xef\xbb\xbf" + OBJECT + b"\n \n"]
)
@pytest.mark.parametrize("name", ["x.json", "x.json.gz", "x"])
def test_contents_tell_what_a_file_is_not_its_name(tmp_path: Path, content: bytes, name: str) -> None:
    """An object or a list, packed or not, under any name, with or without a byte-order mark."""
    plain, packed = tmp_path / name, tmp_path / f"packed-{name}"
    plain.write_bytes(content)
    packed.write_bytes(gzip.compress(content))
    assert read_events(plain) == read_events(packed) == PARSED


def test_joined_gzip_files_are_one(tmp_path: Path) -> None:
    """Some writers pack in pieces, as RFC 1952 allows."""
    path = tmp_path / "x"
    path.write_bytes(gzip.compress(OBJECT[:20]) + gzip.compress(OBJECT[20:]))
    assert read_events(path) == PARSED


def test_a_pipe_is_read(tmp_path: Path) -> None:
    """`octprobe trace <(ssh host cat trace.json)` has no file to look at twice."""
    reading, writing = os.pipe()
    os.write(writing, gzip.compress(OBJECT))
    os.close(writing)
    try:
        assert read_events(Path(f"/dev/fd/{reading}")) == PARSED
    finally:
        os.close(reading)


def test_names_may_hold_what_json_forbids(tmp_path: Path) -> None:
    """Control characters and bytes that are no UTF-8 stand in names of real traces."""
    path = tmp_path / "x.json"
    path.write_bytes(b'[{"name": "a\tb\xff"}]')
    assert read_events(path) == [{"name": "a\tb\ufffd"}]


def test_every_beginning_of_a_trace_is_called_cut_off(tmp_path: Path) -> None:
    """Wherever the disk was full: within a name, a number, an escape, after a bracket."""
    for length in range(1, len(OBJECT)):
        beginning = OBJECT[:length].rstrip()
        line = refusal_of(tmp_path, b" " + beginning)
        assert line.startswith(
            f"the JSON ends early, after {len(beginning) + 1} characters; the file was cut off"
        )


def test_every_beginning_of_a_packed_trace_is_called_cut_off(tmp_path: Path) -> None:
    """The check sum at the end belongs to the file."""
    packed = gzip.compress(OBJECT)
    for length in range(2, len(packed)):
        line = refusal_of(tmp_path, packed[:length])
        assert line == "the compressed data end early; the file was cut off, copy or export it again"


def test_a_damaged_packed_trace_is_called_damaged(tmp_path: Path) -> None:
    """A wrong check sum, a wrong method, bits that no packing gives."""
    packed = gzip.compress(OBJECT)
    broken_sum = packed[:-8] + b"\0\0\0\0" + packed[-4:]
    broken_method = packed[:2] + b"\0" + packed[3:]
    broken_bits = packed[:10] + b"\xff" * 20 + packed[30:]
    for content in (broken_sum, broken_method, broken_bits):
        line = refusal_of(tmp_path, content)
        assert line.startswith("the compressed data are damaged (")
        assert line.endswith("); copy or export it again")


@pytest.mark.parametrize("content", [b"", gzip.compress(b"")])
def test_a_file_of_0_bytes_is_called_empty(tmp_path: Path, content: bytes) -> None:
    """Packed or not."""
    assert refusal_of(tmp_path, content) == "is empty; export the trace again"


@pytest.mark.parametrize(
    ("content", "where"),
    [
        (b"hello", "line 1, column 1: Expecting value"),
        (b" \n", "line 1, column 1: Expecting value"),
        (bytes(range(256)) * 4, "line 1, column 1: Expecting value"),
        (b"PK\x03\x04 a zip file", "line 1, column 1: Expecting value"),
        (b'{"traceEvents": [\n{"ts": 1, dur: 2}]}', "line 2, column 11: Expecting property name"),
        (b'{"traceEvents": []} and more', "line 1, column 21: Extra data"),
        (b"[{'ts': 1}]", "line 1, column 3: Expecting property name"),
    ],
)
def test_what_is_not_json_is_called_so(tmp_path: Path, content: bytes, where: str) -> None:
    """With the place where it stops being JSON, and what to name instead."""
    line = refusal_of(tmp_path, content)
    assert line.startswith(f"is not JSON ({where}")
    assert line.endswith("; name a trace that torch.profiler exported (.json or .json.gz)")


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"{}", "an object without a list `traceEvents`"),
        (b'{"traceEvents": null}', "an object without a list `traceEvents`"),
        (b'{"traceEvents": {"ts": 1}}', "an object without a list `traceEvents`"),
        (b'"traceEvents"', "neither object nor list"),
        (b"17", "neither object nor list"),
        (b"NaN", "neither object nor list"),
        (b"null", "neither object nor list"),
    ],
)
def test_json_of_another_shape_is_no_trace(tmp_path: Path, content: bytes, kind: str) -> None:
    """Well-formed, and something else."""
    line = refusal_of(tmp_path, content)
    assert line.startswith(f"the JSON is {kind}, so no trace; name a trace")


@pytest.mark.parametrize("content", [b"[" * 100_000, b'{"a":' * 100_000, b"[" * 100_000 + b"]" * 100_000])
def test_deep_nesting_is_refused(tmp_path: Path, content: bytes) -> None:
    """Before the parser's own stack ends."""
    assert refusal_of(tmp_path, content).startswith("the JSON is nested too deeply to be a trace; name ")


@pytest.mark.parametrize("number", [b"9" * 5000, b"1e99999999999999999999"])
def test_endless_numbers_are_refused(tmp_path: Path, number: bytes) -> None:
    """They would take minutes or all memory."""
    line = refusal_of(tmp_path, b'[{"ts": ' + number + b"}]")
    assert line.startswith("a number in it has too many digits for a trace; name ")


@pytest.mark.parametrize("packed", [False, True])
def test_what_is_too_large_is_refused(tmp_path: Path, packed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A few kilobytes can unpack to gigabytes; reading stops at the limit."""
    monkeypatch.setattr(source, "MAX_BYTES", 4 * 1024**2)
    swollen = b"[" + b" " * (4 * 1024**2 - 2) + b"]"
    path = tmp_path / "x"
    path.write_bytes(gzip.compress(swollen) if packed else swollen)
    assert read_events(path) == []
    path.write_bytes(gzip.compress(swollen + b" ") if packed else swollen + b" ")
    line = refusal(path)
    assert line == "holds more than 4 MiB uncompressed; record fewer steps, with torch.profiler.schedule"


def test_what_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    """A folder, a missing file, a name too long for the disk, a name that no disk has."""
    assert refusal(tmp_path) == "is a folder; name one trace file in it"
    assert refusal(tmp_path / "none.json").startswith("there is no such file; name a trace that ")
    assert refusal(tmp_path / ("x" * 300)).startswith("cannot be read: File name too long; name a trace")
    assert refusal(tmp_path / "a\0b").startswith("there is no such file; ")
