"""Looks around right before and right after a block: on the processors, and on a GPU through NVML."""

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


@dataclass(frozen=True)
class _Moment:
    wall_seconds: float
    own_seconds: float
    times: ProcessorTimes | None
    throttle_count: int | None


class ProcessorLookout:
    """Looks at the processors that this process may use.

    What others took is all that the processors had, less what they were idle, what was stolen, and what this
    process ran. The kernel counts idle time exactly and shows it in ticks, while it charges what runs with
    whole ticks; so the idle column is read, not the busy ones. One block's figure is still off by up to a
    tick a processor, to either side, and may be negative. It stays so: a tick that one block lacks the next
    one has, and blocks in a row add up to the whole, which figures cut off at 0 would not.

    A child's time is foreign: it contends for the processors. A look takes some 20 microseconds (2
    processors, Linux 6.18) and lies outside the timed block.

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
        self._before = self._look()

    def start(self) -> None:
        """See `Lookout`."""
        self._before = self._look()

    def read(self) -> Glance:
        """See `Lookout`."""
        before, after = self._before, self._look()
        glance = Glance(
            clock_mhz=self._processors.clock_mhz(), throttle_reasons=_throttle_reasons(before, after)
        )
        if before.times is None or after.times is None:
            return glance
        given_seconds = self._processors.count * (after.wall_seconds - before.wall_seconds)
        own_seconds = after.own_seconds - before.own_seconds
        idle_seconds = after.times.idle_seconds - before.times.idle_seconds
        steal_seconds = after.times.steal_seconds - before.times.steal_seconds
        foreign_seconds = given_seconds - own_seconds - idle_seconds - steal_seconds
        return replace(glance, foreign_cpu_seconds=foreign_seconds, steal_seconds=steal_seconds)

    def _look(self) -> _Moment:
        return _Moment(
            wall_seconds=self._clock.now_ns() / 1e9,
            own_seconds=self._own_seconds(),
            times=self._processors.times(),
            throttle_count=self._processors.throttle_count(),
        )


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
    uuid = getattr(cuda.get_device_properties(device.torch_device), "uuid", None)
    return None if uuid is None else open_gpu(str(uuid))


def _throttle_reasons(before: _Moment, after: _Moment) -> tuple[str, ...] | None:
    if before.throttle_count is None or after.throttle_count is None:
        return None
    return (PROCESSOR_THROTTLE,) if after.throttle_count > before.throttle_count else ()
