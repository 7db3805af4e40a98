"""A folder of images, a folder a class, through timm's own data config and loader."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import Dataset

from octprobe.accuracy.build import answers_of
from octprobe.errors import UsageError
from octprobe.octave.example import example_of

# What timm's loader is told of a data config, and how it is run: in order, in this process.
_OF_THE_LOADER = ("input_size", "interpolation", "mean", "std", "crop_pct", "crop_mode")
_PLAIN: dict[str, Any] = {
    "is_training": False,
    "use_prefetcher": False,
    "num_workers": 0,
    "pin_memory": False,
}


@dataclass(frozen=True)
class FolderOfImages:
    """Images as a network was made to take them.

    Attributes:
        config: timm's data config: size, crop, interpolation, mean and deviation.
        loader: gives images (B, C, R, R) and labels (B,).
    """

    config: dict[str, Any]
    loader: Any

    @property
    def resolution(self) -> int:
        """Side of the square input, pixels."""
        return int(self.config["input_size"][-1])

    def batches(self, device: torch.device) -> Iterator[tuple[Tensor, Tensor]]:
        """Give the images batch by batch on a device.

        Raises:
            UsageError: a file is no image that can be read.
        """
        try:
            for images, labels in self.loader:
                yield images.to(device), labels.to(device)
        except OSError as error:  # what PIL raises of a file that is cut short or no image
            raise UsageError(f"--data: an image cannot be read: {_first_line(error)}") from error


class _EveryImage(Dataset[tuple[Tensor, int]]):
    """What timm's reader finds; timm's own data set puts the next image in the place of a damaged one.

    Attributes:
        transform: set by timm's loader.
    """

    transform: Callable[[Image.Image], Tensor]

    def __init__(self, reader: Any) -> None:
        self._reader = reader

    def __len__(self) -> int:
        return len(self._reader)

    def __getitem__(self, place: int) -> tuple[Tensor, int]:
        file, label = self._reader[place]
        with file, Image.open(file) as image:
            return self.transform(image.convert("RGB")), label


def open_folder(
    folder: Path,
    network: nn.Module,
    name: str,
    *,
    resolution: int | None,
    batch: int,
    class_map: Path | None = None,
) -> FolderOfImages:
    """Open a folder of images for a network, as timm's own validation does.

    Args:
        folder: a folder a class in it.
        network: vanilla, in eval mode; timm's say themselves what they take.
        name: the network's name, for messages.
        resolution: side of the square input, pixels; None for the network's own.
        batch: images at once.
        class_map: lines of a class' folder, in the order of the network's answers; None where the sorted
            names are in that order.

    Raises:
        UsageError: there are no such folders or images, or as many classes as the network has answers.
    """
    import timm.data  # takes seconds, and few need it

    library: Any = timm.data
    if not folder.is_dir():
        raise UsageError(f"--data {folder}: is no folder; give one that holds a folder of images a class")
    size = {"input_size": tuple(example_of(network, resolution).shape[1:])} if resolution else {}
    config = library.resolve_data_config(size, model=network)
    try:
        reader = library.create_dataset("", str(folder), class_map=str(class_map or "")).reader
    except (OSError, RuntimeError, ValueError, AssertionError, KeyError) as error:
        raise UsageError(f"--data {folder}: holds no folders of images: {_first_line(error)}") from error
    answers = answers_of(name, network, torch.zeros(1, *config["input_size"]))
    _refuse_other_classes(folder, len(reader.class_to_idx), name, answers)
    named = {key: config[key] for key in _OF_THE_LOADER}
    return FolderOfImages(
        config, library.create_loader(_EveryImage(reader), batch_size=batch, **named, **_PLAIN)
    )


def _refuse_other_classes(folder: Path, classes: int, name: str, answers: int) -> None:
    """Stop where the network's answers and the folder's classes cannot be the same."""
    if classes != answers:
        raise UsageError(
            f"--data {folder}: has {classes} classes, and network {name!r} gives {answers} answers; give a "
            "folder of all its classes, or with --class-map a file of their folders' names in its order"
        )


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
