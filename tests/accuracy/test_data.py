"""Data sets in memory."""

import pytest
import torch

from octprobe.accuracy.data import ImageSet, split
from octprobe.errors import UsageError
from trainings import SIDE, small_data, stripes


def test_the_split_is_the_same_each_time_and_loses_no_image() -> None:
    """Training and validation images are all that were known, each once."""
    known = ImageSet(
        torch.arange(50, dtype=torch.uint8).view(50, 1, 1, 1), torch.zeros(50, dtype=torch.int64)
    )
    parts = [split("x", known, known, classes=2, validation=10, resolution=None) for _ in range(2)]
    first, second = (
        [p.train.images.flatten().tolist(), p.validation.images.flatten().tolist()] for p in parts
    )
    assert first == second
    assert sorted(first[0] + first[1]) == list(range(50))
    assert len(first[1]) == 10
    assert first[0] != sorted(first[0])


def test_no_image_may_be_left_for_training() -> None:
    """One line: place, value, rule, way out."""
    with pytest.raises(UsageError) as caught:
        split("x", stripes(20), stripes(10), classes=10, validation=20, resolution=None)
    assert str(caught.value) == "x: validation: 20 of 20 training images leave none to train on; keep fewer"


def test_images_are_normalised_by_the_training_images() -> None:
    """Mean 0 and deviation 1 over the training images, by sums without rounding."""
    data = small_data()
    values = data.prepared(data.train.images)
    assert values.dtype == torch.float32
    assert values.mean().item() == pytest.approx(0, abs=1e-5)
    assert values.std(correction=0).item() == pytest.approx(1, abs=1e-5)


def test_images_are_scaled_to_the_resolution() -> None:
    """What a network is given has the recipe's size."""
    data = split("x", stripes(30), stripes(10), classes=10, validation=0, resolution=24)
    assert data.prepared(data.test.images).shape == (10, 1, 24, 24)
    assert small_data().sample(5).shape == (5, 1, SIDE, SIDE)


def test_grey_images_become_equal_channels() -> None:
    """A network for colour takes them; nothing is copied."""
    data = small_data()
    coloured = data.with_channels(3)
    assert coloured.channels == 3
    assert (
        coloured.train.images.untyped_storage().data_ptr() == data.train.images.untyped_storage().data_ptr()
    )
    gray, colour = data.prepared(data.test.images), coloured.prepared(coloured.test.images)
    assert torch.equal(colour[:, 2:], gray)


def test_a_quick_look_trains_on_the_first_images() -> None:
    """Validation and test stay whole."""
    data = small_data()
    first = data.of_first(7)
    assert (len(first.train), len(first.validation), len(first.test)) == (7, 20, 30)
    assert torch.equal(first.train.images, data.train.images[:7])
