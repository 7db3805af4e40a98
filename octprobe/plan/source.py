"""A YAML text read into plain data that knows where each key and value stands; hostile texts are refused."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import Event

from octprobe.errors import SpecError
from octprobe.plan import fault as faults
from octprobe.plan.fault import START, Fault, Place, spec_error
from octprobe.plan.nodes import SWEEP_FILE, FatalError, FileKind, Node, build

# A sweep file is written by hand; 256 KiB is a hundred times the longest shipped one, and a second to read.
MAX_BYTES: Final = 256 * 1024
# The line breaks that ruamel.yaml counts.
_LINE_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
# What YAML 1.2 (section 5.1) does not print.
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Source:
    """The text of a sweep file or recipe as plain data, with the place of every key and value."""

    file: str
    text: str
    root: Node
    found: tuple[Fault, ...] = ()

    @property
    def plain(self) -> object:
        """The data: dicts with text keys, lists, text, whole and real numbers, booleans and None."""
        return self.root.value

    def place(self, path: faults.Path, *, at_key: bool = False) -> Place:
        """Find where a path stands; what is missing stands where its nearest parent does."""
        node, key_place = self.root, self.root.place
        for part in path:
            if part not in node.children:
                return node.place
            key_place = node.key_places.get(part, node.children[part].place)
            node = node.children[part]
        return key_place if at_key else node.place

    def error(self, more: Iterable[Fault] = ()) -> SpecError:
        """Join the faults found while reading and those found later to one error."""
        placed = [(f.place or self.place(f.path, at_key=f.at_key), f) for f in (*self.found, *more)]
        return spec_error(self.file, split_lines(self.text), placed)

    def is_bad(self, path: faults.Path) -> bool:
        """Whether a value on the way to this path has a fault that is already known."""
        node = self.root
        for part in path:
            if node.is_bad or part not in node.children:
                break
            node = node.children[part]
        return node.is_bad


def split_lines(text: str) -> list[str]:
    """Split a text at the line breaks that the places are counted by."""
    return _LINE_BREAK.split(text)


def read_source(path: Path, kind: FileKind = SWEEP_FILE) -> Source:
    """Read a file.

    Args:
        path: the file.
        kind: what it is to be, for messages.

    Raises:
        SpecError: it is missing, no text file, too large, or not one YAML document.
    """
    file = str(path)
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise SpecError(f"{faults.harmless(file)}: {_why_unread(path, error, kind)}") from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if len(content) > MAX_BYTES:
            raise _too_large(file, kind) from None
        line = content.count(b"\n", 0, error.start) + 1
        rule = "is not UTF-8 text; save the file in UTF-8"
        raise SpecError(f"{faults.harmless(file)}:{line}: byte {error.start + 1} {rule}") from None
    return parse_source(file, text, kind)


def read_mapping(path: Path, kind: FileKind) -> Source:
    """Read a file that holds a mapping.

    Args:
        path: the file.
        kind: what it is to be, for messages.

    Raises:
        SpecError: as `read_source`, or the file holds something else.
    """
    source = read_source(path, kind)
    if not isinstance(source.plain, dict):
        rule = f"a {kind.what} is a mapping that begins with version: 1"
        raise source.error([faults.Fault((), rule, source.plain)])
    return source


def _why_unread(path: Path, error: Exception, kind: FileKind) -> str:
    if isinstance(error, IsADirectoryError):
        return f"is a folder; name the {kind.what} in it"
    if isinstance(error, OSError) and error.strerror and not isinstance(error, FileNotFoundError):
        return f"cannot be read: {error.strerror}"
    return f"there is no such file; name a {kind.what} such as {kind.example}"


def _too_large(file: str, kind: FileKind) -> SpecError:
    return SpecError(
        f"{faults.harmless(file)}: is larger than {MAX_BYTES // 1024} KiB; split it into several {kind.what}s"
    )


def parse_source(file: str, text: str, kind: FileKind = SWEEP_FILE) -> Source:
    """Read a text.

    Args:
        file: its name, for messages.
        text: what the file holds.
        kind: what it is to be, for messages.

    Raises:
        SpecError: it is too large, or not one YAML document.
    """
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise _too_large(file, kind)
    try:
        _refuse_unprintable(text)
        root, found = build(_events(text), kind)
        return Source(file=file, text=text, root=root, found=found)
    except FatalError as fatal:
        raise spec_error(file, split_lines(text), [(fatal.place, fatal.fault)]) from None


def _refuse_unprintable(text: str) -> None:
    found = _UNPRINTABLE.search(text)
    if found:
        before = split_lines(text[: found.start()])
        code = f"U+{ord(found.group()):04X}"
        raise FatalError(
            Place(len(before), len(before[-1]) + 1), f"the character {code} has no place in YAML"
        )


def _events(text: str) -> Iterator[Event]:
    """Give parse events one by one; the parser keeps its own stack, so depth costs no recursion here."""
    try:
        yield from YAML(typ="safe", pure=True).parse(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(mark.line + 1, mark.column + 1) if mark else START
        raise FatalError(place, _syntax_message(text, place, error)) from None
    except (YAMLError, ValueError, ArithmeticError, LookupError, AttributeError, TypeError) as error:
        # An escape such as \UFFFFFFFF is no character, which ruamel.yaml finds out by a bare OverflowError.
        raise FatalError(START, f"is not valid YAML: {faults.shorten(faults.harmless(str(error)))}") from None


def _syntax_message(text: str, place: Place, error: MarkedYAMLError) -> str:
    lines = split_lines(text)
    line = lines[place.line - 1] if place.line <= len(lines) else ""
    indent = line[: len(line) - len(line.lstrip())]
    if "\t" in indent and place.column <= len(indent) + 1:
        return "a tab indents this line; YAML indents with spaces"
    said = ", ".join(part for part in (error.problem, error.context) if part)
    if error.context_mark and error.context_mark.line + 1 != place.line:
        said += f" that begins in line {error.context_mark.line + 1}"
    return f"is not valid YAML: {faults.harmless(said)}"
