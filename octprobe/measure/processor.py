"""What /proc and /sys tell of the processors that this process may use; where they do not, None."""

import os
import platform
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path("/")
_CPUS = Path("sys/devices/system/cpu")
# Places of a processor's columns in /proc/stat, and of the processor in a thread's stat after its name
# (proc_stat(5) and proc_pid_stat(5)).
_IDLE, _IOWAIT, _STEAL = 3, 4, 7
_LAST_RUN_ON = 36


@dataclass(frozen=True)
class ProcessorTimes:
    """Seconds since the machine started, summed over the processors that this process may use.

    Attributes:
        idle_seconds: nothing ran, whether or not a process waited for a disk.
        steal_seconds: the hypervisor ran others.
        tick_seconds: the step that the kernel rounds each processor's time down to.
    """

    idle_seconds: float
    steal_seconds: float
    tick_seconds: float


class Processors:
    """The processors that this process may use, read anew at each call.

    A call takes some 20 microseconds on two processors (Linux 6.18), so no file need be kept open.

    Args:
        root: the folder that holds `proc` and `sys`.
        numbers: the kernel's numbers of the processors; those that this process may use where None.
    """

    def __init__(self, root: Path = _ROOT, numbers: Collection[int] | None = None) -> None:
        self._root = root
        self._numbers = frozenset(usable_numbers() if numbers is None else numbers)
        self._throttle_files = self._find_throttle_files()

    @property
    def count(self) -> int:
        """How many processors this process may use."""
        return len(self._numbers)

    def times(self) -> ProcessorTimes | None:
        """Read how long the processors were idle, and how long stolen."""
        try:
            ticks = self._read_ticks()
            tick_seconds = 1 / os.sysconf("SC_CLK_TCK")
            idle = sum(columns[_IDLE] + columns[_IOWAIT] for columns in ticks)
            steal = sum(columns[_STEAL] for columns in ticks)
        except (OSError, ValueError, IndexError, AttributeError):  # no Linux, or something else in the file
            return None
        # A sandbox such as gVisor shows the file with nothing but zeros in it.
        if len(ticks) < self.count or not all(map(any, ticks)):
            return None
        return ProcessorTimes(idle * tick_seconds, steal * tick_seconds, tick_seconds)

    def clock_mhz(self) -> float | None:
        """Read the present clock of the processor that this thread runs on.

        The figure in /proc/cpuinfo is not used: on virtual machines it never changes.
        """
        thread = _read_text(self._root / "proc/thread-self/stat")
        after_name = (thread or "").rpartition(")")[2].split()
        if len(after_name) <= _LAST_RUN_ON:
            return None
        clock_file = self._root / _CPUS / f"cpu{after_name[_LAST_RUN_ON]}" / "cpufreq/scaling_cur_freq"
        clock_khz = _read_whole(clock_file)
        return None if clock_khz is None else clock_khz / 1e3

    def throttle_count(self) -> int | None:
        """Read how often heat has held the clock down since the machine started."""
        counts = [_read_whole(path) for path in self._throttle_files]
        known = [count for count in counts if count is not None]
        return sum(known) if known else None

    def governor(self) -> str | None:
        """Read the frequency governor of the first of the processors."""
        return _read_text(self._folder(min(self._numbers, default=0)) / "cpufreq/scaling_governor")

    def _folder(self, number: int) -> Path:
        return self._root / _CPUS / f"cpu{number}"

    def _read_ticks(self) -> list[list[int]]:
        """Read the columns of the processors' own lines, which are the first of the file."""
        ticks = []
        with (self._root / "proc/stat").open() as lines:
            for line in lines:
                name, *columns = line.split()
                if not name.startswith("cpu"):
                    break
                if name != "cpu" and int(name.removeprefix("cpu")) in self._numbers:
                    ticks.append([int(column) for column in columns])
        return ticks

    def _find_throttle_files(self) -> list[Path]:
        """Find a count a package, which is as hot as its hottest core; on old processors, a count a core."""
        packages: dict[str | None, Path] = {}
        for folder in map(self._folder, sorted(self._numbers)):
            package = folder / "thermal_throttle/package_throttle_count"
            if package.is_file():
                packages.setdefault(_read_text(folder / "topology/physical_package_id"), package)
        cores = [self._folder(number) / "thermal_throttle/core_throttle_count" for number in self._numbers]
        return list(packages.values()) or [core for core in cores if core.is_file()]


def cpu_model(root: Path = _ROOT) -> str:
    """Give the processor's model as the kernel names it, or as Python does where the kernel is silent."""
    return _cpuinfo(root).get("model name") or platform.processor() or platform.machine()


def cpu_flags(root: Path = _ROOT) -> frozenset[str]:
    """Give the names of the instructions that the processor has: x86's `flags`, Arm's `Features`."""
    described = _cpuinfo(root)
    return frozenset((described.get("flags") or described.get("Features") or "").split())


def _cpuinfo(root: Path) -> dict[str, str]:
    """Read what the kernel says of the first processor."""
    first = (_read_text(root / "proc/cpuinfo") or "").partition("\n\n")[0]
    fields = (line.partition(":") for line in first.splitlines())
    return {name.strip(): value.strip() for name, _, value in fields}


def usable_numbers() -> Collection[int]:
    """Give the kernel's numbers of the processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return os.sched_getaffinity(0)
    return range(os.cpu_count() or 1)


def _read_text(path: Path) -> str | None:
    try:
        return path.read_text(errors="replace").strip() or None
    except OSError:
        return None


def _read_whole(path: Path) -> int | None:
    text = _read_text(path)
    return int(text) if text and text.isdecimal() else None
