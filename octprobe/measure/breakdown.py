"""Where the device's time goes, as torch.profiler sees it."""

from collections.abc import Iterable
from typing import Any

from torch.autograd import DeviceType  # type: ignore[attr-defined]  # torch exports it without saying so
from torch.profiler import ProfilerActivity, profile

from octprobe.measure.device import Call, Device
from octprobe.store.records import Breakdown, Doubt

# A device that is busy for less of the latency than this waits for the host.
HOST_BOUND_BELOW = 0.9
# Calls in the profiled session: one call's figures jump, and CUDA gives a process one session only.
_PROFILED_CALLS = 5


def measure_breakdown(
    call: Call, device: Device, latency_ms: float | None
) -> tuple[Breakdown, tuple[Doubt, ...]]:
    """Profile a few warmed-up calls.

    Args:
        call: one forward call.
        device: where it runs.
        latency_ms: median latency without the profiler, for the host-bound test; None where unknown.
    """
    call()
    on_cuda = device.kind == "cuda"
    activities = [ProfilerActivity.CPU] + ([ProfilerActivity.CUDA] if on_cuda else [])
    with profile(activities=activities) as profiler:
        for _ in range(_PROFILED_CALLS):
            device.time_calls_ms(call, 1)
    events = list(profiler.events() or ())
    return device_breakdown(events, latency_ms) if on_cuda else processor_breakdown(events)


def processor_breakdown(events: Iterable[Any]) -> tuple[Breakdown, tuple[Doubt, ...]]:
    """Sum the processor's own time of every operator."""
    total_us = sum(event.self_cpu_time_total for event in events)
    if not total_us:
        return Breakdown(device_time_ms=None, kernels=None, host_bound=None), (Doubt.PROFILER_EMPTY,)
    time_ms = total_us / 1e3 / _PROFILED_CALLS
    return Breakdown(device_time_ms=time_ms, kernels=None, host_bound=None), ()


def device_breakdown(events: Iterable[Any], latency_ms: float | None) -> tuple[Breakdown, tuple[Doubt, ...]]:
    """Sum and count the kernels; none at all is a doubt, never 0 ms."""
    kernels = [event for event in events if event.device_type == DeviceType.CUDA]
    if not kernels:
        return Breakdown(device_time_ms=None, kernels=None, host_bound=None), (Doubt.PROFILER_EMPTY,)
    time_ms = sum(event.self_device_time_total for event in kernels) / 1e3 / _PROFILED_CALLS
    host_bound = None if latency_ms is None else time_ms / latency_ms < HOST_BOUND_BELOW
    count = round(len(kernels) / _PROFILED_CALLS)
    return Breakdown(device_time_ms=time_ms, kernels=count, host_bound=host_bound), ()
