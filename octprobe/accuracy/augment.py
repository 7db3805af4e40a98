"""What is done to a batch of training images: moved and mirrored, all at once, from one generator."""

import torch
from torch import Tensor
from torch.nn import functional

from octprobe.plan.recipe import Augmentation


def augmented(images: Tensor, augmentation: Augmentation, generator: torch.Generator) -> Tensor:
    """Move and mirror images, each by chances of its own.

    Args:
        images: (N, C, H, W), uint8.
        augmentation: by how much.
        generator: of random numbers, on the processor, so that every device draws the same.

    Returns:
        (N, C, H, W), uint8; what comes in at a border is 0.
    """
    count, channels, height, width = images.shape
    shift, device = augmentation.shift, images.device
    rows = _places(height, _drawn(2 * shift + 1, count, generator))
    columns = _places(width, _drawn(2 * shift + 1, count, generator))
    if augmentation.flip:
        mirrored = _drawn(2, count, generator).bool()
        columns = torch.where(mirrored[:, None], columns.flip(1), columns)
    padded = functional.pad(images, (shift,) * 4)
    return padded[
        torch.arange(count, device=device)[:, None, None, None],
        torch.arange(channels, device=device)[None, :, None, None],
        rows.to(device)[:, None, :, None],
        columns.to(device)[:, None, None, :],
    ]


def _drawn(choices: int, count: int, generator: torch.Generator) -> Tensor:
    return torch.randint(choices, (count,), generator=generator)


def _places(length: int, offsets: Tensor) -> Tensor:
    """Give where each image's pixels along one axis come from in the padded images: (N, length)."""
    return offsets[:, None] + torch.arange(length)
