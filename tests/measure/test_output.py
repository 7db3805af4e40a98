"""What a point computes, beside eager float32."""

import math
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from fakes_store import small_layer
from octprobe.measure.device import CpuDevice
from octprobe.measure.execution import in_force, make_runnable
from octprobe.measure.output import (
    LIMITS,
    OutputCheck,
    Reference,
    changed_input,
    check_output,
    find_reference,
    relative_distance,
)
from octprobe.plan.point import Conditions, DesignPoint, NetworkSubject
from octprobe.workload import Workload, build_workload

LAYER = small_layer()
NETWORK = DesignPoint(
    subject=NetworkSubject(network="resnet18", alpha=Decimal("0.5")),
    conditions=Conditions(resolution=64, batch=4),
)
# A network that turns no rounding into anything larger.
STEADY = 0.0


def values(*numbers: float) -> tuple[torch.Tensor]:
    """Give an output of one tensor."""
    return (torch.tensor(numbers, dtype=torch.float32),)


def checked(point: DesignPoint) -> OutputCheck:
    """Compare what a point computes on the processor with its reference."""
    workload = build_workload(point)
    with in_force(point.conditions):
        reference = find_reference(workload, point.conditions, CpuDevice())
        output = make_runnable(workload, point.conditions, CpuDevice()).call()
    return check_output(output, reference, point.conditions.dtype)


def reference_of(module: nn.Module, example: torch.Tensor, **conditions: object) -> Reference:
    """Run a module of any kind as a reference."""
    return find_reference(Workload(module, example), Conditions(**conditions), CpuDevice())


def test_the_distance_is_over_all_tensors_together() -> None:
    """(3, 0) and (4) against (0, 0) and (12, ...): a difference of 5 beside a norm of 10."""
    output = torch.tensor([3.0, 0.0]), torch.tensor([10.0])
    wanted = torch.tensor([0.0, 0.0]), torch.tensor([6.0])
    assert relative_distance(output, wanted) == pytest.approx(5 / 6)
    assert relative_distance(wanted, wanted) == 0


def test_a_distance_from_nothing_is_infinite() -> None:
    """Unless there is none."""
    assert relative_distance(values(1), values(0)) == math.inf
    assert relative_distance(values(0), values(0)) == 0


@settings(max_examples=50, deadline=None)
@given(
    numbers=st.lists(st.floats(-100, 100, width=16), min_size=1, max_size=5),
    scale=st.floats(0.5, 8, width=16),
)
def test_the_distance_does_not_depend_on_the_outputs_scale(numbers: list[float], scale: float) -> None:
    """An output 1 % too large is .01 away, however large it is."""
    wanted = torch.tensor([*numbers, 1.0]) * scale
    assert relative_distance([wanted * 1.01], [wanted]) == pytest.approx(0.01, rel=1e-3)


@pytest.mark.parametrize("mode", ["infer", "train"])
@pytest.mark.parametrize("point", [LAYER, LAYER.anchor(), NETWORK], ids=["octave", "vanilla", "network"])
def test_eager_float32_is_its_own_reference(point: DesignPoint, mode: str) -> None:
    """Nothing lies between them."""
    conditions = replace(point.conditions, mode=mode)
    assert checked(replace(point, conditions=conditions)) == OutputCheck(error=0.0)


@pytest.mark.parametrize("mode", ["infer", "train"])
@pytest.mark.parametrize("memory_format", ["contiguous", "channels_last"])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_rounding_is_within_its_limits(dtype: str, memory_format: str, mode: str) -> None:
    """ResNet-18 at alpha .5 in each format: judged, not at fault, and well inside the limit in inference."""
    conditions = replace(NETWORK.conditions, dtype=dtype, memory_format=memory_format, mode=mode)
    check = checked(replace(NETWORK, conditions=conditions))
    assert (check.fault, check.remark) == (None, None)
    assert check.error is not None
    # Another memory format need not change a bit: that is oneDNN's choice on the processor at hand.
    assert (check.error > 0) == (dtype != "float32") or memory_format == "channels_last"
    if mode == "infer":
        assert check.error < LIMITS[dtype] / 5


