"""The allocator's records in a trace."""

import pytest

from fake_trace import JsonEvent, host, memory
from octprobe.trace.memory import peak_allocated_bytes
from octprobe.trace.timeline import build_timeline


def peak(*events: JsonEvent) -> int | None:
    """Read the peak out of events."""
    return peak_allocated_bytes(build_timeline(events, with_memory=True))


def at(address: int, ts: float, size: int, *, tid: int = 1) -> JsonEvent:
    """Make a record of the newer schema, which has the address."""
    record = memory(ts, size)
    return record | {"tid": tid, "args": record["args"] | {"Addr": address}}


def in_convolution(*inner: JsonEvent, operator: str = "aten::mkldnn_convolution") -> int | None:
    """Give the peak of a call of 10 bytes beside one convolution from 10 to 90 us."""
    kept = (at(1, 5, 10), at(1, 95, -10))
    return peak(host("aten::conv2d", 8, 84), host(operator, 10, 80), *kept, *inner)


def test_the_peak_is_the_highest_running_sum_in_time_order() -> None:
    """Records out of order are put in order: 100, 300, 200, 250."""
    assert (
        peak(memory(3, -100), memory(1, 100), memory(4, 50), memory(2, 200), host("aten::add", 1, 1)) == 300
    )


def test_the_peak_is_above_the_start() -> None:
    """What was held before and is let go cannot make the peak negative."""
    assert peak(memory(1, -500), memory(2, 100)) == 0


def test_other_devices_are_left_out() -> None:
    """A CUDA record is no processor memory."""
    assert peak(memory(1, 700, device_type=1), memory(2, 100)) == 100


def test_a_call_that_takes_nothing_has_a_peak_of_0() -> None:
    """Operators were recorded, so records would have been too; without either there is no figure."""
    assert peak(host("aten::relu_", 1, 1)) == 0
    assert peak() is None
    assert peak(memory(1, 700, device_type=1)) is None


@pytest.mark.parametrize(
    "operator", ["aten::mkldnn_convolution", "aten::convolution_backward", "mkldnn::_linear_pointwise"]
)
def test_what_onednn_takes_and_gives_back_is_scratch(operator: str) -> None:
    """Made directly in its operator and freed before the end; an address may serve twice."""
    scratch = (at(2, 20, 500), at(2, 30, -500), at(2, 40, 700), at(2, 50, -700))
    assert in_convolution(*scratch, operator=operator) == 10


def test_a_tensor_is_no_scratch() -> None:
    """Kept beyond the operator's end, or taken by torch's own operators within it."""
    assert in_convolution(at(2, 20, 500), at(2, 90, -500)) == 510
    assert in_convolution(at(2, 20, 500)) == 510
    assert in_convolution(host("aten::empty", 15, 10), at(2, 20, 500), at(2, 30, -500)) == 510


def test_other_operators_have_no_scratch() -> None:
    """What a compiler's call takes and gives back are true tensors."""
    assert in_convolution(at(2, 20, 500), at(2, 30, -500), operator="## Call CompiledFxGraph ##") == 510


def test_the_operator_is_sought_on_the_records_own_thread() -> None:
    """Another thread's allocation meanwhile is none of the convolution's."""
    assert in_convolution(at(2, 20, 500, tid=2), at(2, 30, -500, tid=2)) == 510


def test_without_addresses_nothing_is_told_apart() -> None:
    """The older schema has none."""
    assert in_convolution(memory(20, 500), memory(30, -500)) == 510
