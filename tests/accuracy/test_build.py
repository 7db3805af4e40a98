"""Networks made for a data set."""

import pytest
import torch

from octprobe.accuracy.build import vanilla_for
from octprobe.accuracy.data import split
from octprobe.errors import UsageError
from trainings import CLASSES, SIDE, small_data


def test_the_seed_gives_the_weights() -> None:
    """The same again, others for another; torch's own state stays."""
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first, second, other = (
        vanilla_for("trainings:tiny", small_data(), seed=seed, allow_import=True)[0].state_dict()
        for seed in (0, 0, 1)
    )
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(first["conv1.weight"], second["conv1.weight"])
    assert not torch.equal(first["conv1.weight"], other["conv1.weight"])


def test_timms_networks_get_the_classes_and_three_equal_channels() -> None:
    """The network stays the one that sweeps measure, but for its last layer."""
    network, data, example = vanilla_for("resnet10t", small_data(), seed=0)
    assert data.channels == 3
    assert example.shape == (1, 3, SIDE, SIDE)
    assert network.eval()(example).shape == (1, CLASSES)
    assert not network.training


def test_too_few_classes() -> None:
    """Ten answers for twelve classes are refused in one line."""
    data = small_data()
    wide = split("wide", data.train, data.test, classes=12, validation=0, resolution=None)
    with pytest.raises(
        UsageError, match=r"'trainings:tiny' gives 10 answers, and wide has 12 classes; build"
    ):
        vanilla_for("trainings:tiny", wide, seed=0, allow_import=True)


def test_colour_for_a_grey_network() -> None:
    """Nothing is dropped silently."""
    with pytest.raises(UsageError, match="takes images of 1 channels, and those of stripes have 3"):
        vanilla_for("trainings:tiny", small_data(channels=3), seed=0, allow_import=True)


def test_images_too_small() -> None:
    """What the network raises is one line with a way out."""
    data = small_data()
    small = split("small", data.train, data.test, classes=10, validation=0, resolution=4)
    with pytest.raises(
        UsageError, match=r"'trainings:dropping' does not take images of 4 pixels: .*; give another"
    ):
        vanilla_for("trainings:dropping", small, seed=0, allow_import=True)
