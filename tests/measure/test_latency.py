"""A group timed side by side, with a fake clock: exact numbers, no waiting."""

import math
import random
from collections.abc import Callable

import pytest

from fakes import FakeClock, TimedCall
from octprobe.errors import MachineError
from octprobe.measure.company import Glance
from octprobe.measure.device import CpuDevice
from octprobe.measure.latency import GroupTimer, TimedGroup
from octprobe.plan.spec import Measure
from octprobe.stats import median_interval, series_interval
from octprobe.store.records import Doubt

SETTINGS = Measure(relative_ci=0.01, min_seconds=0.1, max_seconds=5.0, rounds=3, seed=7)


def timed(
    calls_ms: dict[str, list[float]], settings: Measure = SETTINGS, stop_after: int | None = None
) -> TimedGroup:
    """Time subjects whose calls take these times; `v` is the anchor."""
    clock = FakeClock()
    timer = GroupTimer(CpuDevice(clock), settings, "v")
    for name, times_ms in calls_ms.items():
        timer.add(name, TimedCall(clock, times_ms))
    return timer.run(lambda number: number != stop_after)


def test_constant_times_give_exact_medians_and_ratios() -> None:
    """20 and 15 ms are a ratio of exactly .75, from 30 pairs in three rounds."""
    result = timed({"v": [20.0], "a": [15.0]})
    latency = result.latencies["a"]
    assert set(latency.samples_ms) == {15.0}
    assert latency.pair_ratios == (0.75,) * 30
    assert (latency.rounds, latency.calls_per_sample, latency.warmup_calls) == (3, 1, 7)
    assert result.doubts == {"v": (Doubt.UNKNOWN_CLOCK,), "a": (Doubt.UNKNOWN_CLOCK,)}
    assert result.settled == {"v", "a"}


def test_the_anchor_has_a_sample_for_every_pair() -> None:
    """Two subjects of 30 pairs give the anchor 60 samples and no ratio of its own."""
    result = timed({"v": [20.0], "a": [15.0], "b": [10.0]})
    assert len(result.latencies["v"].samples_ms) == 60
    assert result.latencies["v"].pair_ratios == ()
    assert result.latencies["b"].pair_ratios == (0.5,) * 30


def test_a_group_of_the_anchor_alone_is_timed_alone() -> None:
    """Without company an anchor takes its own samples."""
    assert len(timed({"v": [20.0]}).latencies["v"].samples_ms) == 30


def test_a_group_without_its_anchor_has_times_and_no_ratios() -> None:
    """When vanilla cannot run, the others are still timed."""
    result = timed({"a": [15.0], "b": [10.0]})
    assert len(result.latencies["a"].samples_ms) == 30
    assert result.latencies["a"].pair_ratios == ()


def test_short_calls_are_bundled_and_given_a_call() -> None:
    """A call of 1 ms is timed ten at a time; samples stay milliseconds a call."""
    latency = timed({"v": [1.0], "a": [1.0]}).latencies["a"]
    assert latency.calls_per_sample == 10
    assert set(latency.samples_ms) == {1.0}


def test_noisy_times_take_more_rounds_until_the_interval_is_narrow() -> None:
    """A spread of some percent needs more than the first look's 30 samples."""
    times = [20.0 + 0.6 * math.sin(k * 2.4) for k in range(997)]
    latency = timed({"v": [20.0], "a": times}).latencies["a"]
    assert len(latency.samples_ms) > 30
    width = median_interval(latency.samples_ms).relative_half_width
    assert width is not None
    assert width <= SETTINGS.relative_ci


def test_a_point_at_its_cap_is_doubted_as_not_converged() -> None:
    """Two states far apart never narrow; the cap of 5 s ends it with the doubt."""
    times = [20.0, 20.0, 30.0, 20.0, 30.0, 30.0]
    result = timed({"v": [20.0], "a": times})
    assert Doubt.NOT_CONVERGED in result.doubts["a"]
    latency = result.latencies["a"]
    spent_s = (sum(latency.samples_ms) + 2 * sum(latency.period_samples_ms)) / 1e3
    assert 5.0 <= spent_s < 5.1
    assert result.settled == {"v", "a"}


def test_under_a_drift_the_paired_ratio_stays_true() -> None:
    """A clock that slows by 10 % exponentially moves the medians but not the ratio."""
    clock = FakeClock()
    start = clock.now_ns()

    def slowed(base_ms: float) -> float:
        seconds = (clock.now_ns() - start) / 1e9
        return base_ms * (1 + 0.1 * (1 - math.exp(-seconds / 1.0)))

    timer = GroupTimer(CpuDevice(clock), SETTINGS, "v")
    timer.add("v", lambda: clock.advance_ms(slowed(20.0)))
    timer.add("a", lambda: clock.advance_ms(slowed(15.0)))
    latency = timer.run(lambda _: True).latencies["a"]
    assert median_interval(latency.pair_ratios).median == pytest.approx(0.75, rel=0.01)