def test_tf32_rounding_on_a_float32_point_is_told() -> None:
    """Operands that lose 13 bits: at fault where float32 was asked for, fine where TF32 was."""

    class Rounded(nn.Conv2d):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self._conv_forward(tf32(x), tf32(self.weight), self.bias)

    def tf32(tensor: torch.Tensor) -> torch.Tensor:
        bits = tensor.contiguous().view(torch.int32)
        return ((bits + 0x1000) & ~0x1FFF).view(torch.float32)

    torch.manual_seed(0)
    exact, rounded, image = nn.Conv2d(16, 16, 3), Rounded(16, 16, 3), torch.randn(1, 16, 12, 12)
    rounded.load_state_dict(exact.state_dict())
    for dtype in ("float32", "tf32"):
        check = check_output(rounded(image), reference_of(exact, image, dtype=dtype), dtype)
        assert check.error == pytest.approx(3e-4, rel=0.5)
        assert (check.fault is None) == (dtype == "tf32")


def test_the_reference_leaves_the_workload_as_it_was() -> None:
    """Neither place nor format nor a batch norm's statistics change, and the random state does not either."""
    point = replace(NETWORK, conditions=replace(NETWORK.conditions, mode="train", dtype="bfloat16"))
    workload = build_workload(point)
    before = {name: tensor.clone() for name, tensor in workload.module.state_dict().items()}
    state = torch.get_rng_state()
    find_reference(workload, point.conditions, CpuDevice())
    after = workload.module.state_dict()
    assert all(torch.equal(tensor, after[name]) for name, tensor in before.items())
    assert torch.equal(torch.get_rng_state(), state)
    assert workload.module.training


def test_the_reference_is_float32_without_tf32_in_the_points_mode() -> None:
    """Whatever the point itself is run in."""

    class Watched(nn.Identity):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            assert x.dtype is torch.float32
            assert x.is_contiguous()
            assert not torch.backends.cudnn.allow_tf32
            assert not torch.is_grad_enabled()
            return x + self.training

    for mode, wanted in (("infer", 1.0), ("train", 2.0)):
        conditions = Conditions(dtype="tf32", memory_format="channels_last", mode=mode)
        module = Watched().train(mode == "train")
        with in_force(conditions):
            reference = find_reference(Workload(module, torch.ones(1, 2, 3, 3)), conditions, CpuDevice())
        assert torch.equal(reference.values[0], torch.full((1, 2, 3, 3), wanted))


@pytest.mark.parametrize(
    ("dtype", "step"), [("float32", 2**-23), ("tf32", 2**-10), ("float16", 2**-10), ("bfloat16", 2**-7)]
)
def test_the_movement_of_what_changes_nothing_is_one_step(dtype: str, step: float) -> None:
    """An identity moves as far as its input, and so does a factor; a constant stays where it is.

    In float32 itself a moved value is rounded to its neighbours, so there a step is met by half.
    """
    image = torch.randn(1, 4, 16, 16, generator=torch.Generator().manual_seed(0))
    tolerance = 0.5 if dtype == "float32" else 0.01
    for module in (nn.Identity(), nn.Conv2d(4, 4, 1, groups=4, bias=False)):
        assert reference_of(module, image, dtype=dtype).movement == pytest.approx(step, rel=tolerance)
    assert reference_of(nn.Conv2d(4, 4, 1), torch.zeros(1, 4, 2, 2), dtype=dtype).movement == 0


def test_an_output_that_is_far_away_is_at_fault() -> None:
    """The line says how far, and how far it may be."""
    check = check_output(values(1.1, 1.1), Reference(values(1, 1), STEADY), "float16")
    assert check.error == pytest.approx(0.1)
    assert check.fault == "the output is 0.1 away from eager float32's; at most 0.03 is rounding in float16"


def test_a_network_that_makes_more_of_rounding_has_more_room() -> None:
    """The same distance, where a step of the input alone moves the output by a hundredth."""
    check = check_output(values(1.1, 1.1), Reference(values(1, 1), 0.01), "float16")
    assert (check.fault, check.remark) == (None, None)
    assert check.error == pytest.approx(0.1)


def test_a_network_that_is_chaotic_is_not_judged() -> None:
    """Batch norm over two nearly equal values: the distance is kept, and the reason why it says nothing."""
    check = check_output(values(0, 0), Reference(values(1, 1), 0.3), "bfloat16")
    assert check.fault is None
    assert check.error == 1
    assert check.remark == "output not judged: it moves by 0.3 where the input moves by one step of bfloat16"


@pytest.mark.parametrize(
    "make", [lambda: nn.Dropout(0.5), lambda: nn.Sequential(nn.Conv2d(2, 2, 1), nn.Dropout(0.2))]
)
def test_a_forward_that_draws_random_numbers_is_not_judged(make: Callable[[], nn.Module]) -> None:
    """Two calls of the reference differ by more than any rounding."""
    module, image = make().train(), torch.randn(1, 2, 16, 16)
    reference = reference_of(module, image, mode="train")
    check = check_output(module(image), reference, "float32")
    assert check.fault is None
    assert "not judged" in (check.remark or "")


