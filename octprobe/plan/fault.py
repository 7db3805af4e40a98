"""One fault of a sweep file, and how it is shown: place, path, rule, value, source line and caret."""

import difflib
import json
import math
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from octprobe.errors import SpecError

Path = tuple[str | int, ...]


class Place(NamedTuple):
    """Where in the file, both counted from 1."""

    line: int
    column: int


class _NoValue:
    """Stands for a fault that has no value to show; None is a value of YAML."""


NO_VALUE: Final = _NoValue()
START: Final = Place(1, 1)
# Long enough for an expression, short enough that the message stays one line of a terminal.
_MAX_SHOWN_CHARACTERS = 80
# A source line is shown through a window of this width, so that 5,000 brackets do not fill the screen.
_MAX_SOURCE_COLUMNS = 110
# A generated file can hold a fault in each of its thousands of rows; nobody reads past the first few.
_MAX_SHOWN_FAULTS = 50
# Characters that turn the direction of the text around them: printable by Unicode, misleading in a message.
_BIDIRECTIONAL_CONTROLS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


@dataclass(frozen=True)
class Fault:
    """What is wrong at a path of the file.

    Attributes:
        path: keys and indices from the root of the file.
        message: the rule that is broken, in a clause without a full stop.
        value: what the file says there.
        at_key: whether the caret points at the key rather than at its value.
        place: where the fault is, if not where the path leads.
    """

    path: Path
    message: str
    value: Any = NO_VALUE
    at_key: bool = False
    place: Place | None = None


def harmless(text: str) -> str:
    """Escape what would move the cursor, turn the text around or fail to encode."""
    return "".join(c if _is_safe(c) else c.encode("unicode_escape").decode() for c in text)


def _is_safe(character: str) -> bool:
    return character.isprintable() and unicodedata.bidirectional(character) not in _BIDIRECTIONAL_CONTROLS


def shorten(text: str, limit: int = _MAX_SHOWN_CHARACTERS) -> str:
    """Cut a long text and say that it was cut."""
    return text if len(text) <= limit else text[: limit - 3] + "..."


def show_value(value: object) -> str:
    """Show a value much as YAML would, on one short harmless line; text is in double quotes."""
    if isinstance(value, float) and not math.isfinite(value):
        return ".nan" if math.isnan(value) else f"{'-' if value < 0 else ''}.inf"
    return shorten(harmless(json.dumps(value, ensure_ascii=False, default=str)))


def show_path(path: Path) -> str:
    """Show a path as `axes.alpha[3]`; a key that is not a plain word stands in brackets."""
    shown = ""
    for part in path:
        if isinstance(part, int):
            shown += f"[{part}]"
        elif part.isidentifier() and part.isascii():
            shown += f".{part}" if shown else part
        else:
            shown += f"[{show_value(part)}]"
    return shown


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Give `; did you mean "alpha"?`, or nothing when no known word is close; case makes no difference."""
    spelled = {name.casefold(): name for name in known}
    close = difflib.get_close_matches(word.casefold(), list(spelled), n=1)
    return f'; did you mean "{spelled[close[0]]}"?' if close else ""


def spec_error(file: str, lines: Sequence[str], faults: Iterable[tuple[Place, Fault]]) -> SpecError:
    """Join the faults of a file, in the order of their places, to one error."""
    ordered = sorted(faults, key=lambda placed: placed[0])
    shown = [_render(file, lines, place, fault) for place, fault in ordered[:_MAX_SHOWN_FAULTS]]
    if len(ordered) > _MAX_SHOWN_FAULTS:
        shown.append(f"{file}: and {len(ordered) - _MAX_SHOWN_FAULTS} more faults")
    return SpecError("\n".join(shown))


def _render(file: str, lines: Sequence[str], place: Place, fault: Fault) -> str:
    path = f" {show_path(fault.path)}:" if fault.path else ""
    value = "" if fault.value is NO_VALUE else f" ({show_value(fault.value)})"
    head = f"{harmless(file)}:{place.line}:{place.column}:{path} {fault.message}{value}"
    line = lines[place.line - 1] if place.line <= len(lines) else ""
    return "\n".join([head, *_source_and_caret(line, place.column)]) if line.strip() else head


def _source_and_caret(line: str, column: int) -> list[str]:
    start = max(0, column - 1 - _MAX_SOURCE_COLUMNS // 2) if len(line) > _MAX_SOURCE_COLUMNS else 0
    before, after = line[start : column - 1], line[column - 1 : start + _MAX_SOURCE_COLUMNS]
    blank = " " * len(_one_column_each(before))
    return [f"    {_one_column_each(before + after)}".rstrip(), f"    {blank}^"]


def _one_column_each(text: str) -> str:
    return "".join(" " if c == "\t" else c if _is_safe(c) else "?" for c in text)
