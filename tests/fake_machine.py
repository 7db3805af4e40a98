"""A machine's /proc and /sys in a folder of a test, and processors whose time runs as a test says."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from octprobe.measure.processor import ProcessorTimes

TICK_SECONDS = 0.01


class FakeMachine:
    """Writes the kernel's files under a folder, `root`, as `Processors` reads them."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def stat(self, ticks: Mapping[int, Sequence[int]]) -> None:
        """Write /proc/stat: the sum, the columns of each processor, and what follows them."""
        lines = [f"cpu{number} {' '.join(map(str, columns))}" for number, columns in ticks.items()]
        total = [sum(column) for column in zip(*ticks.values(), strict=True)]
        self.write(
            "proc/stat", "\n".join([f"cpu  {' '.join(map(str, total))}", *lines, "intr 9 1 2", "ctxt 7"])
        )

    def thread_runs_on(self, number: int, name: str = "python") -> None:
        """Write /proc/thread-self/stat of a thread that was last seen on a processor."""
        between = " ".join(["0"] * 35)
        self.write("proc/thread-self/stat", f"17 ({name}) R {between} {number} 0 0 0")

    def cpu(self, number: int, **files: object) -> None:
        """Write files of a processor; `__` in a name is a folder's end."""
        for name, value in files.items():
            self.write(f"sys/devices/system/cpu/cpu{number}/{name.replace('__', '/')}", f"{value}\n")

    def write(self, name: str, text: str) -> None:
        """Write any file."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


class FakeProcessors:
    """Processors that are idle, stolen and throttled as a test says, shown in the kernel's ticks.

    Attributes:
        wall_seconds: time since the start.
        own_seconds: what the process has run.
        idle_seconds: by processor, to the nanosecond.
        stolen_ticks: of all processors.
        throttles: times that heat held the clock down; None where nobody counts.
        shown: whether there is a /proc/stat.
    """

    def __init__(self, count: int, idle_seconds: Sequence[float] | None = None) -> None:
        self.count = count
        self.wall_seconds = 100.0
        self.own_seconds = 0.0
        self.idle_seconds = list(idle_seconds or [0.0] * count)
        self.stolen_ticks = 0
        self.throttles: int | None = None
        self.clock: float | None = None
        self.shown = True

    def now_ns(self) -> int:
        """Give the time: the processors are a test's clock too."""
        return round(self.wall_seconds * 1e9)

    def own(self) -> float:
        """Give what the process has run."""
        return self.own_seconds

    def pass_time(self, seconds: float, *, own: float = 0.0, idle: Sequence[float] = ()) -> None:
        """Let time pass; what is neither own nor idle was others'."""
        self.wall_seconds += seconds
        self.own_seconds += own
        for number, idle_seconds in enumerate(idle):
            self.idle_seconds[number] += idle_seconds

    def times(self) -> ProcessorTimes | None:
        """Give the times, each processor's rounded down to ticks."""
        if not self.shown:
            return None
        ticks = sum(math.floor(seconds / TICK_SECONDS + 1e-9) for seconds in self.idle_seconds)
        return ProcessorTimes(ticks * TICK_SECONDS, self.stolen_ticks * TICK_SECONDS, TICK_SECONDS)

    def clock_mhz(self) -> float | None:
        """Give the clock."""
        return self.clock

    def throttle_count(self) -> int | None:
        """Give the count."""
        return self.throttles
