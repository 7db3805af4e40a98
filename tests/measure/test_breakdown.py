"""Device time as the profiler gives it."""

from types import SimpleNamespace

import pytest
import torch
from torch.autograd import DeviceType

from octprobe.measure.breakdown import device_breakdown, measure_breakdown, processor_breakdown
from octprobe.measure.device import CpuDevice
from octprobe.store.records import Doubt


def kernel(time_us: float) -> SimpleNamespace:
    """Make a kernel's event."""
    return SimpleNamespace(device_type=DeviceType.CUDA, self_device_time_total=time_us, self_cpu_time_total=0)


def operator(time_us: float) -> SimpleNamespace:
    """Make an operator's event on the processor."""
    return SimpleNamespace(device_type=DeviceType.CPU, self_device_time_total=0, self_cpu_time_total=time_us)


def test_kernels_are_summed_and_counted_a_call() -> None:
    """Ten kernels of 500 us in five profiled calls are two kernels and 1 ms a call."""
    breakdown, doubts = device_breakdown([kernel(500.0)] * 10 + [operator(9.0)], latency_ms=1.05)
    assert breakdown.device_time_ms == pytest.approx(1.0)
    assert (breakdown.kernels, breakdown.host_bound, doubts) == (2, False, ())


def test_a_device_that_waits_is_host_bound() -> None:
    """1 ms busy of 2 ms is below nine tenths; without a latency nobody can tell."""
    kernels = [kernel(500.0)] * 10
    assert device_breakdown(kernels, latency_ms=2.0)[0].host_bound is True
    assert device_breakdown(kernels, latency_ms=None)[0].host_bound is None


def test_a_session_without_kernels_is_a_doubt_and_no_number() -> None:
    """Zero kernels on CUDA are the profiler's failure, never 0 ms."""
    breakdown, doubts = device_breakdown([operator(9.0)], latency_ms=1.0)
    assert (breakdown.device_time_ms, breakdown.kernels, doubts) == (None, None, (Doubt.PROFILER_EMPTY,))


def test_a_processor_session_without_events_is_a_doubt_too() -> None:
    """The processor's empty session gives no number either."""
    breakdown, doubts = processor_breakdown([])
    assert (breakdown.device_time_ms, doubts) == (None, (Doubt.PROFILER_EMPTY,))


def test_a_real_session_on_the_processor_has_time_and_no_kernels() -> None:
    """A matrix product takes time; kernels are a word of accelerators."""
    matrix = torch.ones(256, 256)
    breakdown, doubts = measure_breakdown(lambda: matrix @ matrix, CpuDevice(), latency_ms=1.0)
    assert breakdown.device_time_ms is not None
    assert breakdown.device_time_ms > 0
    assert (breakdown.kernels, breakdown.host_bound, doubts) == (None, None, ())
