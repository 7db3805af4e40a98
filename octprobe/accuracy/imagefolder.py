"""A folder of images, a folder a class, through timm's own data config and loader."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import Dataset

from octprobe.accuracy.build import answers_of
from octprobe.accuracy.class_map import read_class_map, refuse_unmapped
from octprobe.accuracy.image_file import told_of
from octprobe.accuracy.naming import named_by_files
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
# PIL's modes of what networks look at.
_MODES: Final[Mapping[int, str]] = {1: "L", 3: "RGB"}
# What a network for grey images is given where it does not say: the whole image, with the mean and deviation
# of Fashion-MNIST's 60,000 training images, the one grey data set that octprobe trains on.
_GREY: Final[Mapping[str, Any]] = {"mean": (0.286,), "std": (0.353,), "crop_pct": 1.0}


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """How images are to be given, where a network's own way is not wanted; None leaves it.

    Attributes:
        resolution: side of the square input, pixels.
        mean: of the pixels, in [0, 1], a number a channel or one for all.
        deviation: the same of the standard deviation.
        batch: images at once.
        class_map: lines of a class' folder, in the order of the network's answers; None where the sorted
            names are in that order.
    """

    resolution: int | None = None
    mean: Sequence[float] | None = None
    deviation: Sequence[float] | None = None
    batch: int = 64
    class_map: Path | None = None


@dataclass(frozen=True)
class FolderOfImages:
    """Images as a network was made to take them.

    Attributes:
        config: timm's data config: size, crop, interpolation, mean and deviation.
        name: of the folder, with a digest of its files.
        loader: gives images (B, C, R, R) and labels (B,).
    """

    config: dict[str, Any]
    name: str
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
        for images, labels in self.loader:
            yield images.to(device), labels.to(device)


class _EveryImage(Dataset[tuple[Tensor, int]]):
    """What timm's reader finds; timm's own data set puts the next image in the place of a damaged one.

    Attributes:
        transform: set by timm's loader.
    """

    transform: Callable[[Image.Image], Tensor]

    def __init__(self, reader: Any, mode: str) -> None:
        self._reader, self._mode = reader, mode

    def __len__(self) -> int:
        return len(self._reader)

    def __getitem__(self, place: int) -> tuple[Tensor, int]:
        path, label = self._reader.samples[place]
        with told_of(path), Image.open(path) as image:
            return self.transform(image.convert(self._mode)), label


def open_folder(folder: Path, network: nn.Module, name: str, wanted: Wanted) -> FolderOfImages:
    """Open a folder of images for a network, as timm's own validation does.

    Args:
        folder: a folder a class in it.
        network: vanilla, in eval mode; timm's say themselves what they take.
        name: the network's name, for messages.
        wanted: how images are to be given.

    Raises:
        UsageError: there are no such folders or images, or as many classes as the network has answers, or
            the map of classes leaves some out.
    """
    import timm.data  # takes seconds, and few need it

    library: Any = timm.data
    if not folder.is_dir():
        raise UsageError(f"--data {folder}: is no folder; give one that holds a folder of images a class")
    config = _config(library, network, name, wanted)
    reader = _reader(library, folder, wanted.class_map)
    answers = answers_of(name, network, torch.zeros(1, *config["input_size"]))
    _refuse_other_classes(folder, len(reader.class_to_idx), name, answers)
    images = _EveryImage(reader, _MODES[config["input_size"][0]])
    named = {key: config[key] for key in _OF_THE_LOADER}
    loader = library.create_loader(images, batch_size=wanted.batch, **named, **_PLAIN)
    return FolderOfImages(
        config, named_by_files(Path(reader.root), (path for path, _ in reader.samples)), loader
    )


def _config(library: Any, network: nn.Module, name: str, wanted: Wanted) -> dict[str, Any]:
    """Give timm's data config of a network, or of one for grey images that says nothing."""
    size = tuple(example_of(network, wanted.resolution).shape[1:])
    if len(size) != 3 or size[0] not in _MODES:
        raise UsageError(
            f"network {name!r} takes no images of one channel (grey) or three (colour); choose one that does"
        )
    asked: dict[str, Any] = {"input_size": size, "mean": wanted.mean, "std": wanted.deviation}
    for option, values in (("--mean", wanted.mean), ("--std", wanted.deviation)):
        if values is not None and len(values) not in (1, size[0]):
            raise UsageError(f"{option}: has {len(values)} numbers; give one, or one a channel: {size[0]}")
    if size[0] == 1:
        own = getattr(network, "pretrained_cfg", None) or {}
        asked |= {key: value for key, value in _GREY.items() if not asked.get(key) and not own.get(key)}
    config: dict[str, Any] = library.resolve_data_config(asked, model=network)
    return config


def _reader(library: Any, folder: Path, class_map: Path | None) -> Any:
    """Find the images of each class."""
    found = _found(library, folder, "")
    if "" in found.class_to_idx:
        raise UsageError(f"--data {folder}: holds images of no class; put each into the folder of its class")
    if class_map is None:
        return found
    known = read_class_map(class_map)
    refuse_unmapped(class_map, known, found.class_to_idx)
    return _found(library, folder, known)


def _found(library: Any, folder: Path, classes: str | Mapping[str, int]) -> Any:
    try:
        return library.create_dataset("", str(folder), class_map=classes).reader
    except (OSError, RuntimeError) as error:
        raise UsageError(f"--data {folder}: holds no folders of images: {_first_line(error)}") from error


def _refuse_other_classes(folder: Path, classes: int, name: str, answers: int) -> None:
    """Stop where the network's answers and the folder's classes cannot be the same."""
    if classes != answers:
        raise UsageError(
            f"--data {folder}: has {classes} classes, and network {name!r} gives {answers} answers; give a "
            "folder of all its classes, or with --class-map a file of their folders' names in its order"
        )


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
