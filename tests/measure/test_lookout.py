"""Looking around: whose time it was, exact on processors of a test; clocks and what holds them down."""

import sys
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from components import need
from fake_machine import TICK_SECONDS, FakeProcessors
from fake_nvml import BOARD, FakeNvml
from octprobe.measure.company import Glance, Lookout
from octprobe.measure.device import CpuDevice, open_device
from octprobe.measure.lookout import (
    PROCESSOR_THROTTLE,
    GpuLookout,
    ProcessorLookout,
    gpu_of,
    open_lookout,
)
from octprobe.measure.nvml import Gpu


def lookout_on(processors: FakeProcessors) -> ProcessorLookout:
    """Look at processors that are their own clock."""
    return ProcessorLookout(processors, processors, processors.own)  # type: ignore[arg-type]  # the fake has only what is read of it


def test_what_is_neither_own_nor_idle_nor_stolen_is_others() -> None:
    """Of 2 x 1 s: .7 s own, .5 s and .3 s idle, .1 s stolen, so .4 s others'; a tick each may be rounding."""
    processors = FakeProcessors(2)
    lookout = lookout_on(processors)
    lookout.start()
    processors.pass_time(1.0, own=0.7, idle=[0.5, 0.3])
    processors.stolen_ticks += 10
    glance = lookout.read()
    assert glance.foreign_cpu_seconds == pytest.approx(0.4 - 2 * TICK_SECONDS)
    assert glance.steal_seconds == pytest.approx(0.1)


def test_rounding_is_carried_once_not_once_a_block() -> None:
    """A hundred blocks of 10 ms in which others take 3 ms each: .3 s less one tick."""
    processors = FakeProcessors(1)
    lookout = lookout_on(processors)
    total = 0.0
    for _ in range(100):
        lookout.start()
        processors.pass_time(0.01, own=0.007)
        total += lookout.read().foreign_cpu_seconds or 0.0
    assert total == pytest.approx(0.3 - TICK_SECONDS)


def test_a_block_has_its_part_of_what_came_since_the_last_look() -> None:
    """Others took 90 ms of the 150 ms since the last block ended; the block was a third of them."""
    processors = FakeProcessors(1)
    lookout = lookout_on(processors)
    processors.pass_time(0.1, own=0.04)
    lookout.start()
    processors.pass_time(0.05, own=0.02)
    assert lookout.read().foreign_cpu_seconds == pytest.approx((0.09 - TICK_SECONDS) / 3)


def test_what_came_before_a_long_pause_is_not_the_blocks() -> None:
    """While models are built for a minute others take all they like."""
    processors = FakeProcessors(1)
    lookout = lookout_on(processors)
    processors.pass_time(60.0, own=10.0)
    lookout.start()
    processors.pass_time(0.5, own=0.5)
    assert lookout.read().foreign_cpu_seconds == 0


@given(
    st.lists(
        st.tuples(st.floats(0, 0.05), st.floats(0.001, 0.05), st.floats(0, 1), st.floats(0, 1)),
        min_size=1,
        max_size=60,
    ),
    st.tuples(st.floats(0, 0.01), st.floats(0, 0.01)),
)
def test_an_idle_machine_shows_no_foreign_time(
    blocks: list[tuple[float, float, float, float]], phases: tuple[float, float]
) -> None:
    """Whatever the blocks' length and pace and the ticks' phases: what rounding explains is never charged."""
    processors = FakeProcessors(2, phases)
    lookout = lookout_on(processors)

    def work(seconds: float, own_parts: list[float]) -> None:
        idle = [seconds * (1 - part) for part in own_parts]
        processors.pass_time(seconds, own=2 * seconds - sum(idle), idle=idle)

    for gap, length, *own_parts in blocks:
        work(gap, own_parts)
        lookout.start()
        work(length, own_parts)
        assert lookout.read().foreign_cpu_seconds == pytest.approx(0, abs=1e-9)


