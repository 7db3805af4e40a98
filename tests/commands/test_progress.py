"""How a sweep goes, in lines."""

import io
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from rich.console import Console

from engine_helpers import points
from fakes import ENVIRONMENT
from octprobe.commands.progress import Pace, PlainView, TerminalView, row_line
from octprobe.store.flatten import RowContext, make_row
from octprobe.store.records import Doubt, Latency, Measurement, Status
from octprobe.store.row import Row

POINT = points("resnet50", ["0.5"], batch=8)[0]
LATENCY = Latency(
    samples_ms=(50.0,) * 30,
    calls_per_sample=1,
    pair_ratios=(0.75,) * 30,
    rounds=3,
    first_call_ms=60.0,
    warmup_calls=7,
)


def row(**changes: object) -> Row:
    """Make a row of a measured point."""
    measurement = replace(Measurement(status=Status.MEASURED, latency=LATENCY), **changes)
    context = RowContext(
        sweep="s",
        spec_digest="d",
        attempt=1,
        recorded_at=datetime(2026, 11, 24, tzinfo=UTC),
        relative_ci_asked=0.01,
        verdict_band=0.01,
    )
    return make_row(POINT, measurement, ENVIRONMENT, context)


def test_a_measured_point_has_time_interval_count_and_verdict() -> None:
    """Every figure with its doubt."""
    assert row_line(POINT, row()) == (
        "resnet50 alpha 0.5, batch 8, 224 px, contiguous: "
        "50.00 ms [50.00 ms, 50.00 ms] n=30 0.750 of vanilla, FASTER"
    )


def test_doubts_and_statuses_are_shown() -> None:
    """An interrupted and doubtful point says so."""
    line = row_line(POINT, row(status=Status.INTERRUPTED, doubts=(Doubt.UNSTABLE, Doubt.NOT_CONVERGED)))
    assert line.endswith("FASTER interrupted doubts: unstable, not_converged")


def test_a_doubt_of_the_machine_is_said_once_and_not_on_each_line() -> None:
    """Two groups on a virtual machine: one line for its clock, and each row's own doubts on its own."""
    stream = io.StringIO()
    view = PlainView(stream)
    own = row(doubts=(Doubt.UNKNOWN_CLOCK, Doubt.UNSTABLE))
    view.planned([POINT] * 2, 0)
    view.saved([(POINT, row(doubts=(Doubt.UNKNOWN_CLOCK,)))])
    view.saved([(POINT, own)])
    assert stream.getvalue().count("unknown_clock") == 1
    assert stream.getvalue().splitlines()[1].startswith("every row: unknown_clock: ")
    assert row_line(POINT, own).endswith("FASTER doubts: unstable")


def test_a_failed_point_gives_its_reason() -> None:
    """No number is made up."""
    failed = row(status=Status.CRASHED, latency=None, reason="the worker was ended by SIGSEGV")
    assert row_line(POINT, failed).endswith(": crashed: the worker was ended by SIGSEGV")


def test_plain_lines_count_and_estimate() -> None:
    """Resumed points are named, each group ends with the count and an ETA."""
    stream = io.StringIO()
    view = PlainView(stream)
    view.planned([POINT] * 4, 2)
    view.note("not for a log")
    view.saved([(POINT, row()), (POINT, row())])
    view.saved([(POINT, row()), (POINT, row())])
    view.close()
    lines = stream.getvalue().splitlines()
    assert lines[0] == "4 points to measure; 2 are done already and are kept."
    assert lines[3].startswith("[2/4] saved; ")
    assert lines[6] == "[4/4] saved; all done"


@pytest.mark.parametrize("text", ["[bold]not markup[/bold]", "conv [1, 2]"])
def test_a_terminals_text_is_never_markup(text: str) -> None:
    """Names from a sweep are shown as they are."""
    stream = io.StringIO()
    view = TerminalView(Console(file=stream, force_terminal=True, width=100, color_system=None))
    view.planned([POINT], 0)
    view.note(text)
    view.say(text)
    view.saved([(POINT, row())])
    view.close()
    assert text in stream.getvalue()
    assert "0.750 of vanilla, FASTER" in stream.getvalue()


def test_a_reader_that_went_away_does_not_end_the_sweep() -> None:
    """A closed pipe and a full disk cost lines, not rows."""

    class Closed(io.StringIO):
        def write(self, _: str) -> int:
            raise BrokenPipeError

    closed, pace = Closed(), Pace()
    view = PlainView(closed, pace)
    view.planned([POINT], 0)
    view.saved([(POINT, row())])
    view.close()
    assert (closed.getvalue(), pace.done, pace.eta) == ("", 1, "all done")
