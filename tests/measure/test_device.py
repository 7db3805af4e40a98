"""The device protocol: the processor with a fake clock, CUDA behind a fake of torch.cuda."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fake_cuda import SEGMENT_BYTES, FakeCuda
from fake_device import FakeNetwork
from fakes import FakeClock, TimedCall
from octprobe.errors import MachineError, UsageError
from octprobe.measure.device import CpuDevice, CudaDevice, MonotonicClock, open_device

# Microseconds of host and device, kernel by kernel.
KERNELS = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=20)
LAUNCH_BOUND = [(10.0, 5.0)] * 100
DEVICE_BOUND = [(2.0, 50.0)] * 100


def test_the_processor_gives_the_mean_of_a_block() -> None:
    """Calls of 2, 4 and 6 ms are 4 ms a call."""
    clock = FakeClock()
    assert CpuDevice(clock).time_calls_ms(TimedCall(clock, [2.0, 4.0, 6.0]), 3) == pytest.approx(4.0)


def test_on_the_processor_back_to_back_is_the_same_time() -> None:
    """No call is issued before the one before has returned, and none is made untimed."""
    clock = FakeClock()
    call = TimedCall(clock, [2.0, 4.0, 6.0])
    assert CpuDevice(clock).time_back_to_back_ms(call, 3) == pytest.approx(4.0)
    assert call.calls == 3


def test_a_launch_bound_call_is_timed_with_its_launches() -> None:
    """100 kernels, 10 us to launch and 5 us to run: 1,005 us alone, 1,000 us from one call to the next."""
    cuda = FakeCuda()
    device, call = CudaDevice(0, cuda), FakeNetwork(cuda, LAUNCH_BOUND)
    assert device.time_calls_ms(call, 1) == 1.005
    assert device.time_back_to_back_ms(call, 7) == 1.0


def test_a_device_bound_call_waits_for_its_kernels() -> None:
    """100 kernels, 2 us to launch and 50 us to run: 5,002 us alone, 50 us a kernel back to back."""
    cuda = FakeCuda()
    device, call = CudaDevice(0, cuda), FakeNetwork(cuda, DEVICE_BOUND)
    assert device.time_calls_ms(call, 1) == 5.002
    assert device.time_back_to_back_ms(call, 7) == 5.0


@given(kernels=KERNELS, calls=st.integers(1, 5))
def test_a_latency_is_the_longest_way_from_the_first_launch_to_the_end(
    kernels: list[tuple[int, int]], calls: int
) -> None:
    """By brute force over the kernel from which on the device is never idle; at least the host's own time."""
    cuda = FakeCuda()
    ways_us = [
        sum(host for host, _ in kernels[: first + 1]) + sum(busy for _, busy in kernels[first:])
        for first in range(len(kernels))
    ]
    latency_ms = CudaDevice(0, cuda).time_calls_ms(FakeNetwork(cuda, kernels), calls)
    assert latency_ms == pytest.approx(max(ways_us) / 1e3)


@given(kernels=KERNELS, calls=st.integers(1, 5))
def test_a_period_is_the_host_or_the_device_whichever_takes_longer(
    kernels: list[tuple[int, int]], calls: int
) -> None:
    """From the first timed call on, however few there are: a call that only fills the queue is not timed."""
    cuda = FakeCuda()
    period_ms = CudaDevice(0, cuda).time_back_to_back_ms(FakeNetwork(cuda, kernels), calls)
    assert period_ms == pytest.approx(max(map(sum, zip(*kernels, strict=True))) / 1e3)


def test_the_host_waits_once_a_synchronized_call() -> None:
    """And once before the first, for whatever was on its way."""
    cuda = FakeCuda()
    CudaDevice(0, cuda).time_calls_ms(FakeNetwork(cuda, LAUNCH_BOUND), 5)
    assert cuda.waits == {"device": 1, "event": 5}


def test_the_host_waits_once_a_block_back_to_back() -> None:
    """However many calls there are; one more is made first."""
    cuda = FakeCuda()
    CudaDevice(0, cuda).time_back_to_back_ms(FakeNetwork(cuda, LAUNCH_BOUND), 5)
    assert cuda.waits == {"device": 1, "event": 1}
    assert cuda.kernels == 600


@pytest.mark.parametrize("method", ["time_calls_ms", "time_back_to_back_ms"])
def test_what_is_left_on_the_device_is_in_no_time(method: str) -> None:
    """A second of work on another stream is over before a block begins."""
    cuda = FakeCuda()
    device, call = CudaDevice(0, cuda), FakeNetwork(cuda, DEVICE_BOUND)
    alone_ms = getattr(device, method)(call, 2)
    with cuda.stream(cuda.Stream()):
        cuda.launch(0, 1e6)
    cuda.launch(0, 1e6)
    assert getattr(device, method)(call, 2) == alone_ms


