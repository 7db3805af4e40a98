"""Image files that cannot be read."""

import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from octprobe.accuracy.image_file import told_of
from octprobe.errors import SpecError, UsageError


def png(path: Path) -> bytes:
    """Write a small image, and give its bytes."""
    Image.effect_noise((20, 20), 50).save(path)
    return path.read_bytes()


def chunk(name: bytes, content: bytes) -> bytes:
    """Give a part of a PNG file."""
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def bomb() -> bytes:
    """Give a PNG file that claims to be of 900 million pixels."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"0")) + chunk(b"IEND", b"")


def said_of(path: Path) -> str:
    """Give what is said of reading a file."""
    with pytest.raises(UsageError) as caught, told_of(path), Image.open(path) as image:
        image.convert("RGB")
    return str(caught.value)


def test_what_is_damaged_is_told_by_its_name(tmp_path: Path) -> None:
    """Cut short, no image, with a broken part, gone: each is one line with the file and a way out."""
    whole = png(tmp_path / "whole.png")
    broken = bytearray(whole)
    broken[20] ^= 255  # within the header, whose checksum is then wrong: PIL raises SyntaxError
    contents = {"cut": whole[:-60], "text": b"no image", "broken": bytes(broken), "empty": b""}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    for name in (*contents, "gone"):
        said = said_of(tmp_path / name)
        assert said.startswith(f"{tmp_path / name}: cannot be read as an image: "), said
        assert said.endswith("; mend or remove it")
        assert "\n" not in said
    assert said_of(tmp_path / "gone").split(": ")[2] == "No such file or directory; mend or remove it"


def test_a_decompression_bomb(tmp_path: Path) -> None:
    """PIL's own error, which is no OSError."""
    (tmp_path / "bomb.png").write_bytes(bomb())
    assert "exceeds limit of" in said_of(tmp_path / "bomb.png")


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("CUDA out of memory"), SpecError("x"), KeyboardInterrupt()]
)
def test_what_is_not_the_files_fault_goes_on(error: BaseException) -> None:
    """A want of memory, what is told already, and Ctrl-C."""
    with pytest.raises(type(error)) as caught, told_of("x.png"):
        raise error
    assert caught.value is error


def test_an_error_without_words() -> None:
    """Its type stands for them."""
    with (
        pytest.raises(UsageError, match=r"^x\.png: cannot be read as an image: ValueError; mend"),
        told_of("x.png"),
    ):
        raise ValueError
