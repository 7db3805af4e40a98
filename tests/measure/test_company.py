"""Glances gathered into a point's company, and what it makes doubtful."""

import pytest

from octprobe.measure.company import (
    FOREIGN_CPU_SHARE,
    LASTING_REASONS,
    STEAL_SHARE,
    Glance,
    NoLookout,
    company_doubts,
    holds_down,
    summarise_company,
)
from octprobe.measure.lookout import PROCESSOR_THROTTLE
from octprobe.measure.nvml import THROTTLE_REASONS
from octprobe.store.records import Company, Doubt

# A company that raises no doubt: its clock is known, nobody else was there.
QUIET = Company(foreign_cpu_seconds=(0.0, 0.0), steal_seconds=(0.0, 0.0), throttle_reasons=())


def test_no_lookout_tells_nothing() -> None:
    """All None: absent, not 0."""
    lookout = NoLookout()
    lookout.start()
    assert lookout.read() == Glance()


@pytest.mark.parametrize(
    ("reasons", "spoilt"),
    [
        (None, False),
        ((), False),
        (("sw_power_cap",), False),
        (("sync_boost",), False),
        (("hw_slowdown",), True),
        (("sw_thermal_slowdown",), True),
        (("hw_thermal_slowdown",), True),
        (("hw_power_brake_slowdown",), True),
        (("sw_power_cap", "hw_thermal_slowdown"), True),
        ((PROCESSOR_THROTTLE,), True),
    ],
)
def test_a_passing_slowdown_spoils_a_sample(reasons: tuple[str, ...] | None, spoilt: bool) -> None:
    """A lasting limit does not: on a board of 70 W nothing else can be measured under load."""
    assert holds_down(Glance(throttle_reasons=reasons)) is spoilt


def test_the_lasting_reasons_are_nvmls() -> None:
    """A name that NVML's table lacks would never match."""
    assert set(THROTTLE_REASONS.values()) > LASTING_REASONS


def test_a_points_company_is_that_of_its_blocks() -> None:
    """One figure a kept sample; extremes and reasons of all blocks, the discarded ones included."""
    kept = [
        Glance(0.001, 0.0, 1980.0, 60.0, (), 0),
        Glance(0.002, 0.01, 1965.0, 63.0, ("sw_power_cap",), 2),
    ]
    discarded = [Glance(0.5, 0.5, 900.0, 88.0, ("hw_thermal_slowdown", "sw_power_cap"), 1)]
    assert summarise_company(kept, discarded) == Company(
        foreign_cpu_seconds=(0.001, 0.002),
        steal_seconds=(0.0, 0.01),
        clock_mhz=(1980.0, 1965.0),
        temperature_c_max=88.0,
        throttle_reasons=("hw_thermal_slowdown", "sw_power_cap"),
        throttled_samples=1,
        foreign_processes=2,
    )


def test_where_nothing_tells_the_company_is_none() -> None:
    """Without glances, and with empty ones: the record's own defaults."""
    assert summarise_company([]) == Company()
    assert summarise_company([Glance(), Glance()]) == Company()


def test_a_series_with_a_hole_is_none() -> None:
    """Two figures for three samples could belong to any two; single figures need no partner."""
    glances = [
        Glance(0.1, clock_mhz=1980.0),
        Glance(None, clock_mhz=1980.0),
        Glance(0.1, throttle_reasons=()),
    ]
    company = summarise_company(glances)
    assert (company.foreign_cpu_seconds, company.clock_mhz) == (None, None)
    assert company.throttle_reasons == ()


def test_with_every_sample_discarded_the_reasons_stay() -> None:
    """They are why there is no sample."""
    company = summarise_company([], [Glance(0.1, 0.0, 900.0, 90.0, ("hw_slowdown",), 0)] * 3)
    assert company == Company(
        temperature_c_max=90.0, throttle_reasons=("hw_slowdown",), throttled_samples=3, foreign_processes=0
    )


def test_a_quiet_company_raises_no_doubt() -> None:
    """Nothing foreign, nothing stolen, nothing held down."""
    assert company_doubts(QUIET, 2.0) == ()


@pytest.mark.parametrize(
    ("company", "doubts"),
    [
        (Company(throttle_reasons=(), foreign_cpu_seconds=(0.04, 0.06)), ()),
        (Company(throttle_reasons=(), foreign_cpu_seconds=(0.04, 0.061)), (Doubt.CONTAMINATED,)),
        (Company(throttle_reasons=(), foreign_cpu_seconds=(0.2, -0.1)), ()),
        (Company(throttle_reasons=(), steal_seconds=(0.01, 0.03)), ()),
        (Company(throttle_reasons=(), steal_seconds=(0.01, 0.031)), (Doubt.CONTAMINATED,)),
        (Company(throttle_reasons=(), foreign_processes=0), ()),
        (Company(throttle_reasons=(), foreign_processes=1), (Doubt.CONTAMINATED,)),
        (Company(throttle_reasons=("sw_power_cap",)), (Doubt.THROTTLED,)),
        (Company(throttle_reasons=(), throttled_samples=1), (Doubt.THROTTLED,)),
        (Company(clock_mhz=(2000.0,)), ()),
        (Company(), (Doubt.UNKNOWN_CLOCK,)),
        (
            Company(steal_seconds=(1.0,), throttled_samples=2),
            (Doubt.CONTAMINATED, Doubt.THROTTLED, Doubt.UNKNOWN_CLOCK),
        ),
    ],
)
def test_doubts_are_raised_beyond_the_tolerable_share(company: Company, doubts: tuple[Doubt, ...]) -> None:
    """Of one second on two processors: 5 % are .1 s of foreign time, 2 % are .04 s of steal."""
    assert (FOREIGN_CPU_SHARE, STEAL_SHARE) == (0.05, 0.02)
    assert company_doubts(company, 2.0) == doubts


def test_a_share_is_of_all_processors() -> None:
    """.2 s of a second are 10 % of two processors and 2.5 % of eight."""
    company = Company(throttle_reasons=(), foreign_cpu_seconds=(0.2,))
    assert company_doubts(company, 2.0) == (Doubt.CONTAMINATED,)
    assert company_doubts(company, 8.0) == ()