def test_branches_on_streams_that_join_are_timed_to_the_longer() -> None:
    """Two branches of 400 and 700 us at once, and 100 us after both: 800 us."""
    cuda = FakeCuda()
    side = cuda.Stream()

    def call() -> None:
        side.wait_stream(cuda.current_stream())
        cuda.launch(0, 400)
        with cuda.stream(side):
            cuda.launch(0, 700)
        cuda.current_stream().wait_stream(side)
        cuda.launch(0, 100)

    assert CudaDevice(0, cuda).time_calls_ms(call, 3) == pytest.approx(0.8)


def test_two_events_serve_a_device_for_good() -> None:
    """They are made and recorded before the first block; torch would make them inside it."""
    cuda = FakeCuda()
    device, call = CudaDevice(0, cuda), FakeNetwork(cuda, LAUNCH_BOUND)
    for calls in (4, 1, 9):
        device.time_calls_ms(call, calls)
        device.time_back_to_back_ms(call, calls)
    assert cuda.events_made == 2


def test_cuda_memory_is_the_peak_above_the_start_and_the_pool_in_all() -> None:
    """Beside weights of 1 MiB a call holds 3 MiB at once: 3 MiB more, and a pool of two segments."""
    cuda = FakeCuda()
    device = CudaDevice(0, cuda)
    cuda.take(SEGMENT_BYTES // 2)
    device.start_memory_peak()
    blocks = [cuda.take(SEGMENT_BYTES), cuda.take(SEGMENT_BYTES // 2)]
    for block in blocks:
        cuda.give(block)
    cuda.give(cuda.take(SEGMENT_BYTES))
    assert device.memory_peak_bytes() == (3 * SEGMENT_BYTES // 2, 2 * SEGMENT_BYTES)


def test_what_earlier_calls_left_in_the_pool_is_in_no_peak() -> None:
    """Ten segments that were freed go back to the device before the counting begins."""
    cuda = FakeCuda()
    device = CudaDevice(0, cuda)
    cuda.give(cuda.take(10 * SEGMENT_BYTES))
    device.start_memory_peak()
    cuda.give(cuda.take(SEGMENT_BYTES))
    assert device.memory_peak_bytes() == (SEGMENT_BYTES, SEGMENT_BYTES)


def test_release_empties_cudas_pool() -> None:
    """A group's models must not take memory from the next."""
    cuda = FakeCuda()
    cuda.give(cuda.take(SEGMENT_BYTES))
    CudaDevice(0, cuda).release()
    assert cuda.memory_reserved() == 0


def test_the_processor_keeps_no_memory_peak() -> None:
    """Absent is None, never 0."""
    device = CpuDevice()
    device.start_memory_peak()
    assert device.memory_peak_bytes() == (None, None)


def test_the_monotonic_clock_never_goes_back() -> None:
    """Two readings in a row are in order."""
    clock = MonotonicClock()
    assert clock.now_ns() <= clock.now_ns()


@pytest.mark.parametrize(
    ("name", "opened", "index"),
    [
        ("cpu", "cpu", None),
        ("auto", "cuda", 0),
        ("cuda", "cuda", 0),
        ("cuda:0", "cuda", 0),
        ("cuda:1", "cuda", 1),
    ],
)
def test_a_device_is_opened_by_name(name: str, opened: str, index: int | None) -> None:
    """The device opened is the one that torch then uses by itself."""
    cuda = FakeCuda(devices=2)
    device = open_device(name, cuda)
    assert (device.kind, device.torch_device.type, device.torch_device.index) == (opened, opened, index)
    assert cuda.chosen == (index or 0)


def test_auto_without_cuda_is_the_processor() -> None:
    """A CUDA build of torch on a machine without a GPU measures the processor."""
    assert open_device("auto", FakeCuda(devices=0)).kind == "cpu"


@pytest.mark.parametrize(
    "name", ["gpu", "auto:1", "cuda:", "cuda:x", "cuda:-1", "cuda:²", "cuda:0\n", "cuda:9999", "tpu:0", ""]
)
def test_an_unknown_device_is_a_usage_error(name: str) -> None:
    """The message says which names there are."""
    with pytest.raises(UsageError, match="auto, cpu, cuda or cuda:N"):
        open_device(name)


@pytest.mark.parametrize(
    ("devices", "name", "message"),
    [
        (0, "cuda", "device cuda is not there; torch sees no CUDA device; use cpu"),
        (1, "cuda:3", "device cuda:3 is not there; torch sees cuda:0; use that or cpu"),
        (4, "cuda:4", "device cuda:4 is not there; torch sees cuda:0 to cuda:3; use one of them or cpu"),
    ],
)
def test_a_device_that_is_not_there_is_the_machines_fault(devices: int, name: str, message: str) -> None:
    """The message names what there is."""
    with pytest.raises(MachineError) as raised:
        open_device(name, FakeCuda(devices=devices))
    assert str(raised.value) == message
