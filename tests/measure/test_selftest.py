"""The self-test of verdicts, on a fake clock: equal work is never told apart, five percent always."""

from collections.abc import Callable

import pytest

import octprobe.measure.selftest as subject
from fakes import FakeClock
from octprobe.measure.company import NoLookout
from octprobe.measure.device import CpuDevice
from octprobe.measure.selftest import EQUAL, MORE, UNITS, Tally, Trial, run_trials, tally_up
from octprobe.plan.spec import Measure
from octprobe.stats import Interval, Verdict

SETTINGS = Measure(min_seconds=0.1, max_seconds=5)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    """Let every convolution take exactly one millisecond."""
    clock = FakeClock()

    def layer_call(number: int, device: object) -> Callable[[], None]:
        return lambda: clock.advance_ms(1.0)

    monkeypatch.setattr(subject, "_layer_call", layer_call)
    return clock


def test_on_an_exact_clock_every_verdict_is_right(clock: FakeClock) -> None:
    """Equal work is SAME at a ratio of 1, one unit in twenty more is SLOWER at 1.05."""
    trials = list(run_trials(CpuDevice(clock), NoLookout(), SETTINGS, 0.01, (EQUAL, MORE), 3))
    assert [trial.experiment for trial in trials] == [EQUAL, MORE] * 3
    assert {(t.experiment.name, t.verdict, t.ratio.median) for t in trials} == {
        ("equal work", Verdict.SAME, 1.0),
        ("5 % more work", Verdict.SLOWER, 1.05),
    }


def test_the_extra_work_is_five_percent() -> None:
    """Counted, not estimated."""
    assert MORE.true_ratio == (UNITS + 1) / UNITS == 1.05
    assert EQUAL.true_ratio == 1


def test_a_tally_counts_what_is_right_for_its_experiment() -> None:
    """AMBIGUOUS does no harm to equal work and misses a true difference."""
    verdicts = [Verdict.SAME, Verdict.AMBIGUOUS, Verdict.SLOWER, Verdict.FASTER]
    ratio = Interval(1.0, 0.9, 1.1, 30)
    equal, more = tally_up(Trial(e, ratio, v) for e in (EQUAL, MORE) for v in verdicts)
    assert (equal.right, more.right) == (2, 1)
    assert (equal.count(Verdict.FASTER), equal.right_share.median, equal.ratio_median) == (1, 0.5, 1.0)
    assert equal == Tally(EQUAL, tuple(Trial(EQUAL, ratio, v) for v in verdicts))


def test_real_convolutions_run() -> None:
    """One short comparison of each kind on the processor: what it says depends on the machine."""
    settings = Measure(relative_ci=0.5, min_seconds=0, max_seconds=20)
    trials = list(run_trials(CpuDevice(), NoLookout(), settings, 0.01, (EQUAL, MORE), 1))
    assert [trial.experiment for trial in trials] == [EQUAL, MORE]
    assert all(trial.ratio.count >= 30 for trial in trials)
    assert all(trial.ratio.median > 0 for trial in trials)