def test_a_request_to_stop_ends_after_the_round_in_hand() -> None:
    """After one round of ten pairs both subjects are unsettled and keep their samples."""
    result = timed({"v": [20.0], "a": [15.0]}, stop_after=1)
    assert len(result.latencies["a"].samples_ms) == 10
    assert result.settled == frozenset()


def test_a_stop_after_the_last_round_changes_nothing() -> None:
    """What is settled is settled, whenever the request came."""
    assert timed({"v": [20.0], "a": [15.0]}, stop_after=3).settled == {"v", "a"}


def test_rounds_that_differ_raise_the_doubt_unstable() -> None:
    """A machine that slows by a third between rounds is reported."""
    clock = FakeClock()
    pace = {"ms": 20.0}
    timer = GroupTimer(CpuDevice(clock), SETTINGS, "v")
    timer.add("v", lambda: clock.advance_ms(pace["ms"]))

    def slow_down(number: int) -> bool:
        pace["ms"] *= 1.33
        return True

    assert Doubt.UNSTABLE in timer.run(slow_down).doubts["v"]


def test_a_failing_call_passes_through_and_leaves_no_subject() -> None:
    """What a network raises while it warms up is for the caller to name."""
    clock = FakeClock()
    timer = GroupTimer(CpuDevice(clock), SETTINGS, "v")
    timer.add("v", TimedCall(clock, [20.0]))

    def broken() -> None:
        raise RuntimeError("no kernel")

    with pytest.raises(RuntimeError, match="no kernel"):
        timer.add("a", broken)
    assert set(timer.run(lambda _: True).latencies) == {"v"}


def test_the_first_call_of_a_compiled_subject_is_its_compile_time() -> None:
    """Ten seconds of compiling are kept apart and never in the latency."""
    clock = FakeClock()
    timer = GroupTimer(CpuDevice(clock), SETTINGS, "v")
    timer.add("v", TimedCall(clock, [10_000.0, *[20.0] * 500]), compiles=True)
    latency = timer.run(lambda _: True).latencies["v"]
    assert latency.compile_seconds == 10.0
    assert max(latency.samples_ms) == 20.0


def test_between_timed_blocks_the_rounds_show_that_they_go_on() -> None:
    """A long round is no silence: after each of 30 visits and 18 blocks back to back the timer says so."""
    clock = FakeClock()
    timer = GroupTimer(CpuDevice(clock), SETTINGS, "v")
    timer.add("v", TimedCall(clock, [20.0]))
    timer.add("a", TimedCall(clock, [15.0]))
    visits: list[int] = []
    timer.run(lambda _: True, lambda: visits.append(clock.ns))
    assert len(visits) == 30 + 2 * 9
    assert visits == sorted(set(visits))


def test_a_round_counts_for_those_that_sampled_in_it() -> None:
    """A subject that was sharp early spans fewer rounds than one that needed more."""
    noisy = [20.0 + 0.6 * math.sin(k * 2.4) for k in range(997)]
    latencies = timed({"v": [20.0], "a": [15.0], "b": noisy}).latencies
    assert latencies["a"].rounds == 3
    assert latencies["b"].rounds > 3


class ThrottledLookout:
    """Tells of a clock held down at set numbers of blocks."""

    def __init__(self, held_down: Callable[[int], bool]) -> None:
        self._held_down = held_down
        self.blocks = 0

    def start(self) -> None:
        """Count a block."""
        self.blocks += 1

    def read(self) -> Glance:
        """Give the block's state of the clock."""
        reasons = ("hw_thermal_slowdown",) if self._held_down(self.blocks) else ()
        return Glance(throttle_reasons=reasons, clock_mhz=1000.0)


def timed_under(held_down: Callable[[int], bool]) -> TimedGroup:
    """Time two level subjects while the clock is held down at some blocks."""
    clock = FakeClock()
    timer = GroupTimer(CpuDevice(clock), SETTINGS, "v", ThrottledLookout(held_down))
    timer.add("v", TimedCall(clock, [20.0]))
    timer.add("a", TimedCall(clock, [15.0]))
    return timer.run(lambda _: True)


def test_a_pair_with_a_throttled_block_is_discarded_and_counted() -> None:
    """Blocks 1 to 20 are ten pairs: both sides go, and as many are taken anew."""
    result = timed_under(lambda block: block <= 20)
    for name in "va":
        company = result.latencies[name].company
        assert company.throttled_samples == 10
        assert company.throttle_reasons == ("hw_thermal_slowdown",)
        assert Doubt.THROTTLED in result.doubts[name]
    assert len(result.latencies["a"].samples_ms) == len(result.latencies["a"].pair_ratios) == 30
    assert result.latencies["a"].company.clock_mhz == (1000.0,) * 30