@given(
    st.lists(
        st.tuples(st.floats(0.001, 0.2), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1)),
        min_size=1,
        max_size=60,
    ),
    st.tuples(st.floats(0, 0.01), st.floats(0, 0.01)),
)
def test_blocks_in_a_row_add_up_to_the_whole(
    blocks: list[tuple[float, float, float, float]], phases: tuple[float, float]
) -> None:
    """However many blocks the time is cut into, the sum is the whole but for a tick or two a processor.

    One tick is carried; one more is the rounding of the first look and of the last.
    """
    processors = FakeProcessors(2, phases)
    lookout = lookout_on(processors)
    told, true = 0.0, 0.0
    for length, own_part, *idle_parts in blocks:
        idle = [length * part for part in idle_parts]
        own = (2 * length - sum(idle)) * own_part
        lookout.start()
        processors.pass_time(length, own=own, idle=idle)
        told += lookout.read().foreign_cpu_seconds or 0.0
        true += 2 * length - sum(idle) - own
    assert true - told == pytest.approx(0, abs=2 * 2 * TICK_SECONDS + 1e-9)


@given(st.lists(st.floats(0.001, 0.2), min_size=1, max_size=40), st.lists(st.floats(0, 1), min_size=40))
def test_cutting_a_stretch_in_blocks_changes_nothing(lengths: list[float], parts: list[float]) -> None:
    """The blocks' sum and carry are those of one block as long as all of them, to the last digit shown."""
    cut, whole = FakeProcessors(1), FakeProcessors(1)
    cutting, looking = lookout_on(cut), lookout_on(whole)
    cut_seconds = 0.0
    looking.start()
    for length, part in zip(lengths, parts, strict=False):
        cutting.start()
        cut.pass_time(length, own=length * part)
        whole.pass_time(length, own=length * part)
        cut_seconds += cutting.read().foreign_cpu_seconds or 0.0
    assert cut_seconds == pytest.approx(looking.read().foreign_cpu_seconds, abs=1e-9)


def test_a_pace_near_the_ticks_makes_no_company() -> None:
    """Blocks of 13.2 ms, 19.8 ms apart, beside an idle processor: cut at their ends they would show 12 %."""
    processors = FakeProcessors(2, [0.0, 0.0])
    lookout = lookout_on(processors)
    cut_at_ends = 0.0
    for _ in range(30):
        processors.pass_time(0.0066, own=0.0066, idle=[0.0, 0.0066])
        lookout.start()
        before = processors.times()
        processors.pass_time(0.0132, own=0.0132, idle=[0.0, 0.0132])
        after = processors.times()
        assert before is not None
        assert after is not None
        cut_at_ends += 0.0132 - (after.idle_seconds - before.idle_seconds)
        assert lookout.read().foreign_cpu_seconds == pytest.approx(0, abs=1e-9)
    assert abs(cut_at_ends) / (30 * 2 * 0.0132) > 0.08


def test_without_proc_the_times_are_none_and_the_rest_is_told() -> None:
    """Not 0: nobody looked."""
    processors = FakeProcessors(2)
    processors.shown, processors.clock, processors.throttles = False, 2400.0, 3
    lookout = lookout_on(processors)
    lookout.start()
    processors.pass_time(0.01)
    assert lookout.read() == Glance(clock_mhz=2400.0, throttle_reasons=())


@pytest.mark.parametrize(("before", "after"), [(True, False), (False, True)])
def test_times_at_one_end_of_a_block_are_not_enough(before: bool, after: bool) -> None:
    """A file that comes or goes."""
    processors = FakeProcessors(1)
    processors.shown = before
    lookout = lookout_on(processors)
    processors.shown = after
    lookout.start()
    processors.pass_time(0.01)
    assert lookout.read() == Glance()


@pytest.mark.parametrize(
    ("before", "after", "reasons"),
    [(None, None, None), (4, 4, ()), (4, 5, (PROCESSOR_THROTTLE,)), (None, 1, None), (1, None, None)],
)
def test_a_count_that_rises_is_a_reason(
    before: int | None, after: int | None, reasons: tuple[str, ...] | None
) -> None:
    """Counted since the machine started, so only the difference says something of the block."""
    processors = FakeProcessors(1)
    processors.throttles = before
    lookout = lookout_on(processors)
    lookout.start()
    processors.throttles = after
    processors.pass_time(0.01)
    assert lookout.read().throttle_reasons == reasons


