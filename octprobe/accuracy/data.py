"""Data sets of images held in memory: training, validation and test, split once and for all."""

from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor
from torch.nn import functional

from octprobe.errors import UsageError

# Any fixed number: the split is the same on every machine, in every run.
_SPLIT_SEED = 0
# So many images become numbers at once where all of them are to be looked at: 20 MB of 3 x 32 x 32.
_CHUNK = 1024


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Images and their classes, on one device.

    Attributes:
        images: (N, C, H, W), uint8.
        labels: (N,), int64.
    """

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        """Count the images."""
        return len(self.labels)

    def at(self, places: Tensor | slice) -> "ImageSet":
        """Give some of the images."""
        return ImageSet(self.images[places], self.labels[places])

    def with_channels(self, channels: int) -> "ImageSet":
        """Give grey images as ones of so many equal channels; nothing is copied."""
        return ImageSet(self.images.expand(-1, channels, -1, -1), self.labels)

    def to(self, device: torch.device) -> "ImageSet":
        """Give the images on a device."""
        return ImageSet(self.images.to(device), self.labels.to(device))


@dataclass(frozen=True, eq=False)
class DataSet:
    """A data set whose test images no training and no choice sees.

    Attributes:
        name: as in a recipe.
        train: what is learned from.
        validation: what choices are made by; of the training images, and empty where none are kept for it.
        test: what is read once, at the end.
        classes: number of classes.
        resolution: side of the square images that networks are given, pixels.
    """

    name: str
    train: ImageSet
    validation: ImageSet
    test: ImageSet
    classes: int
    resolution: int

    @property
    def channels(self) -> int:
        """Channels of the images."""
        return int(self.train.images.shape[1])

    @cached_property
    def normalisation(self) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of the training images, each (1, C, 1, 1), of values in [0, 1].

        They are summed exactly, as whole numbers, so that no order of summing shows.
        """
        images = self.train.images
        pixels = images.numel() // self.channels
        total = squares = torch.zeros(self.channels, dtype=torch.int64, device=images.device)
        for part in images.split(_CHUNK):  # type: ignore[no-untyped-call]  # as torch has it
            values = part.to(torch.int64)
            total, squares = total + values.sum((0, 2, 3)), squares + (values * values).sum((0, 2, 3))
        mean = total.double() / pixels
        deviation = (squares.double() / pixels - mean**2).clamp_min(1e-12).sqrt()
        return tuple((each / 255).float().view(1, -1, 1, 1) for each in (mean, deviation))  # type: ignore[return-value]  # of two, which a generator does not say

    def prepared(self, images: Tensor) -> Tensor:
        """Make images what a network takes: float32 (N, C, R, R), normalised, of the set's resolution.

        Args:
            images: (N, C, H, W), uint8.
        """
        mean, deviation = (each.to(images.device) for each in self.normalisation)
        values = (images.float() / 255 - mean) / deviation
        size = (self.resolution, self.resolution)
        if values.shape[-2:] == size:
            return values
        return functional.interpolate(values, size, mode="bilinear", antialias=True)

    def sample(self, count: int) -> Tensor:
        """Give the first training images, prepared, to estimate batch-norm statistics from."""
        return self.prepared(self.train.images[:count])

    def to(self, device: torch.device) -> "DataSet":
        """Give the data set on a device."""
        parts = {name: getattr(self, name).to(device) for name in ("train", "validation", "test")}
        return replace(self, **parts)

    def with_channels(self, channels: int) -> "DataSet":
        """Give a data set of grey images as one of so many equal channels; nothing is copied."""
        names = ("train", "validation", "test")
        return replace(self, **{name: getattr(self, name).with_channels(channels) for name in names})

    def of_first(self, images: int) -> "DataSet":
        """Give a data set that trains on its first images alone, for a quick look."""
        return replace(self, train=self.train.at(slice(images)))


def split(
    name: str, known: ImageSet, test: ImageSet, *, classes: int, validation: int, resolution: int | None
) -> DataSet:
    """Part the known images into those for training and those for validation, the same way each time.

    Args:
        name: as in a recipe.
        known: training and validation images.
        test: test images.
        classes: number of classes.
        validation: images kept for validation.
        resolution: side of what a network is given, pixels; None for the images' own.

    Raises:
        UsageError: no image is left for training.
    """
    if validation >= len(known):
        raise UsageError(
            f"{name}: validation: {validation} of {len(known)} training images leave none to train on; "
            "keep fewer"
        )
    order = torch.randperm(len(known), generator=torch.Generator().manual_seed(_SPLIT_SEED))
    return DataSet(
        name=name,
        train=known.at(order[validation:]),
        validation=known.at(order[:validation]),
        test=test,
        classes=classes,
        resolution=resolution or int(known.images.shape[-1]),
    )