def test_a_clock_that_is_always_held_down_ends_at_the_cap_with_a_reason() -> None:
    """No sample is better than a wrong one, and the rounds still end."""
    result = timed_under(lambda _: True)
    assert result.latencies == {}
    assert result.settled == {"v", "a"}
    assert result.troubles["a"] == (
        "the clock was held down in all 232 blocks (hw_thermal_slowdown); cool the device or lift its limit"
    )


def test_calls_back_to_back_are_timed_three_blocks_a_round() -> None:
    """Nine blocks of 50 ms over three rounds: 20 ms calls come two at a time, 1 ms calls fifty."""
    result = timed({"v": [20.0], "a": [1.0]})
    vanilla, other = result.latencies["v"], result.latencies["a"]
    assert (vanilla.calls_per_period_sample, other.calls_per_period_sample) == (2, 50)
    assert vanilla.period_samples_ms == (20.0,) * 9
    assert other.period_samples_ms == (1.0,) * 9


def test_many_rounds_add_no_more_blocks_back_to_back() -> None:
    """A point that needs more rounds has nine of them all the same."""
    noisy = [20.0 + 0.6 * math.sin(k * 2.4) for k in range(997)]
    latency = timed({"v": [20.0], "a": noisy}).latencies["a"]
    assert latency.rounds > 3
    assert len(latency.period_samples_ms) == 9


def test_the_row_can_say_how_many_were_timed_together() -> None:
    """Three subjects side by side."""
    result = timed({"v": [20.0], "a": [15.0], "b": [10.0]})
    assert {latency.timed_together for latency in result.latencies.values()} == {3}


def test_a_drifting_subject_goes_on_until_it_is_level() -> None:
    """A climb of 10 % over the first two seconds is sharp at the first look, and does not stop there."""
    clock = FakeClock()
    start = clock.now_ns()

    def climb() -> None:
        seconds = (clock.now_ns() - start) / 1e9
        clock.advance_ms(20.0 * (1 + 0.1 * (1 - math.exp(-seconds))))

    timer = GroupTimer(CpuDevice(clock), Measure(relative_ci=0.02, min_seconds=0.1, max_seconds=30), "v")
    timer.add("v", climb)
    result = timer.run(lambda _: True)
    assert len(result.latencies["v"].samples_ms) > 30
    assert result.latencies["v"].samples_ms[-1] == pytest.approx(22.0, rel=0.01)


def test_two_states_of_the_clock_are_flagged() -> None:
    """Every other call a tenth slower: converged or not, the row says so."""
    generator = random.Random(0)
    times = [20.0 * (1.1 if generator.random() < 0.5 else 1.0) for _ in range(997)]
    assert Doubt.BIMODAL in timed({"v": [20.0], "a": times}).doubts["a"]


NOISE: dict[str, tuple[Callable[[random.Random], float], float]] = {
    "normal": (lambda g: g.gauss(20, 0.6), 20.0),
    "log-normal": (lambda g: 20 * math.exp(g.gauss(0, 0.05)), 20.0),
    "heavy-tailed": (lambda g: 19.5 + 0.5 * g.paretovariate(1.5), 19.5 + 0.5 * 2 ** (1 / 1.5)),
}


@pytest.mark.slow
@pytest.mark.parametrize(("draw", "truth"), NOISE.values(), ids=NOISE)
def test_the_interval_at_the_stop_holds_the_median(
    draw: Callable[[random.Random], float], truth: float
) -> None:
    """Looking often costs little: of 600 runs at least 93 % of the intervals hold the true median."""
    settings = Measure(relative_ci=0.01, min_seconds=0.1, max_seconds=120, rounds=3)
    hits = stops = 0
    for seed in range(600):
        clock, generator = FakeClock(), random.Random(seed)
        timer = GroupTimer(CpuDevice(clock), settings, "v")
        timer.add("v", lambda c=clock, g=generator: c.advance_ms(draw(g)))
        result = timer.run(lambda _: True)
        interval = series_interval(result.latencies["v"].samples_ms)
        assert interval.low is not None
        assert interval.high is not None
        stops += Doubt.NOT_CONVERGED not in result.doubts["v"]
        hits += interval.low <= truth <= interval.high
    assert stops == 600
    assert hits / 600 >= 0.93


def test_who_asks_for_a_latency_that_is_not_there_is_told_why() -> None:
    """The trouble becomes an error for commands, which have no row to say it in."""
    spoilt = timed_under(lambda _: True)
    with pytest.raises(MachineError, match="the clock was held down in all"):
        spoilt.latency_of("a")
    whole = timed({"v": [20.0]})
    assert whole.latency_of("v") is whole.latencies["v"]
