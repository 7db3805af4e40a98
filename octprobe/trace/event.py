"""One event of a trace, its fields checked as they are asked for."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from octprobe.errors import TraceError

# 30,000 years: no clock is further off, and a longer number would only fill the memory.
_MAX_MICROSECONDS: Final = 10**18
# The digits of 2**64, which no identifier of a trace exceeds.
_MAX_ID_DIGITS: Final = 20
# Category names of 2021's torch.profiler, and what they have been called since.
_NEWER_CATEGORIES: Final = {"operator": "cpu_op", "runtime": "cuda_runtime"}
_WAY_OUT: Final = "record the trace again with torch.profiler"
# Long enough to know a value by, short enough that the message stays one line of a terminal.
_MAX_SHOWN_CHARACTERS: Final = 60


class Event:
    """A view of one event.

    Args:
        file: the trace's name, for messages.
        place: the event's index in the trace.
        fields: what the trace holds there.

    Raises:
        TraceError: `fields` is no object; or, from every method, the field asked for breaks its rule.
    """

    __slots__ = ("_fields", "_file", "_place")

    def __init__(self, file: str, place: int, fields: object) -> None:
        if not isinstance(fields, dict):
            raise TraceError(
                f"{file}: events[{place}] is {_show(fields)}; it must be a JSON object; {_WAY_OUT}"
            )
        self._file, self._place = file, place
        self._fields: Mapping[str, Any] = fields

    @property
    def category(self) -> str | None:
        """The category by its newer name, in lower case; None unless the event has a beginning and an end."""
        if self._fields.get("ph") != "X" or self._fields.get("cat") is None:
            return None
        category = self.text("cat").lower()
        return _NEWER_CATEGORIES.get(category, category)

    @property
    def is_memory(self) -> bool:
        """Whether it records that an allocator gave or took back memory."""
        return self._fields.get("name") == "[memory]"

    @property
    def start_ns(self) -> int:
        """When it began, by the trace's own clock."""
        return self._nanoseconds("ts")

    @property
    def lacks_end(self) -> bool:
        """Whether the duration is absent or negative, as of what was open when the recording stopped."""
        duration = self._fields.get("dur")
        nanoseconds = _to_nanoseconds(duration)
        return duration is None or (nanoseconds is not None and nanoseconds < 0)

    @property
    def duration_ns(self) -> int:
        """How long it took."""
        duration_ns = self._nanoseconds("dur")
        if duration_ns < 0:
            raise self._fault("dur", self._fields["dur"], "must not be negative")
        return duration_ns

    @property
    def owner(self) -> tuple[str, str]:
        """Process and thread; of a kernel, device and stream. Text, as versions differ in the type."""
        return self._identifier("pid"), self._identifier("tid")

    def text(self, key: str) -> str:
        """Give a field that must be text."""
        value = self._fields.get(key)
        if not isinstance(value, str):
            raise self._fault(key, value, "must be text")
        return value

    def argument(self, *keys: str) -> int | None:
        """Give the whole number of the first argument that is there; None where none is."""
        arguments = self._arguments()
        for key in keys:
            value = arguments.get(key)
            if isinstance(value, str) and value.isdecimal() and len(value) <= _MAX_ID_DIGITS:
                return int(value)
            if isinstance(value, int) and not isinstance(value, bool):
                return value
            if value is not None:
                raise self._fault(f"args.{key}", value, "must be a whole number")
        return None

    def needed_argument(self, key: str) -> int:
        """Give the whole number of an argument that must be there."""
        value = self.argument(key)
        if value is None:
            raise self._fault(f"args.{key}", None, "must be a whole number")
        return value

    def _arguments(self) -> Mapping[str, Any]:
        arguments = self._fields.get("args", {})
        if not isinstance(arguments, dict):
            raise self._fault("args", arguments, "must be a JSON object")
        return arguments

    def _identifier(self, key: str) -> str:
        value = self._fields.get(key)
        if not isinstance(value, int | str):
            raise self._fault(key, value, "must be a number or text")
        return str(value)

    def _nanoseconds(self, key: str) -> int:
        value = self._fields.get(key)
        nanoseconds = _to_nanoseconds(value)
        if nanoseconds is None:
            raise self._fault(key, value, "must be a number of microseconds")
        return nanoseconds

    def _fault(self, key: str, value: object, rule: str) -> TraceError:
        name = self._fields.get("name")
        named = f" {_show(name)}" if isinstance(name, str) else ""
        found = "is missing" if value is None and key not in self._fields else f"is {_show(value)}"
        return TraceError(f"{self._file}: events[{self._place}]{named}: {key} {found}; it {rule}; {_WAY_OUT}")


def _to_nanoseconds(value: object) -> int | None:
    """Turn microseconds into whole nanoseconds without a float; None where that cannot be."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    microseconds: int | Decimal = value if isinstance(value, int) else Decimal(str(value))
    if isinstance(microseconds, Decimal) and not microseconds.is_finite():
        return None
    in_range = -_MAX_MICROSECONDS <= microseconds <= _MAX_MICROSECONDS
    return round(microseconds * 1000) if in_range else None


def _show(value: object) -> str:
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    shown = str(value) if isinstance(value, Decimal) else json.dumps(value)
    return shown if len(shown) <= _MAX_SHOWN_CHARACTERS else shown[: _MAX_SHOWN_CHARACTERS - 3] + "..."
