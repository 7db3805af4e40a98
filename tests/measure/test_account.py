"""A point accounted for on the processor: each step on its own, and a wrong output is a failed point."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from components import need
from fakes_store import small_layer
from octprobe.measure import account as module
from octprobe.measure.execution import Runnable, make_runnable
from octprobe.measure.instrument import TorchInstrument
from octprobe.plan.point import DesignPoint
from octprobe.store.records import Measurement, Status


def account_of(**conditions: object) -> Measurement:
    """Account for a small octave layer under some conditions."""
    point: DesignPoint = small_layer()
    point = replace(point, conditions=replace(point.conditions, **conditions))
    return TorchInstrument("cpu").account(point, 1.0)


def test_an_account_has_cost_memory_and_device_time() -> None:
    """All three figures, no reason and no doubt."""
    account = account_of()
    assert account.cost is not None
    assert account.cost.macs == 4 * 4 * 9 * (64 + 3 * 16)
    assert account.memory is not None
    assert account.memory.peak_allocator_bytes is not None
    assert account.breakdown is not None
    assert account.breakdown.device_time_ms is not None
    assert (account.reason, account.doubts) == (None, ())


@pytest.mark.parametrize("what", ["measure_memory", "measure_breakdown"])
def test_one_failing_pass_costs_its_own_figure_only(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """The row keeps what the other passes gave, and says what is missing."""

    def broken(*_: object) -> None:
        raise RuntimeError("the profiler is broken")

    monkeypatch.setattr(module, what, broken)
    account = account_of()
    assert account.cost is not None
    assert (account.memory is None) == (what == "measure_memory")
    assert (account.breakdown is None) == (what == "measure_breakdown")
    assert "the profiler is broken" in (account.reason or "")


def test_an_account_tells_how_far_an_output_is_from_eager_float32() -> None:
    """In bfloat16 by some thousandths, and that is no fault."""
    account = account_of(dtype="bfloat16")
    assert (account.status, account.reason) == (Status.MEASURED, None)
    assert 1e-4 < account.output_error < 1e-2


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["infer", "train"])
def test_a_compiled_point_computes_what_eager_does(mode: str) -> None:
    """Inductor's code is within float32's rounding, and its compilation is part of the building."""
    need("compiler")
    account = account_of(execution="compiled", mode=mode)
    assert (account.status, account.reason) == (Status.MEASURED, None)
    assert account.output_error < 1e-5
    assert account.seconds.build > account.seconds.check


def spoiled(change: Callable[[torch.Tensor], torch.Tensor]) -> Callable[..., Runnable]:
    """Give a `make_runnable` whose calls give something else than the module."""

    def make(*arguments: object) -> Runnable:
        runnable = make_runnable(*arguments)
        return replace(runnable, call=lambda: tuple(map(change, runnable.call())))

    return make


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        (lambda tensor: 2 * tensor, 1.0, "the output is 1 away from eager float32's"),
        (lambda tensor: tensor / 0, None, "the output has NaN or infinity where eager float32 has none"),
        (lambda tensor: tensor[:, :1], None, "the output's shapes are"),
    ],
    ids=["gross", "infinite", "shape"],
)
def test_a_wrong_output_fails_the_point_and_keeps_its_figures(
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[torch.Tensor], torch.Tensor],
    error: float | None,
    said: str,
) -> None:
    """The time of a wrong answer is worth nothing; what was read stays for whoever looks into it."""
    monkeypatch.setattr(module, "make_runnable", spoiled(change))
    account = account_of()
    assert account.status is Status.FAILED
    assert (account.reason or "").startswith(said)
    assert account.output_error == (error if error is None else pytest.approx(error))
    assert None not in (account.cost, account.memory, account.breakdown)


@pytest.mark.parametrize("what", ["find_reference", "check_output"])
def test_a_check_that_cannot_be_made_fails_no_point(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """Such as a reference that does not fit where half precision does."""

    def broken(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(module, what, broken)
    account = account_of()
    assert (account.status, account.output_error) == (Status.MEASURED, None)
    assert account.reason == "no output check: OutOfMemoryError: CUDA out of memory"
    assert None not in (account.cost, account.memory, account.breakdown)


def test_a_call_that_raises_is_told_once_for_each_figure_it_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is counted without it stays."""

    def broken(_: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("no such kernel")

    monkeypatch.setattr(module, "make_runnable", spoiled(broken))
    account = account_of()
    assert account.cost is not None
    assert (account.memory, account.breakdown, account.output_error) == (None, None, None)
    assert account.reason == "; ".join(
        f"no {what}: RuntimeError: no such kernel" for what in ("first call", "memory", "device time")
    )


def test_an_account_says_how_long_each_pass_took() -> None:
    """Every pass but those of the timing worker."""
    seconds = account_of().seconds
    passes = (seconds.build, seconds.cost, seconds.memory, seconds.breakdown, seconds.check)
    assert all(spent is not None and spent > 0 for spent in passes)
    assert (seconds.warm_up, seconds.latency) == (None, None)
