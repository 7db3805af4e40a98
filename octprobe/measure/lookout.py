"""Looking around while blocks are timed: at the processors, and at a GPU through NVML."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch

from octprobe.measure.company import Glance, Lookout
from octprobe.measure.device import Clock, Device, MonotonicClock
from octprobe.measure.nvml import Gpu, open_gpu
from octprobe.measure.processor import Processors, ProcessorTimes

# What holds a processor's clock down; a GPU's reasons have NVML's names.
PROCESSOR_THROTTLE = "thermal_throttle"
# Blocks of a round follow each other faster; what came before a longer pause says nothing of the next block.
_STALE_SECONDS = 1.0


@dataclass(frozen=True)
class _Moment:
    wall_seconds: float
    own_seconds: float
    times: ProcessorTimes | None
    throttle_count: int | None


class ProcessorLookout:
    """Looks at the processors that this process may use.

    What others took is all that the processors had, less what they were idle, what was stolen, and what this
    process ran. A child's time is others': it contends for the processors too. Idle time is read, as the
    kernel measures it; time that something ran it estimates, by who runs when the tick comes.

    The kernel shows whole ticks, of 10 ms. Blocks that recur at nearly that pace see a tick each, or none,
    for long: read at both their ends, blocks of 13 ms on an idle machine show up to 10 % of foreign time. So
    ticks are read at the ends of blocks only, and a block has its part of what came since the one before;
    and what rounding can explain, a tick a processor, is carried on to the next block. Whatever their
    number, blocks in a row add up to the whole but for that one carry, and an idle machine shows 0.

    The look after a block takes 50 microseconds (2 processors, Linux 6.18), that before it less than one.

    Args:
        processors: what is read.
        clock: tells how long a block took.
        own_seconds: tells this process's own processor time.
    """

    def __init__(
        self,
        processors: Processors | None = None,
        clock: Clock | None = None,
        own_seconds: Callable[[], float] = time.process_time,
    ) -> None:
        self._processors = processors or Processors()
        self._clock = clock or MonotonicClock()
        self._own_seconds = own_seconds
        self._carried_seconds = 0.0
        self._last = self._look()
        self._block_start_seconds = self._last.wall_seconds

    def start(self) -> None:
        """See `Lookout`."""
        if self._now_seconds() - self._last.wall_seconds > _STALE_SECONDS:
            self._last = self._look()
            self._carried_seconds = 0.0
        self._block_start_seconds = self._now_seconds()

    def read(self) -> Glance:
        """See `Lookout`."""
        last, now = self._last, self._look()
        self._last = now
        glance = Glance(clock_mhz=self._processors.clock_mhz(), throttle_reasons=_reasons(last, now))
        if last.times is None or now.times is None:
            return glance
        elapsed_seconds = now.wall_seconds - last.wall_seconds
        block_part = (now.wall_seconds - self._block_start_seconds) / elapsed_seconds
        steal_seconds = now.times.steal_seconds - last.times.steal_seconds
        used_seconds = self._processors.count * elapsed_seconds - steal_seconds
        used_seconds -= now.times.idle_seconds - last.times.idle_seconds
        foreign_seconds = used_seconds - (now.own_seconds - last.own_seconds)
        return replace(
            glance,
            foreign_cpu_seconds=block_part * self._beyond_rounding(foreign_seconds, now.times.tick_seconds),
            steal_seconds=block_part * steal_seconds,
        )

    def _beyond_rounding(self, seconds: float, tick_seconds: float) -> float:
        """Give what rounding cannot explain, and carry the rest."""
        total_seconds = self._carried_seconds + seconds
        most_seconds = self._processors.count * tick_seconds
        self._carried_seconds = min(max(total_seconds, -most_seconds), most_seconds)
        return total_seconds - self._carried_seconds

    def _look(self) -> _Moment:
        return _Moment(
            wall_seconds=self._now_seconds(),
            own_seconds=self._own_seconds(),
            times=self._processors.times(),
            throttle_count=self._processors.throttle_count(),
        )

    def _now_seconds(self) -> float:
        return self._clock.now_ns() / 1e9


class GpuLookout:
    """Looks at a GPU, and at the processors that launch its work.

    Args:
        host: looks at the processors.
        gpu: what is read; None where NVML does not tell.
    """

    def __init__(self, host: Lookout, gpu: Gpu | None) -> None:
        self._host = host
        self._gpu = gpu

    def start(self) -> None:
        """See `Lookout`; NVML is asked after a block only."""
        self._host.start()

    def read(self) -> Glance:
        """See `Lookout`; the clock is the GPU's, never the host's."""
        glance = replace(self._host.read(), clock_mhz=None, throttle_reasons=None)
        if self._gpu is None:
            return glance
        return replace(
            glance,
            clock_mhz=self._gpu.clock_mhz(),
            temperature_c=self._gpu.temperature_c(),
            throttle_reasons=self._gpu.throttle_reasons(),
            foreign_processes=self._gpu.foreign_processes(),
        )


def open_lookout(device: Device, cuda: Any = torch.cuda) -> Lookout:
    """Open what looks around on a device.

    Args:
        device: where calls run.
        cuda: torch.cuda or what stands in for it in a test.
    """
    if device.kind != "cuda":
        return ProcessorLookout()
    return GpuLookout(ProcessorLookout(), gpu_of(device, cuda))


def gpu_of(device: Device, cuda: Any = torch.cuda) -> Gpu | None:
    """Find a CUDA device through NVML; None where NVML or the device's UUID cannot be had."""
    try:
        uuid = getattr(cuda.get_device_properties(device.torch_device), "uuid", None)
    except RuntimeError:  # as torch says where it finds no driver
        return None
    return None if uuid is None else open_gpu(str(uuid))


def _reasons(last: _Moment, now: _Moment) -> tuple[str, ...] | None:
    if last.throttle_count is None or now.throttle_count is None:
        return None
    return (PROCESSOR_THROTTLE,) if now.throttle_count > last.throttle_count else ()
