"""Findings on clocks and company: what is said, and what to do about it."""

from pathlib import Path

import pytest

from fake_machine import FakeMachine
from fake_nvml import BOARD, FakeNvml
from octprobe.measure.company import Glance
from octprobe.measure.finding import Finding
from octprobe.measure.nvml import Gpu
from octprobe.measure.processor import Processors
from octprobe.measure.vitals import clock_findings, company_findings, gpu_findings


@pytest.fixture
def machine(tmp_path: Path) -> FakeMachine:
    """Give a machine with an empty /proc and /sys."""
    return FakeMachine(tmp_path)


def test_a_fixed_clock_can_be_relied_on(machine: FakeMachine) -> None:
    """The performance governor, and a processor that was never too hot."""
    machine.cpu(0, cpufreq__scaling_governor="performance", cpufreq__scaling_cur_freq=3_400_000)
    machine.cpu(0, thermal_throttle__package_throttle_count=0)
    machine.thread_runs_on(0)
    assert list(clock_findings(Processors(machine.root, [0]))) == [
        Finding("processor clock", "governor performance, 3400 MHz now", usable=True),
        Finding("throttling", "0 times since the start", usable=True),
    ]


def test_a_moving_clock_says_how_to_fix_it(machine: FakeMachine) -> None:
    """Another governor, and heat."""
    machine.cpu(0, cpufreq__scaling_governor="powersave", thermal_throttle__core_throttle_count=12)
    clock, throttling = clock_findings(Processors(machine.root, [0]))
    assert (clock.state, clock.usable) == ("governor powersave", False)
    assert "set the governor to performance" in (clock.reason or "")
    assert (throttling.state, throttling.usable) == ("12 times since the start", False)
    assert "cool it" in (throttling.reason or "")


def test_a_clock_without_a_governor_may_move(machine: FakeMachine) -> None:
    """Its figure is shown all the same."""
    machine.cpu(0, cpufreq__scaling_cur_freq=2_000_000)
    machine.thread_runs_on(0)
    clock, _ = clock_findings(Processors(machine.root, [0]))
    assert (clock.state, clock.usable) == ("2000 MHz now", False)


def test_a_virtual_machine_hides_both(machine: FakeMachine) -> None:
    """Unknown, with what can be trusted all the same."""
    clock, throttling = clock_findings(Processors(machine.root, [0]))
    assert (clock.state, throttling.state) == ("unknown", "unknown")
    assert "trust ratios over times" in (clock.reason or "")
    assert throttling.reason == "the machine does not count how often heat held its clock down"


def test_a_gpu_that_is_free_and_at_speed_can_be_relied_on() -> None:
    """No reason, no company."""
    assert list(gpu_findings(Gpu(FakeNvml(), BOARD, BOARD))) == [
        Finding("GPU clock", "1980 MHz, 61 degrees C", usable=True),
        Finding("GPU company", "0 other processes", usable=True),
    ]


def test_a_gpu_that_is_not_says_why() -> None:
    """Held down, and shared."""
    nvml = FakeNvml()
    nvml.bits, nvml.pids[BOARD] = 0x24, [41, 7, 8]
    assert list(gpu_findings(Gpu(nvml, BOARD, BOARD))) == [
        Finding(
            "GPU clock",
            "1980 MHz, 61 degrees C",
            usable=False,
            reason="held down by sw_power_cap, sw_thermal_slowdown; cool it or lift its limit",
        ),
        Finding(
            "GPU company",
            "2 other processes",
            usable=False,
            reason="end the other processes before measuring",
        ),
    ]


def test_a_gpu_whose_driver_is_silent_is_unknown() -> None:
    """All refused: two findings without a figure, each with a reason."""
    nvml = FakeNvml()
    nvml.refused = {name for name in dir(FakeNvml) if name.startswith("nvmlDevice")}
    clock, company = gpu_findings(Gpu(nvml, BOARD, BOARD))
    assert (clock.state, clock.usable) == ("unknown", False)
    assert (company.state, company.usable) == ("unknown", False)
    assert clock.reason == "the driver does not tell what holds it down"
    assert company.reason == "the driver hides processes, as it may in a container"


def test_without_nvml_one_finding_says_how_to_have_it() -> None:
    """The extra's name can be typed as it stands."""
    (finding,) = gpu_findings(None)
    assert (finding.subject, finding.state, finding.usable) == ("NVML", "absent", False)
    assert "octprobe[nvml]" in (finding.reason or "")


@pytest.mark.parametrize(
    ("foreign_seconds", "state", "usable"),
    [
        (0.0, "0.0% of the processors' time", True),
        (-0.01, "0.0% of the processors' time", True),
        (0.025, "5.0% of the processors' time", True),
        (0.1, "20.0% of the processors' time", False),
    ],
)
def test_foreign_time_is_a_share_of_all_processors(foreign_seconds: float, state: str, usable: bool) -> None:
    """Of a quarter of a second on two processors; below 0 there is no share."""
    foreign, steal = company_findings(Glance(foreign_seconds, 0.0), 0.25, 2)
    assert (foreign.subject, foreign.state, foreign.usable) == ("foreign CPU time", state, usable)
    assert foreign.reason == (None if usable else "close other programs before measuring")
    assert steal.usable


def test_steal_is_the_hypervisors() -> None:
    """A person inside cannot end it."""
    _, steal = company_findings(Glance(0.0, 0.02), 0.25, 2)
    assert (steal.subject, steal.usable) == ("steal", False)
    assert "trust ratios over times" in (steal.reason or "")


def test_times_that_nobody_tells_are_unknown() -> None:
    """As on macOS and in some sandboxes."""
    for finding in company_findings(Glance(), 0.25, 2):
        assert (finding.state, finding.usable) == ("unknown", False)
        assert finding.reason == "/proc/stat is absent or tells nothing"
