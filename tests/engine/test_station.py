"""A group through real worker processes, with an instrument that measures nothing."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from engine_helpers import Flag, instrument, journal, points, task
from fakes import COST, ENVIRONMENT
from octprobe.engine.process import WorkerDied
from octprobe.engine.protocol import InstrumentSpec
from octprobe.engine.station import Station, _join
from octprobe.store.records import Doubt, Measurement, PassSeconds, Status


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    """Give a station with the fake instrument."""
    with Station(instrument(tmp_path)) as opened:
        yield opened


def test_a_group_comes_back_timed_and_accounted(station: Station) -> None:
    """Each point has its samples from one worker and its cost from the other."""
    notes: list[str] = []
    outcome = station.measure(task("net"), notes.append, Flag())
    assert outcome.environment == ENVIRONMENT
    assert set(outcome.measurements) == {point.point_id for point in points("net")}
    for measurement in outcome.measurements.values():
        assert measurement.status is Status.MEASURED
        assert measurement.latency is not None
        assert (measurement.cost, measurement.seconds.build) == (COST, 0.1)
    assert "round 3 done" in notes


def test_an_anchor_that_was_not_asked_for_is_timed_but_gives_no_row(station: Station, tmp_path: Path) -> None:
    """Resuming a group without its anchor measures a fresh one for comparison only."""
    outcome = station.measure(task("net", ["0.5"]), lambda _: None, Flag())
    assert len(outcome.measurements) == 1
    assert outcome.anchor_status is Status.MEASURED
    assert len(journal(tmp_path)) == 2


def test_a_point_without_its_anchor_is_timed_alone(station: Station, tmp_path: Path) -> None:
    """Nothing but the point is built."""
    outcome = station.measure(replace(task("net", ["0.5"]), with_anchor=False), lambda _: None, Flag())
    assert outcome.anchor_status is None
    assert journal(tmp_path) == list(outcome.measurements)


def test_a_crash_is_reported_with_its_signal_and_the_end_of_the_log(station: Station) -> None:
    """SIGSEGV in the worker is a death with a reason, and the next group finds a new worker."""
    outcome = station.measure(task("crash"), lambda _: None, Flag())
    assert outcome.measurements == {}
    assert outcome.death is not None
    assert outcome.death.status is Status.CRASHED
    assert "SIGSEGV" in outcome.death.reason
    assert "about to crash" in (outcome.death.log_tail or "")
    assert station.measure(task("net"), lambda _: None, Flag()).death is None


def test_a_silent_worker_is_ended_after_its_limit(station: Station) -> None:
    """A hang is timed out, with the setting to change."""
    death = station.measure(task("hang"), lambda _: None, Flag()).death
    assert death is not None
    assert death.status is Status.TIMED_OUT
    assert "1 s (measure.timeout_seconds)" in death.reason


def test_an_exception_costs_the_worker_but_is_named(station: Station) -> None:
    """What nobody foresaw is one line and a traceback in the log."""
    death = station.measure(task("fail"), lambda _: None, Flag()).death
    assert death is not None
    assert (death.status, death.reason) == (Status.FAILED, "RuntimeError: the network is broken")
    assert "Traceback" in (death.log_tail or "")


def test_a_death_while_accounting_keeps_the_latency(station: Station) -> None:
    """Times that were taken are not lost with the profiler's process."""
    outcome = station.measure(task("clumsy"), lambda _: None, Flag())
    struck = outcome.measurements[points("clumsy")[2].point_id]
    assert struck.status is Status.MEASURED
    assert struck.latency is not None
    assert struck.cost is None
    assert "no memory and device time: the worker was ended by SIGKILL" in (struck.reason or "")


def test_a_wrong_output_fails_a_point_that_was_timed(station: Station) -> None:
    """The account's status stands, its words come first, and no figure of either worker is lost."""
    timed = station.measure(task("net"), lambda _: None, Flag()).measurements[points("net")[0].point_id]
    account = Measurement(
        status=Status.FAILED,
        reason="the output is 1 away",
        doubts=(Doubt.PROFILER_EMPTY,),
        cost=COST,
        output_error=1.0,
        seconds=PassSeconds(build=0.5, memory=0.25),
    )
    joined = _join(replace(timed, reason="timed alone", doubts=(Doubt.UNSTABLE,)), account)
    assert (joined.status, joined.output_error) == (Status.FAILED, 1.0)
    assert joined.reason == "the output is 1 away; timed alone"
    assert joined.doubts == (Doubt.UNSTABLE, Doubt.PROFILER_EMPTY)
    assert (joined.latency, joined.cost) == (timed.latency, COST)
    assert joined.seconds == replace(timed.seconds, build=timed.seconds.build + 0.5, memory=0.25)


def test_a_stop_leaves_unsettled_points_interrupted(tmp_path: Path) -> None:
    """After the round in hand the samples come back with the status that says so."""
    spec = InstrumentSpec("engine_helpers:TirelessInstrument", {"journal": str(tmp_path / "journal.txt")})
    with Station(spec) as station:
        outcome = station.measure(task("net"), lambda _: None, Flag(after_looks=0))
    assert outcome.stopped
    assert {m.status for m in outcome.measurements.values()} == {Status.INTERRUPTED}
    assert all(m.latency is not None for m in outcome.measurements.values())


def test_an_instrument_that_cannot_load_is_a_death(tmp_path: Path) -> None:
    """A wrong device or a missing package ends as one line."""
    with Station(InstrumentSpec("fakes:NoSuchInstrument")) as station, pytest.raises(WorkerDied) as died:
        station.environment()
    assert "NoSuchInstrument" in died.value.death.reason


@pytest.mark.parametrize(("side_by_side", "before_timing"), [(False, 1), (True, 2)])
def test_workers_load_when_they_are_wanted_or_at_once(
    tmp_path: Path, side_by_side: bool, before_timing: int
) -> None:
    """Both are there before anything is timed; neither sees the command line, which Inductor reads."""
    spec = InstrumentSpec("engine_helpers:LoudInstrument", {"journal": str(tmp_path / "journal.txt")})
    with Station(spec, side_by_side=side_by_side) as station:
        station.measure(task("net"), lambda _: None, Flag())
    lines = journal(tmp_path)
    assert lines.count("loaded[]") == 2
    assert next(place for place, line in enumerate(lines) if line != "loaded[]") == before_timing


def test_a_doubt_of_both_workers_is_one_doubt() -> None:
    """What the timing and the profiling saw alike is said once."""
    timed = Measurement(status=Status.MEASURED, doubts=(Doubt.CONTAMINATED, Doubt.UNSTABLE))
    account = Measurement(status=Status.MEASURED, doubts=(Doubt.CONTAMINATED, Doubt.PROFILER_EMPTY))
    assert _join(timed, account).doubts == (Doubt.CONTAMINATED, Doubt.UNSTABLE, Doubt.PROFILER_EMPTY)


def test_an_accounting_worker_that_cannot_load_costs_no_time(tmp_path: Path) -> None:
    """The points are timed all the same, and each says what it lacks."""
    spec = InstrumentSpec("engine_helpers:OnlyOnceInstrument", {"journal": str(tmp_path / "journal.txt")})
    with Station(spec, side_by_side=True) as station:
        outcome = station.measure(task("net"), lambda _: None, Flag())
    assert outcome.death is None
    assert all(m.latency is not None for m in outcome.measurements.values())
    assert {m.reason for m in outcome.measurements.values()} == {
        "no memory and device time: RuntimeError: there can be only one"
    }