class _Host:
    """A lookout that counts its looks."""

    def __init__(self) -> None:
        self.looks: list[str] = []

    def start(self) -> None:
        self.looks.append("start")

    def read(self) -> Glance:
        self.looks.append("read")
        return Glance(
            foreign_cpu_seconds=0.5,
            steal_seconds=0.25,
            clock_mhz=3000.0,
            throttle_reasons=(PROCESSOR_THROTTLE,),
        )


def test_a_gpus_glance_has_its_own_clock_and_the_hosts_company() -> None:
    """Others on the processors delay launches; the host's clock is not the device's."""
    nvml, host = FakeNvml(), _Host()
    nvml.bits, nvml.pids[BOARD] = 0x04, [41, 7]
    lookout = GpuLookout(host, Gpu(nvml, BOARD, BOARD))
    lookout.start()
    assert nvml.asked == []
    assert lookout.read() == Glance(
        foreign_cpu_seconds=0.5,
        steal_seconds=0.25,
        clock_mhz=1980,
        temperature_c=61,
        throttle_reasons=("sw_power_cap",),
        foreign_processes=1,
    )
    assert host.looks == ["start", "read"]


def test_a_gpu_without_nvml_has_no_clock() -> None:
    """None, and by no means the host's."""
    lookout = GpuLookout(_Host(), None)
    assert lookout.read() == Glance(foreign_cpu_seconds=0.5, steal_seconds=0.25)


class _CudaDevice(CpuDevice):
    """What `open_lookout` asks of a CUDA device."""

    kind = "cuda"

    def __init__(self) -> None:
        super().__init__()
        self.torch_device = torch.device("cuda", 1)


def fake_cuda(**properties: Any) -> Any:
    """Stand in for torch.cuda, which knows one device, cuda:1."""
    return SimpleNamespace(
        get_device_properties=lambda device: {1: SimpleNamespace(**properties)}[device.index]
    )


def test_the_device_decides_who_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A processor's lookout for a processor, a GPU's for a GPU, with NVML or without it."""
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert isinstance(open_lookout(CpuDevice()), ProcessorLookout)
    lookout: Lookout = open_lookout(_CudaDevice(), fake_cuda(uuid="1234"))
    lookout.start()
    assert replace(lookout.read(), foreign_cpu_seconds=None, steal_seconds=None) == Glance()


def test_the_gpu_is_the_one_that_torch_means(monkeypatch: pytest.MonkeyPatch) -> None:
    """torch's UUID, which may be any object that prints as one; a build that has none finds no GPU."""
    monkeypatch.setitem(sys.modules, "pynvml", FakeNvml())

    class Uuid:
        def __str__(self) -> str:
            return "1234"

    found = gpu_of(_CudaDevice(), fake_cuda(uuid=Uuid()))
    assert found is not None
    assert found.clock_mhz() == 1980
    assert gpu_of(_CudaDevice(), fake_cuda(uuid="other")) is None
    assert gpu_of(_CudaDevice(), fake_cuda(name="a GPU without a UUID")) is None


def test_a_gpu_that_torch_cannot_describe_is_not_found() -> None:
    """torch raises a RuntimeError where it finds no driver."""

    def refuse(device: torch.device) -> None:
        raise RuntimeError("Found no NVIDIA driver on your system")

    assert gpu_of(_CudaDevice(), SimpleNamespace(get_device_properties=refuse)) is None


def test_a_look_at_this_machine_raises_nothing() -> None:
    """Whatever /proc and /sys hold here."""
    lookout = open_lookout(CpuDevice())
    lookout.start()
    glance = lookout.read()
    assert (glance.foreign_cpu_seconds is None) == (glance.steal_seconds is None)
    assert glance.foreign_processes is None


@pytest.mark.gpu
def test_a_real_gpu_tells_its_clock() -> None:
    """With NVML: a clock, a temperature, and this process, which is no company of its own."""
    need("cuda")
    pytest.importorskip("pynvml")
    device = open_device("cuda")
    held = torch.ones(1, device=device.torch_device)
    lookout = open_lookout(device)
    lookout.start()
    glance = lookout.read()
    assert held.is_cuda
    assert glance.clock_mhz is not None
    assert glance.clock_mhz > 0
    assert glance.throttle_reasons is not None
    assert glance.foreign_processes is None or glance.foreign_processes >= 0
