"""Images moved and mirrored."""

import torch
from torch import Tensor

from octprobe.accuracy.augment import augmented
from octprobe.plan.recipe import Augmentation

IMAGES = torch.arange(1, 1 + 40 * 2 * 5 * 6).remainder(251).to(torch.uint8).view(40, 2, 5, 6)


def changed(shift: int, *, flip: bool, seed: int = 0) -> Tensor:
    """Give the images changed."""
    return augmented(IMAGES, Augmentation(shift=shift, flip=flip), torch.Generator().manual_seed(seed))


def moved(image: Tensor, down: int, right: int) -> Tensor:
    """Move an image the slow way; what comes in is 0."""
    height, width = image.shape[-2:]
    out = torch.zeros_like(image)
    for row in range(height):
        for column in range(width):
            if 0 <= row - down < height and 0 <= column - right < width:
                out[:, row, column] = image[:, row - down, column - right]
    return out


def test_nothing_asked_changes_nothing() -> None:
    """No shift, no mirror."""
    assert torch.equal(changed(0, flip=False), IMAGES)


def test_every_image_is_one_of_the_moves() -> None:
    """Each is moved as a whole, all channels alike; over forty images every move of one pixel comes."""
    seen = set()
    for before, after in zip(IMAGES, changed(1, flip=False), strict=True):
        fits = [(d, r) for d in (-1, 0, 1) for r in (-1, 0, 1) if torch.equal(moved(before, d, r), after)]
        assert len(fits) == 1
        seen.add(fits[0])
    assert len(seen) == 9


def test_mirrored_or_not() -> None:
    """About one half is mirrored left to right, and never upside down."""
    mirrored = 0
    for before, after in zip(IMAGES, changed(0, flip=True), strict=True):
        assert torch.equal(after, before) or torch.equal(after, before.flip(-1))
        mirrored += int(not torch.equal(after, before))
    assert 10 < mirrored < 30


def test_the_generator_alone_decides() -> None:
    """The same seed gives the same images, another one others."""
    assert torch.equal(changed(2, flip=True), changed(2, flip=True))
    assert not torch.equal(changed(2, flip=True), changed(2, flip=True, seed=1))
