"""A workload put on a device and wrapped."""

import warnings
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from components import need
from fake_cuda import FakeCuda
from fake_device import FakeCudaDevice
from fakes_store import small_layer
from octprobe.errors import ConversionError
from octprobe.measure.device import CpuDevice
from octprobe.measure.execution import Runnable, capture, in_force, lacks_tf32, make_runnable, place
from octprobe.octave.pack import Packing
from octprobe.plan.point import Conditions, DesignPoint, NetworkSubject
from octprobe.workload import Workload, build_workload, loss_of

LAYER = small_layer()
NETWORK = DesignPoint(
    subject=NetworkSubject(network="resnet18", alpha=Decimal("0.5")),
    conditions=Conditions(resolution=33, batch=2, mode="train"),
)


def under(point: DesignPoint, **changes: object) -> DesignPoint:
    """Give a point under other conditions."""
    return replace(point, conditions=replace(point.conditions, **changes))


def ready(point: DesignPoint) -> Runnable:
    """Build a point and make it ready on the processor."""
    return make_runnable(build_workload(point), point.conditions, CpuDevice())


def gradients(module: nn.Module) -> dict[str, torch.Tensor]:
    """Give copies of a module's gradients by name; every parameter must have one."""
    found = {name: parameter.grad for name, parameter in module.named_parameters()}
    assert all(gradient is not None for gradient in found.values())
    return {name: gradient.clone() for name, gradient in found.items() if gradient is not None}


@pytest.mark.parametrize("dtype", ["float32", "tf32", "bfloat16", "float16"])
@pytest.mark.parametrize("memory_format", ["contiguous", "channels_last"])
def test_module_and_example_take_the_conditions_formats(dtype: str, memory_format: str) -> None:
    """Both parts of a pair, and the weight, are in the number and memory format asked for."""
    conditions = Conditions(resolution=8, dtype=dtype, memory_format=memory_format)
    module, (high, low) = place(build_workload(LAYER), conditions, CpuDevice())
    wanted = torch.channels_last if memory_format == "channels_last" else torch.contiguous_format
    for tensor in (high, low, module.weight):
        assert tensor.dtype == (torch.float32 if dtype == "tf32" else getattr(torch, dtype))
        assert tensor.is_contiguous(memory_format=wanted)


def test_a_layers_input_still_wants_its_gradient_where_it_was_placed() -> None:
    """The placed tensors are the leaves: they get the gradients."""
    point = under(LAYER, mode="train", dtype="bfloat16", memory_format="channels_last")
    _, pair = place(build_workload(point), point.conditions, CpuDevice())
    assert all(tensor.requires_grad and tensor.is_leaf for tensor in pair)


def test_an_eager_call_runs_the_module() -> None:
    """The call gives what the module gives."""
    workload = build_workload(LAYER)
    with in_force(LAYER.conditions):
        high, low = make_runnable(workload, LAYER.conditions, CpuDevice()).call()
        expected = workload.module(workload.example)
    assert torch.equal(high, expected[0])
    assert torch.equal(low, expected[1])


def test_inference_is_without_gradients_and_training_with_them() -> None:
    """Also where the other mode is around it."""
    with torch.inference_mode(), in_force(Conditions(mode="train")):
        assert torch.is_grad_enabled()
        assert not torch.is_inference_mode_enabled()
    with in_force(Conditions(mode="infer")):
        assert torch.is_inference_mode_enabled()
    assert not torch.is_inference_mode_enabled()


def tf32() -> tuple[bool, bool]:
    """Tell whether convolutions and matrix products may use TF32."""
    return torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32


@pytest.mark.parametrize("before", [(True, False), (False, False), (True, True)])
def test_tf32_is_what_the_point_asks_for_and_then_what_it_was(before: tuple[bool, bool]) -> None:
    """torch itself starts with TF32 in convolutions and not in products; an error changes nothing of it."""
    found = tf32()
    try:
        torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32 = before
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for dtype in ("float32", "tf32", "float16", "bfloat16"):
                with pytest.raises(KeyError), in_force(Conditions(dtype=dtype)):
                    assert tf32() == ((dtype == "tf32"),) * 2
                    raise KeyError
                assert tf32() == before
    finally:
        torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32 = found


@pytest.mark.parametrize(
    ("capability", "reason"),
    [
        ((7, 5), "dtype tf32 needs compute capability 8.0; this device has 7.5"),
        ((8, 0), None),
        ((9, 0), None),
    ],
)
def test_tf32_needs_a_device_that_has_it(capability: tuple[int, int], reason: str | None) -> None:
    """Turing has tensor cores and no TF32; Ampere and what follows have it."""
    cuda = SimpleNamespace(get_device_capability=lambda _: capability)
    device = FakeCudaDevice(FakeCuda())
    assert lacks_tf32(Conditions(dtype="tf32"), device, cuda) == reason
    assert lacks_tf32(Conditions(dtype="float32"), device, cuda) is None
    assert lacks_tf32(Conditions(dtype="tf32"), CpuDevice(), cuda) is None


