"""Reading /proc and /sys: exact on files of a test, plausible on the machine that runs it."""

import os
import platform
import time
from pathlib import Path

import pytest

from fake_machine import FakeMachine
from octprobe.measure.processor import Processors, ProcessorTimes, cpu_flags, cpu_model

# user nice system idle iowait irq softirq steal guest guest_nice
_BUSY = (500, 1, 200, 1000, 30, 2, 3, 7, 40, 0)
_IDLE = (10, 0, 20, 9000, 0, 0, 0, 1, 0, 0)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeMachine:
    """Give a machine of 100 ticks a second with an empty /proc and /sys."""
    monkeypatch.setattr(os, "sysconf", {"SC_CLK_TCK": 100}.__getitem__)
    return FakeMachine(tmp_path)


def test_times_are_summed_over_the_processors_that_may_be_used(machine: FakeMachine) -> None:
    """Two of three count: 1000 + 30 and 9000 ticks idle, 7 + 1 stolen; who waits for a disk is idle."""
    machine.stat({0: _BUSY, 1: (0, 0, 0, 5, 5, 0, 0, 5, 0, 0), 2: _IDLE})
    assert Processors(machine.root, [0, 2]).times() == ProcessorTimes(100.3, 0.08, 0.01)


def test_a_number_is_not_taken_for_its_beginning(machine: FakeMachine) -> None:
    """Processor 1 is neither 10 nor the sum of all."""
    machine.stat({1: _BUSY, 10: _IDLE})
    assert Processors(machine.root, [1]).times() == ProcessorTimes(10.3, 0.07, 0.01)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "cpu  0 0 0 0 0 0 0 0 0 0\ncpu0 0 0 0 0 0 0 0 0 0 0\n",
        "cpu  1 2 3 4\ncpu0 1 2 3 4\n",
        "cpu  1 2 3 4 5 6 7 8\ncpu0 1 2 three 4 5 6 7 8\n",
        "cpu  1 2 3 4 5 6 7 8\ncpuidle 1 2 3 4 5 6 7 8\n",
        "cpu  1 2 3 4 5 6 7 8\ncpu1 1 2 3 4 5 6 7 8\n",
        "processor times of some other system\n",
    ],
    ids=["empty", "gvisor", "old kernel", "no number", "no processor", "another processor", "other"],
)
def test_an_odd_stat_tells_nothing(machine: FakeMachine, text: str) -> None:
    """Absent is None, never 0 and never an exception."""
    machine.write("proc/stat", text)
    assert Processors(machine.root, [0]).times() is None


def test_where_there_is_no_proc_and_no_sys_everything_is_none(machine: FakeMachine) -> None:
    """As on macOS and Windows."""
    processors = Processors(machine.root, [0, 1])
    assert (processors.times(), processors.clock_mhz(), processors.governor()) == (None, None, None)
    assert processors.throttle_count() is None


def test_a_system_without_ticks_tells_nothing(machine: FakeMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows has no os.sysconf."""
    machine.stat({0: _BUSY})
    monkeypatch.delattr(os, "sysconf")
    assert Processors(machine.root, [0]).times() is None


@pytest.mark.parametrize("name", ["python", "my ) R 1 thread"])
def test_the_clock_is_that_of_the_processor_that_runs_the_thread(machine: FakeMachine, name: str) -> None:
    """3.4 GHz of processor 1, not the first one's; a thread's name may hold anything."""
    machine.cpu(0, cpufreq__scaling_cur_freq=800_000)
    machine.cpu(1, cpufreq__scaling_cur_freq=3_400_123)
    machine.thread_runs_on(1, name)
    assert Processors(machine.root, [0, 1]).clock_mhz() == pytest.approx(3400.123)


@pytest.mark.parametrize("shown", ["<unsupported>", ""])
def test_a_clock_that_is_no_number_is_none(machine: FakeMachine, shown: str) -> None:
    """Some drivers write words into the file."""
    machine.cpu(0, cpufreq__scaling_cur_freq=shown)
    machine.thread_runs_on(0)
    assert Processors(machine.root, [0]).clock_mhz() is None


def test_a_package_is_counted_once(machine: FakeMachine) -> None:
    """Two packages of two processors: 5 + 7, whatever their cores count."""
    for number, (package, count) in enumerate([(0, 5), (0, 5), (1, 7), (1, 7)]):
        machine.cpu(number, topology__physical_package_id=package)
        machine.cpu(
            number, thermal_throttle__package_throttle_count=count, thermal_throttle__core_throttle_count=3
        )
    assert Processors(machine.root, range(4)).throttle_count() == 12
    assert Processors(machine.root, [2]).throttle_count() == 7


def test_old_processors_count_by_core(machine: FakeMachine) -> None:
    """Without a package's count those of the cores are added."""
    machine.cpu(0, thermal_throttle__core_throttle_count=3)
    machine.cpu(1, thermal_throttle__core_throttle_count=4)
    assert Processors(machine.root, [0, 1]).throttle_count() == 7


def test_the_count_is_read_anew(machine: FakeMachine) -> None:
    """A count that rises is seen; one that vanishes is None."""
    machine.cpu(0, thermal_throttle__package_throttle_count=0)
    processors = Processors(machine.root, [0])
    assert processors.throttle_count() == 0
    machine.cpu(0, thermal_throttle__package_throttle_count=2)
    assert processors.throttle_count() == 2
    (machine.root / "sys/devices/system/cpu/cpu0/thermal_throttle/package_throttle_count").unlink()
    assert processors.throttle_count() is None


def test_the_governor_is_that_of_the_first_processor(machine: FakeMachine) -> None:
    """Of those that may be used."""
    machine.cpu(0, cpufreq__scaling_governor="powersave")
    machine.cpu(2, cpufreq__scaling_governor="performance")
    assert Processors(machine.root, [3, 2]).governor() == "performance"
    assert Processors(machine.root, [0, 2]).governor() == "powersave"
    assert Processors(machine.root, [1]).governor() is None


def test_the_model_is_the_kernels_word(machine: FakeMachine) -> None:
    """The first processor's model name; without the file Python's word."""
    assert cpu_model(machine.root)
    machine.write(
        "proc/cpuinfo",
        "processor\t: 0\nmodel name\t: AMD EPYC: 7003\nflags\t: sse avx2\n\nmodel name\t: other\n",
    )
    assert cpu_model(machine.root) == "AMD EPYC: 7003"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("flags\t\t: fpu avx512_bf16", {"fpu", "avx512_bf16"}),
        ("Features\t: fp bf16", {"fp", "bf16"}),
        ("", set()),
    ],
)
def test_instructions_are_called_flags_or_features(
    machine: FakeMachine, line: str, expected: set[str]
) -> None:
    """x86 and Arm name them differently; a machine that names none has none that count."""
    machine.write("proc/cpuinfo", f"processor\t: 0\n{line}\n")
    assert cpu_flags(machine.root) == expected


@pytest.mark.skipif(platform.system() != "Linux", reason="there is a /proc on Linux")
def test_this_machines_times_lie_within_its_own_age() -> None:
    """The processors cannot have been idle and stolen for longer than the machine has run."""
    processors = Processors()
    times = processors.times()
    age_seconds = time.clock_gettime(time.CLOCK_BOOTTIME)
    if times is not None:  # a sandbox may hide them
        assert 0 <= times.idle_seconds + times.steal_seconds <= processors.count * (age_seconds + 1)
    assert processors.count == len(os.sched_getaffinity(0))
