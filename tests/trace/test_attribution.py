"""Open spans against a search through all of them, nested or not."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.profiler import ProfilerActivity, profile

from fake_trace import MAIN_THREAD, span
from octprobe.trace.attribution import OpenSpans, self_times_ns
from octprobe.trace.timeline import Span, read_timeline

# A few moments and threads, so that spans touch, cross, coincide and vanish often.
MOMENTS = range(13)
SPANS = st.lists(
    st.builds(
        lambda start, length, thread: span("s", start, start + length, thread=thread),
        st.sampled_from(MOMENTS[:-4]),
        st.integers(0, 4) | st.integers(0, 12),
        st.sampled_from("12"),
    ),
    max_size=12,
)


def open_at(spans: Sequence[Span], thread: tuple[str, str], at_ns: int) -> list[Span]:
    """Search all spans for those open at a moment, the outermost first."""
    found = [s for s in spans if s.thread == thread and s.start_ns <= at_ns < s.end_ns]
    return sorted(found, key=lambda s: (s.start_ns, -s.duration_ns))


@given(SPANS)
def test_owners_are_those_of_a_search_through_all_spans(spans: list[Span]) -> None:
    """Every thread and moment, before the first span and after the last too."""
    opened = OpenSpans(spans)
    for thread in (MAIN_THREAD, ("100", "2"), ("100", "3")):
        for at_ns in range(-1, 22):
            found = open_at(spans, thread, at_ns)
            assert opened.outermost(thread, at_ns) == (found[0] if found else None)
            assert opened.innermost(thread, at_ns) == (found[-1] if found else None)


@given(SPANS)
def test_self_times_are_those_counted_moment_by_moment(spans: list[Span]) -> None:
    """Each nanosecond of a thread is the innermost span's own."""
    named = [replace(each, name=str(place)) for place, each in enumerate(spans)]
    own_ns = dict.fromkeys((s.name for s in named), 0)
    for thread in {s.thread for s in named}:
        for at_ns in range(22):
            if found := open_at(named, thread, at_ns):
                own_ns[found[-1].name] += 1
    assert self_times_ns(named) == list(own_ns.values())


def test_nested_spans() -> None:
    """The duration less that of the spans directly within, whatever is within those."""
    outer, middle, inner, second = spans = [
        span("outer", 0, 100),
        span("middle", 10, 60),
        span("inner", 20, 50),
        span("second", 70, 80),
    ]
    assert self_times_ns(spans) == [100 - 50 - 10, 50 - 30, 30, 10]
    opened = OpenSpans(spans[::-1])
    assert [opened.outermost(MAIN_THREAD, at) for at in (0, 30, 75, 99, 100)] == [outer] * 4 + [None]
    assert [opened.innermost(MAIN_THREAD, at) for at in (0, 10, 20, 50, 60, 75)] == [
        outer,
        middle,
        inner,
        middle,
        outer,
        second,
    ]


def test_a_span_that_begins_where_another_ends_owns_that_moment() -> None:
    """A launch at the first moment of an operator is that operator's."""
    first, second = span("first", 0, 10), span("second", 10, 20)
    opened = OpenSpans([first, second])
    assert opened.outermost(MAIN_THREAD, 9) == first
    assert opened.outermost(MAIN_THREAD, 10) == second


def test_threads_do_not_see_each_other() -> None:
    """The backward pass runs on a thread of its own, at the same time."""
    forward, backward = span("forward", 0, 10), span("backward", 0, 10, thread="2")
    opened = OpenSpans([forward, backward])
    assert opened.innermost(MAIN_THREAD, 5) == forward
    assert opened.innermost(("100", "2"), 5) == backward
    assert opened.innermost(("101", "1"), 5) is None
    assert self_times_ns([forward, backward]) == [10, 10]


def test_nothing_is_open_in_nothing() -> None:
    """No spans, no owner, no time."""
    assert OpenSpans([]).outermost(MAIN_THREAD, 0) is None
    assert self_times_ns([]) == []


def test_a_hundred_thousand_spans_are_no_matter() -> None:
    """Deep and wide nesting; a search of each among all would take minutes."""
    deep = [span(str(depth), depth, 100_000 - depth) for depth in range(50_000)]
    wide = [span(str(place), 100_000 + place, 100_001 + place) for place in range(50_000)]
    opened = OpenSpans([*deep, *wide])
    assert opened.outermost(MAIN_THREAD, 49_999) == deep[0]
    assert opened.innermost(MAIN_THREAD, 49_999) == deep[-1]
    assert opened.outermost(MAIN_THREAD, 120_000) == wide[20_000]
    assert sum(self_times_ns([*deep, *wide])) == 150_000


def test_self_times_are_those_of_torchs_own_table(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A training step recorded here: `key_averages` sums the same events another way."""
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.ReLU())
    with profile(activities=[ProfilerActivity.CPU]) as profiler:
        network(torch.ones(1, 3, 8, 8)).sum().backward()
    path = tmp_path_factory.mktemp("trace") / "trace.json"
    profiler.export_chrome_trace(str(path))
    spans = read_timeline(path).spans
    own_ns: dict[str, int] = {}
    for recorded, time_ns in zip(spans, self_times_ns(spans), strict=True):
        own_ns[recorded.name] = own_ns.get(recorded.name, 0) + time_ns
    theirs = {row.key: row.self_cpu_time_total for row in profiler.key_averages()}
    assert "aten::convolution_backward" in theirs
    assert {name: time_ns / 1000 for name, time_ns in own_ns.items()} == pytest.approx(theirs, abs=1e-3)