def test_a_training_call_makes_the_gradients_of_the_sum() -> None:
    """A 1x1 convolution's weight gradient is its input summed over space, its bias's the positions."""
    model = nn.Conv2d(3, 5, 1).train()
    image = torch.randn(2, 3, 6, 6, generator=torch.Generator().manual_seed(1))
    call = make_runnable(Workload(model, image), Conditions(mode="train"), CpuDevice()).call
    for _ in range(2):
        output = call()
    expected = image.sum((0, 2, 3)).expand(5, 3)[..., None, None]
    torch.testing.assert_close(model.weight.grad, expected)
    torch.testing.assert_close(model.bias.grad, torch.full((5,), 2.0 * 36))
    assert torch.equal(output, model(image))
    assert not output.requires_grad


def test_training_a_network_gives_every_parameter_a_gradient_and_changes_none() -> None:
    """An octave network's too: its kernels are slices; a layer of plain autograd beside it says the same."""
    workload = build_workload(NETWORK)
    before = {name: parameter.clone() for name, parameter in workload.module.named_parameters()}
    loss_of(workload.module(workload.example)).backward()
    expected = gradients(workload.module)
    runnable = make_runnable(workload, NETWORK.conditions, CpuDevice())
    runnable.call()
    found = gradients(runnable.module)
    for name, parameter in runnable.module.named_parameters():
        torch.testing.assert_close(found[name], expected[name])
        assert torch.equal(parameter, before[name])
    assert runnable.example.grad is None
    runnable.forget()
    assert all(parameter.grad is None for parameter in runnable.module.parameters())


def test_training_a_layer_gives_its_input_a_gradient() -> None:
    """Both parts of the pair, as amid a network."""
    runnable = ready(under(LAYER, mode="train"))
    runnable.call()
    assert all(tensor.grad is not None and tensor.grad.any() for tensor in runnable.example)


def test_training_holds_no_packed_kernels() -> None:
    """A packed copy would cut the gradient off, and would be of weights that training changes."""
    runnable = ready(NETWORK)
    runnable.call()
    layers = [module for module in runnable.module.modules() if isinstance(module, Packing)]
    assert layers
    assert all(layer._cache.packed is None and not layer._cache.held for layer in layers)


def test_training_calls_do_not_drift() -> None:
    """Batch norm's running statistics move and are not read: output and gradients stay to the last bit."""
    runnable = ready(NETWORK)
    output, made = runnable.call(), gradients(runnable.module)
    for _ in range(10):
        again = runnable.call()
    assert torch.equal(output, again)
    after = gradients(runnable.module)
    assert all(torch.equal(gradient, after[name]) for name, gradient in made.items())
    assert all(torch.isfinite(buffer).all() for buffer in runnable.module.buffers())


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_training_is_in_the_number_format_of_the_weights(dtype: str) -> None:
    """No autocast: gradients are of the same format."""
    runnable = ready(under(LAYER, mode="train", dtype=dtype))
    runnable.call()
    assert runnable.module.weight.grad.dtype is getattr(torch, dtype)


@pytest.mark.slow
def test_a_compiled_call_gives_the_eager_result() -> None:
    """Inductor's code computes the same layer; its first call compiles."""
    need("compiler")
    workload, conditions = build_workload(LAYER), Conditions(resolution=8, execution="compiled")
    with in_force(conditions):
        runnable = make_runnable(workload, conditions, CpuDevice())
        high, low = runnable.call()
        expected = workload.module(workload.example)
    assert runnable.compiles
    torch.testing.assert_close(high, expected[0])
    torch.testing.assert_close(low, expected[1])


class Small(nn.Module):
    """Two octave-able convolutions with a norm, and outputs in a dictionary."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm, self.last = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Linear(4, 2)

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor | None]:
        features = self.norm(self.first(x)).relu()
        return {"out": self.last(features.mean((2, 3))), "features": features, "none": None}


def training(make: Callable[[], nn.Module], example: Callable[[], Any], execution: str) -> Runnable:
    """Make a training call of a module with the same weights each time."""
    torch.manual_seed(0)
    conditions = Conditions(mode="train", execution=execution)
    return make_runnable(Workload(make().train(), example()), conditions, CpuDevice())


@pytest.mark.slow
def test_a_compiled_training_call_gives_the_eager_gradients() -> None:
    """An octave layer with its pair, and a network with several outputs: forward and backward alike."""
    need("compiler")
    point = under(LAYER, mode="train")
    subjects = [
        (lambda: build_workload(point).module, lambda: build_workload(point).example),
        (Small, lambda: torch.randn(2, 3, 8, 8)),
    ]
    for make, example in subjects:
        eager, compiled = (training(make, example, execution) for execution in ("eager", "compiled"))
        for _ in range(2):
            outputs = eager.call(), compiled.call()
            torch.testing.assert_close(outputs[1], outputs[0], rtol=1e-4, atol=1e-5)
        expected = gradients(eager.module)
        for name, gradient in gradients(compiled.module).items():
            torch.testing.assert_close(gradient, expected[name], rtol=1e-4, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["infer", "train"])
def test_every_subject_of_a_worker_is_compiled(monkeypatch: pytest.MonkeyPatch, mode: str) -> None:
    """Past Dynamo's limit of eight for one function, a call is still compiled, and none twice."""
    compiled: list[object] = []
    real = torch.compile

    def counting(call: object, **options: object) -> object:
        def backend(graph: Any, _: object) -> object:
            compiled.append(graph)
            return graph.forward

        return real(call, backend=backend, **options)

    monkeypatch.setattr(torch, "compile", counting)
    for size in range(6, 18):
        point = under(LAYER, resolution=size, execution="compiled", mode=mode)
        with in_force(point.conditions):
            call = ready(point).call
            call()
            call()
    assert len(compiled) == 12


