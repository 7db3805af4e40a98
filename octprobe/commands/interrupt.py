"""Ctrl-C: once ends after the round in hand, twice stops."""

import signal
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Self


class Interrupt:
    """A stop flag that SIGINT and SIGTERM set; the second signal raises KeyboardInterrupt.

    Args:
        tell: told one line at the first signal.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._is_set = False
        self._previous: dict[int, Any] = {}

    def is_set(self) -> bool:
        """Tell whether a signal has come."""
        return self._is_set

    def __enter__(self) -> Self:
        """Listen to signals."""
        for number in (signal.SIGINT, signal.SIGTERM):
            self._previous[number] = signal.signal(number, self._hear)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give signals back to whoever had them."""
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        if self._is_set:
            raise KeyboardInterrupt
        self._is_set = True
        self._tell("Ending after the round in hand; what is measured is saved. Ctrl-C again stops at once.")