def test_values_below_a_formats_range_are_not_judged() -> None:
    """Random weights may shrink an output to 1e-8: 0 in float16, while bfloat16 reaches as far as float32."""
    reference = Reference(values(1e-8, -2e-8), STEADY)
    check = check_output(values(0, 0), reference, "float16")
    assert check == OutputCheck(remark="output not judged: eager float32's values are too small for float16")
    assert check_output(values(0, 0), reference, "bfloat16").fault is not None


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_nan_and_infinity_are_at_fault(bad: float) -> None:
    """On either side, each with its own words and without a distance."""
    ours = check_output(values(1, bad), Reference(values(1, 1), STEADY), "float16")
    assert ours == OutputCheck(
        fault="the output has NaN or infinity where eager float32 has none; choose a dtype of more range"
    )
    theirs = check_output(values(1, 1), Reference(values(1, bad), math.nan), "float32")
    assert theirs == OutputCheck(
        fault="eager float32 itself gives NaN or infinity; the network needs another initialisation"
    )


def test_another_shape_or_number_of_tensors_is_at_fault() -> None:
    """Nothing can be compared."""
    reference = Reference((torch.ones(2, 3),), STEADY)
    for output in (torch.ones(3, 2), (torch.ones(2, 3), torch.ones(1)), None):
        check = check_output(output, reference, "float32")
        assert check.error is None
        assert "eager float32 gives [(2, 3)]" in (check.fault or "")


def test_tensors_are_found_in_any_nesting() -> None:
    """Dictionaries, pairs and absent outputs; an empty high part at alpha 1 counts nothing."""
    output = {"out": torch.ones(2), "pair": (torch.ones(1, 0, 4, 4), torch.ones(3)), "none": None}
    reference = Reference((torch.ones(2), torch.ones(1, 0, 4, 4), torch.ones(3)), STEADY)
    assert check_output(output, reference, "float32") == OutputCheck(error=0.0)


class Halved(nn.Module):
    """Writes to its input."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mul_(0.5) + 0


@pytest.mark.parametrize("probability", [0.01, 0.1, 0.5])
def test_a_forward_that_draws_is_not_judged(probability: float) -> None:
    """Sound dropout, whatever it dropped: no distance, no fault, in training alone."""
    torch.manual_seed(0)
    image = torch.randn(1, 3, 8, 8)
    for mode, remark in (("train", "output not judged: the forward draws random numbers"), ("infer", None)):
        model = nn.Sequential(nn.Conv2d(3, 64, 3), nn.Dropout(probability)).train(mode == "train")
        reference = reference_of(model, image, mode=mode)
        assert reference.is_random == (mode == "train")
        check = check_output(model(image), reference, "float32")
        assert check == OutputCheck(error=None if remark else 0.0, remark=remark)


def test_a_drawing_forward_that_gives_nan_is_at_fault() -> None:
    """No random number excuses that."""
    reference = Reference(values(1, 1), STEADY, is_random=True)
    assert "NaN" in (check_output(values(1, math.nan), reference, "float32").fault or "")


def test_an_output_without_tensors_is_not_judged() -> None:
    """There is nothing to compare."""
    check = check_output({"none": None, "text": "cat"}, Reference((), 0.0), "float32")
    assert check == OutputCheck(remark="output not judged: it holds no tensor")


def test_a_reference_spoils_no_input_and_is_not_spoilt_by_itself() -> None:
    """A forward that halves its input in place gives half of it, and moves by as little as the input did."""
    image = torch.ones(1, 2, 3, 3)
    reference = reference_of(Halved(), image)
    assert torch.equal(image, torch.ones(1, 2, 3, 3))
    assert torch.equal(reference.values[0], torch.full((1, 2, 3, 3), 0.5))
    assert reference.movement == pytest.approx(2**-23)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_forward_that_writes_to_its_input_is_told(dtype: str) -> None:
    """One that does not is not, in any number format."""
    conditions = Conditions(dtype=dtype)
    for module, wanted in ((Halved(), True), (nn.Identity(), False)):
        workload = Workload(module.eval(), torch.full((1, 2, 3, 3), 0.7))
        with in_force(conditions):
            runnable = make_runnable(workload, conditions, CpuDevice())
            runnable.call()
            told = changed_input(workload, runnable, conditions, CpuDevice())
        assert ("changes its input in place" in (told or "")) == wanted
