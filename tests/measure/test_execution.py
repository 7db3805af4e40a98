"""A workload put on a device and wrapped."""

from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from components import need
from octprobe.measure.device import CpuDevice
from octprobe.measure.execution import capture, make_runnable, place
from octprobe.plan.point import Conditions, DesignPoint, LayerSubject
from octprobe.workload import Workload, build_workload

LAYER = DesignPoint(
    subject=LayerSubject(
        in_channels=8,
        out_channels=8,
        kernel_size=3,
        stride=1,
        padding=1,
        dilation=1,
        groups=1,
        alpha_in=Decimal("0.5"),
        alpha_out=Decimal("0.5"),
    ),
    conditions=Conditions(resolution=8),
)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize("memory_format", ["contiguous", "channels_last"])
def test_module_and_example_take_the_conditions_formats(dtype: str, memory_format: str) -> None:
    """Both parts of a pair, and the weight, are in the number and memory format asked for."""
    conditions = Conditions(resolution=8, dtype=dtype, memory_format=memory_format)
    module, (high, low) = place(build_workload(LAYER), conditions, CpuDevice())
    wanted = torch.channels_last if memory_format == "channels_last" else torch.contiguous_format
    for tensor in (high, low, module.weight):
        assert tensor.dtype == getattr(torch, dtype)
        assert tensor.is_contiguous(memory_format=wanted)


def test_an_eager_call_runs_the_module() -> None:
    """The call gives what the module gives."""
    workload = build_workload(LAYER)
    with torch.inference_mode():
        high, low = make_runnable(workload, LAYER.conditions, CpuDevice()).call()
        expected = workload.module(workload.example)
    assert torch.equal(high, expected[0])
    assert torch.equal(low, expected[1])


@pytest.mark.slow
def test_a_compiled_call_gives_the_eager_result() -> None:
    """Inductor's code computes the same layer; its first call compiles."""
    need("compiler")
    workload = build_workload(LAYER)
    with torch.inference_mode():
        runnable = make_runnable(workload, Conditions(resolution=8, execution="compiled"), CpuDevice())
        high, low = runnable.call()
        expected = workload.module(workload.example)
    assert runnable.compiles
    torch.testing.assert_close(high, expected[0])
    torch.testing.assert_close(low, expected[1])


@pytest.mark.slow
def test_every_subject_of_a_worker_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Past Dynamo's limit of eight for one function, a call is still compiled, and none twice."""
    compiled: list[object] = []
    real = torch.compile

    def counting(call: object, **options: object) -> object:
        def backend(graph: Any, _: object) -> object:
            compiled.append(graph)
            return graph.forward

        return real(call, backend=backend, **options)

    monkeypatch.setattr(torch, "compile", counting)
    with torch.inference_mode():
        for size in range(6, 18):
            point = replace(LAYER, conditions=Conditions(resolution=size, execution="compiled"))
            call = make_runnable(build_workload(point), point.conditions, CpuDevice()).call
            call()
            call()
    assert len(compiled) == 12


class FakeStream:
    """A stream that writes down who waits."""

    def __init__(self, log: list[str], name: str) -> None:
        self.log, self.name = log, name

    def wait_stream(self, other: "FakeStream") -> None:
        self.log.append(f"{self.name} waits for {other.name}")


def test_a_graph_is_captured_after_calls_on_a_side_stream() -> None:
    """Three calls on the side, one under capture, then only replays."""
    log: list[str] = []
    main, side = FakeStream(log, "main"), FakeStream(log, "side")

    class Scope:
        def __init__(self, name: str) -> None:
            self.name = name

        def __enter__(self) -> None:
            log.append(f"enter {self.name}")

        def __exit__(self, *_: object) -> None:
            log.append(f"leave {self.name}")

    cuda: Any = SimpleNamespace(
        Stream=lambda: side,
        current_stream=lambda: main,
        stream=lambda _: Scope("side"),
        CUDAGraph=lambda: SimpleNamespace(replay=lambda: log.append("replay")),
        graph=lambda _: Scope("graph"),
    )

    class Logged(nn.Module):
        def forward(self, _: object) -> None:
            log.append("call")

    replay = capture(Logged(), None, cuda)
    replay()
    assert log == [
        "side waits for main",
        "enter side",
        *["call"] * 3,
        "leave side",
        "main waits for side",
        "enter graph",
        "call",
        "leave graph",
        "replay",
    ]


@pytest.mark.gpu
@pytest.mark.parametrize("execution", ["eager", "compiled", "cudagraph"])
def test_every_execution_runs_on_hardware(execution: str) -> None:
    """On a GPU each way of running completes a call."""
    need("cuda")
    from octprobe.measure.device import open_device

    with torch.inference_mode():
        workload: Workload = build_workload(LAYER)
        device = open_device("cuda")
        call = make_runnable(workload, Conditions(resolution=8, execution=execution), device).call
        assert device.time_calls_ms(call, 3) > 0