class FakeStream:
    """A stream that writes down who waits."""

    def __init__(self, log: list[str], name: str) -> None:
        self.log, self.name = log, name

    def wait_stream(self, other: "FakeStream") -> None:
        self.log.append(f"{self.name} waits for {other.name}")


def logging_cuda(log: list[str]) -> Any:
    """Give a torch.cuda that writes down what is done with it."""
    main, side = FakeStream(log, "main"), FakeStream(log, "side")

    class Scope:
        def __init__(self, name: str) -> None:
            self.name = name

        def __enter__(self) -> None:
            log.append(f"enter {self.name}")

        def __exit__(self, *_: object) -> None:
            log.append(f"leave {self.name}")

    return SimpleNamespace(
        Stream=lambda: side,
        current_stream=lambda: main,
        stream=lambda _: Scope("side"),
        CUDAGraph=lambda: SimpleNamespace(replay=lambda: log.append("replay")),
        graph=lambda _: Scope("graph"),
    )


def test_a_graph_is_captured_after_calls_on_a_side_stream() -> None:
    """Three calls on the side, what they left let go, one under capture, then only replays of its output."""
    log: list[str] = []
    outputs = iter(("warm", "warm", "warm", "captured"))

    def call() -> str:
        log.append("call")
        return next(outputs)

    replay = capture(call, lambda: log.append("forget"), logging_cuda(log))
    assert [replay(), replay()] == ["captured", "captured"]
    assert log == [
        "side waits for main",
        "enter side",
        *["call"] * 3,
        "leave side",
        "main waits for side",
        "forget",
        "enter graph",
        "call",
        "leave graph",
        "replay",
        "replay",
    ]


def test_a_training_call_is_captured_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """The graph holds forward and backward, and makes its gradients while it is captured."""
    log: list[str] = []
    cuda = logging_cuda(log)
    seen: list[bool] = []
    monkeypatch.setattr("octprobe.measure.execution.capture", lambda *call: capture(*call, cuda))

    class Watched(nn.Conv2d):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            seen.append(self.weight.grad is None)
            return super().forward(x)

    conditions = Conditions(mode="train", execution="cudagraph")
    workload = Workload(Watched(3, 4, 1).train(), torch.ones(1, 3, 4, 4))
    runnable = make_runnable(workload, conditions, FakeCudaDevice(FakeCuda()))
    assert seen == [True] * 4
    made = runnable.module.weight.grad
    assert made is not None
    output = runnable.call()
    assert runnable.module.weight.grad is made
    assert torch.equal(output, runnable.module(runnable.example))
    assert log[-1] == "replay"


@pytest.mark.gpu
@pytest.mark.parametrize("mode", ["infer", "train"])
@pytest.mark.parametrize("execution", ["eager", "compiled", "cudagraph"])
def test_every_execution_runs_on_hardware(execution: str, mode: str) -> None:
    """On a GPU each way of running completes a call."""
    need("cuda")
    from octprobe.measure.device import open_device

    point = under(LAYER, execution=execution, mode=mode)
    device = open_device("cuda")
    with in_force(point.conditions):
        call = make_runnable(build_workload(point), point.conditions, device).call
        assert device.time_calls_ms(call, 3) > 0


@pytest.mark.parametrize("mode", ["infer", "train"])
def test_a_placed_example_is_a_copy(mode: str) -> None:
    """What a forward writes to its input reaches no workload, even where nothing is to be converted."""
    point = under(LAYER, mode=mode)
    workload = build_workload(point)
    _, placed = place(workload, point.conditions, CpuDevice())
    for ours, theirs in zip(placed, workload.example, strict=True):
        assert ours.data_ptr() != theirs.data_ptr()
        assert torch.equal(ours, theirs)
        assert ours.requires_grad == theirs.requires_grad


@pytest.mark.slow
@pytest.mark.parametrize("execution", ["eager", "compiled"])
def test_training_what_wants_no_gradient_is_refused_in_one_line(execution: str) -> None:
    """Compiled as well, where the rule is met inside the compiled function."""
    if execution == "compiled":
        need("compiler")
    runnable = training(
        lambda: nn.Conv2d(3, 4, 1).requires_grad_(False), lambda: torch.ones(1, 3, 4, 4), execution
    )
    with pytest.raises(ConversionError, match=r"^train needs an output"):
        runnable.call()
