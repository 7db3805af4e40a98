"""Networks made for a data set."""

from collections import namedtuple

import pytest
import torch
from torch import Tensor, nn

from octprobe.accuracy.build import refuse_untrainable, vanilla_for
from octprobe.accuracy.data import split
from octprobe.errors import UsageError
from trainings import CLASSES, SIDE, dropping, small_data, tiny


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


def test_one_image_of_one_pixel_has_no_deviation() -> None:
    """A batch norm refuses it, in one line with a way out; two images it takes, or larger maps."""
    network = tiny()
    refuse_untrainable("tiny", network, torch.zeros(2, 1, 4, 4))
    refuse_untrainable("tiny", network, torch.zeros(1, 1, SIDE, SIDE))
    with pytest.raises(UsageError) as caught:
        refuse_untrainable("tiny", network, torch.zeros(1, 1, 4, 4))
    assert str(caught.value) == (
        "network 'tiny' does not learn from images of 4 pixels, 1 at a time: Expected more than 1 value per "
        "channel when training, got input size torch.Size([1, 8, 1, 1]); give more images a batch, or "
        "another resolution"
    )


Both = namedtuple("Both", ["logits", "auxiliary"])


class Auxiliary(nn.Module):
    """Answers twice in training, as GoogLeNet does."""

    def forward(self, images: Tensor) -> Tensor | Both:
        """Give one row of answers, or two."""
        logits = images.flatten(1)
        return Both(logits, logits) if self.training else logits


def test_a_network_that_answers_otherwise_in_training() -> None:
    """Is refused before its first epoch."""
    with pytest.raises(
        UsageError, match=r"^network 'two' answers with Both in training, not with one tensor; build"
    ):
        refuse_untrainable("two", Auxiliary(), torch.zeros(2, 1, 4, 4))


def test_the_trial_leaves_no_trace() -> None:
    """Neither in the network's statistics and mode, nor in torch's own random numbers."""
    network = dropping().eval()
    before, state = torch.get_rng_state(), {n: value.clone() for n, value in network.state_dict().items()}
    refuse_untrainable("dropping", network, torch.ones(2, 1, SIDE, SIDE))
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())
    assert not network.training


def test_a_want_of_memory_is_told_as_such() -> None:
    """It is no fault of the images."""

    class Hungry(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    with pytest.raises(RuntimeError, match="can't allocate memory"):
        refuse_untrainable("hungry", Hungry(), torch.zeros(2, 1, 4, 4))
