"""Networks of octprobe's own: what they take, what they weigh, and that every command knows them."""

import pytest
import torch

from octprobe.cost.design_space import design_space
from octprobe.errors import UsageError
from octprobe.networks import build_network, is_registered, network_fault
from octprobe.octave import octavize
from octprobe.octave.example import example_of
from octprobe.plan.point import Conditions, DesignPoint, NetworkSubject, exact_alpha
from octprobe.small_networks import NETWORKS
from octprobe.workload import build_workload

# Convolutions of resnet8 by hand: output positions x output channels x weights of one.
STEM = 14 * 14 * 32 * 9
STAGES = (
    2 * 14 * 14 * 32 * 32 * 9,
    7 * 7 * 64 * (32 * 9 + 64 * 9 + 32),
    4 * 4 * 128 * (64 * 9 + 128 * 9 + 64),
)
CLASSIFIER = 128 * 10


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_each_answers_for_small_gray_images(name: str) -> None:
    """Ten logits an image, in evaluation mode; the name needs no leave to import."""
    network = build_network(f"octprobe:{name}")
    assert network_fault(f"octprobe:{name}") is None
    assert is_registered(f"octprobe:{name}")
    assert example_of(network).shape == (1, 1, 28, 28)
    assert network(torch.zeros(2, 1, 28, 28)).shape == (2, 10)


def test_macs_are_those_worked_out_by_hand() -> None:
    """And the stages before the last one are what a uniform alpha makes octave."""
    space = design_space(build_network("octprobe:resnet8"))
    assert space.macs == STEM + sum(STAGES) + CLASSIFIER
    assert sum(group.macs for group in space.of_policy) == STAGES[0] + STAGES[1]
    assert [group.patterns for group in space.of_policy] == [
        ("layer1.0.conv1",),
        ("layer1.0.conv2",),
        ("layer2.0.conv1",),
        ("layer2.0.conv2", "layer2.0.downsample.0"),
    ]


def test_a_fresh_block_is_its_shortcut() -> None:
    """The last norm of each block begins at 0, as timm has it."""
    network = build_network("octprobe:resnet14")
    assert all(not block.bn2.weight.any() for block in (*network.layer1, *network.layer2, *network.layer3))  # type: ignore[misc, union-attr]


@pytest.mark.parametrize("alpha", ["0", "0.25", "0.5", "0.75", "1"])
def test_a_sweep_builds_them_at_every_alpha(alpha: str) -> None:
    """With the one input channel that they take."""
    point = DesignPoint(
        subject=NetworkSubject(network="octprobe:resnet8", alpha=exact_alpha(alpha)),
        conditions=Conditions(batch=3, resolution=28),
    )
    workload = build_workload(point)
    assert isinstance(workload.example, torch.Tensor)
    assert workload.example.shape == (3, 1, 28, 28)
    with torch.inference_mode():
        assert workload.module(workload.example).shape == (3, 10)


def test_they_have_an_octave_form_at_odd_sizes() -> None:
    """As at Fashion-MNIST's second stage, of 7 pixels a side."""
    network = build_network("octprobe:resnet8")
    octave = octavize(network, 0.5, torch.zeros(1, 1, 28, 28))
    assert octave(torch.zeros(1, 1, 27, 25)).shape == (1, 10)


@pytest.mark.parametrize(
    ("name", "weights", "said"),
    [
        ("octprobe:resnet9", None, "is not known to octprobe; did you mean 'octprobe:resnet8'?"),
        ("octprobe:../x", None, "is no network's name"),
        ("octprobe:resnet8", "pretrained", "has no pretrained weights; train it"),
    ],
)
def test_what_there_is_not_is_told_in_one_line(name: str, weights: str | None, said: str) -> None:
    """No module is imported for it."""
    with pytest.raises(UsageError) as caught:
        build_network(name, weights=weights)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
