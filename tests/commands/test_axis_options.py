"""Options that are axes: the point that they make, and the rules that they share with sweep files."""

from typing import get_args

import pytest

from octprobe.commands.axis_options import check_axes, network_point
from octprobe.errors import UsageError
from octprobe.plan.axes import Downsample, Dtype, Exchange, OctaveKernels
from octprobe.plan.point import Conditions
from octprobe.plan.variant import Variant


def test_options_make_the_point_that_a_sweep_makes() -> None:
    """What is not given is usual, and all of it absent at alpha 0."""
    conditions = Conditions(batch=8)
    point = network_point("resnet50", "0.5", conditions, exchange="h2l", return_at="layer3")
    assert (point.conditions, point.variant) == (conditions, Variant(exchange="h2l", return_at="layer3"))
    assert network_point("resnet50", "0", conditions, exchange="both") == point.anchor()


@pytest.mark.parametrize(
    ("axis", "choice"),
    [
        ("exchange", Exchange),
        ("downsample", Downsample),
        ("octave_kernels", OctaveKernels),
        ("dtype", Dtype),
    ],
)
def test_an_option_takes_what_its_axis_takes(axis: str, choice: object) -> None:
    """Each word of it, and no other."""
    for word in get_args(choice):
        check_axes({axis: word})
    option = axis.replace("_", "-")
    with pytest.raises(UsageError, match=f"^--{option} odd: must be "):
        check_axes({axis: "odd"})


def test_a_modules_name_is_taken_as_it_is() -> None:
    """Whether there is such a module only the network tells."""
    check_axes({"return_at": "layer3.0.conv1"})
    for typed, meant in (("End", "end"), ("POLICY", "policy")):
        with pytest.raises(UsageError, match=f'^--return-at {typed}: .*; did you mean "{meant}"[?]$'):
            check_axes({"return_at": typed})
