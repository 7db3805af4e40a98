"""Which of the spans open on a thread owns a moment."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence

from octprobe.trace.timeline import Span, Thread

# From each moment on, who owns the thread, until the next moment.
_Owners = tuple[list[int], list[Span | None]]


class OpenSpans:
    """Chosen spans, asked which of them is open at a moment.

    A span is open from its start until just before its end. The outermost of the open spans is the one
    that began first, of those that began together the longest, of equals the first given; the innermost is
    the last by the same order. Spans need not be nested.

    Args:
        spans: those that may own a moment, of any threads.
    """

    def __init__(self, spans: Iterable[Span]) -> None:
        threads = _by_thread(list(spans))
        self._outermost = {thread: _owners(_outermost_changes(part)) for thread, part in threads.items()}
        self._innermost = {thread: _owners(_innermost_changes(part)) for thread, part in threads.items()}

    def outermost(self, thread: Thread, at_ns: int) -> Span | None:
        """Give the span open at a moment within which all others are; None where none is open."""
        return _owner_at(self._outermost.get(thread), at_ns)

    def innermost(self, thread: Thread, at_ns: int) -> Span | None:
        """Give the span open at a moment that was opened last; None where none is open."""
        return _owner_at(self._innermost.get(thread), at_ns)


def self_times_ns(spans: Sequence[Span]) -> list[int]:
    """Give for each span the time in which it is the innermost of these spans on its thread.

    Where spans are nested this is the duration less that of the spans directly within. The self times of a
    thread always add up to the time in which any of its spans is open.
    """
    own_ns = [0] * len(spans)
    for part in _by_thread(spans).values():
        owner, since_ns = None, 0
        for at_ns, place in _innermost_places(part):
            if owner is not None:
                own_ns[owner] += at_ns - since_ns
            owner, since_ns = None if place is None else part[place][0], at_ns
    return own_ns


# A span and its index among those that were given.
_Placed = tuple[int, Span]


def _by_thread(spans: Sequence[Span]) -> dict[Thread, list[_Placed]]:
    """Part spans by thread, the outermost first: by start, the longer first, then as given."""
    threads: dict[Thread, list[_Placed]] = {}
    for placed in enumerate(spans):
        threads.setdefault(placed[1].thread, []).append(placed)
    for part in threads.values():
        part.sort(key=lambda placed: (placed[1].start_ns, -placed[1].duration_ns))
    return threads


def _outermost_changes(part: Sequence[_Placed]) -> Iterator[tuple[int, Span | None]]:
    """Give each moment at which the outermost span changes: it stays so until its own end."""
    reach_ns: int | None = None
    for _, span in part:
        if reach_ns is None or span.end_ns > reach_ns:
            yield span.start_ns if reach_ns is None else max(span.start_ns, reach_ns), span
            yield span.end_ns, None
            reach_ns = span.end_ns


def _innermost_changes(part: Sequence[_Placed]) -> Iterator[tuple[int, Span | None]]:
    for at_ns, place in _innermost_places(part):
        yield at_ns, None if place is None else part[place][1]


def _innermost_places(part: Sequence[_Placed]) -> Iterator[tuple[int, int | None]]:
    """Give each moment at which a span begins or ends, and the innermost's place in `part` from then on."""
    moments_ns = sorted({moment for _, span in part for moment in (span.start_ns, span.end_ns)})
    opened: list[int] = []
    coming = 0
    for at_ns in moments_ns:
        while coming < len(part) and part[coming][1].start_ns == at_ns:
            opened.append(coming)
            coming += 1
        while opened and part[opened[-1]][1].end_ns <= at_ns:
            opened.pop()
        yield at_ns, opened[-1] if opened else None


def _owners(changes: Iterable[tuple[int, Span | None]]) -> _Owners:
    moments_ns: list[int] = []
    spans: list[Span | None] = []
    for at_ns, span in changes:
        moments_ns.append(at_ns)
        spans.append(span)
    return moments_ns, spans


def _owner_at(owners: _Owners | None, at_ns: int) -> Span | None:
    if owners is None:
        return None
    moments_ns, spans = owners
    place = bisect_right(moments_ns, at_ns) - 1
    return spans[place] if place >= 0 else None
