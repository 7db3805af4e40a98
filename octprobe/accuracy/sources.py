"""Where the images of each data set come from: files that are there, or torchvision's download."""

import gzip
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from octprobe.accuracy.data import DataSet, ImageSet, split
from octprobe.cache import cache_folder
from octprobe.errors import MachineError, UsageError
from octprobe.plan.recipe import Recipe

# Debian's package dataset-fashion-mnist puts its files here.
_DEBIAN = Path("/usr/share/datasets/fashion-mnist")
_FASHION_FILES: Final = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}
_FASHION_CLASSES = 10
# The parts of an image folder that is trained on: each with a folder a class.
_FOLDERS: Final = ("train", "val")
# Images are held in memory; more than so many bytes is a data set for which this loop was not made.
_MOST_BYTES = 4 * 2**30
_IMAGENET_RESOLUTION = 224
_IMAGE_FOLDER = "imagefolder"


def read_data(recipe: Recipe, folder: Path | None) -> DataSet:
    """Read the data set of a recipe into memory.

    Args:
        recipe: names the data set, and says how it is split and how much of it is learned from.
        folder: where its files are, or, where torchvision fetches it, are to be; None for the usual place.

    Raises:
        UsageError: the folder does not hold the data set.
        MachineError: the data set is not here and cannot be fetched.
    """
    known, test, classes = _READERS[recipe.dataset](folder, recipe.resolution)
    whole = split(
        data_name(recipe, folder),
        known,
        test,
        classes=classes,
        validation=recipe.validation,
        resolution=recipe.resolution,
    )
    return whole if recipe.images is None else whole.of_first(recipe.images)


def data_name(recipe: Recipe, folder: Path | None) -> str:
    """Name the data set of a recipe: an image folder by its own name."""
    if recipe.dataset == _IMAGE_FOLDER and folder is not None:
        return folder.resolve().name
    return recipe.dataset


Read = tuple[ImageSet, ImageSet, int]


def _fashion(folder: Path | None, resolution: int | None) -> Read:
    place = folder or (_DEBIAN if _DEBIAN.is_dir() else _fetched_fashion())
    train, test = (_idx_pair(place, part) for part in ("train", "test"))
    return train, test, _FASHION_CLASSES


def _fetched_fashion() -> Path:
    fetched = _fetch("fashion-mnist", "FashionMNIST", _download_folder())
    return Path(fetched.raw_folder)


def _idx_pair(folder: Path, part: str) -> ImageSet:
    """Read the images and labels of one part in the form that MNIST's authors defined."""
    images, labels = (_idx(_idx_file(folder, name)) for name in _FASHION_FILES[part])
    if images.dim() != 3 or labels.dim() != 1 or len(images) != len(labels) or not len(labels):
        raise UsageError(f"--data {folder}: {part} images and labels do not belong together; get them anew")
    if int(labels.max()) >= _FASHION_CLASSES:
        raise UsageError(
            f"--data {folder}: {part} labels go up to {int(labels.max())}; they are of ten classes"
        )
    return ImageSet(images[:, None], labels.long())


def _idx_file(folder: Path, name: str) -> Path:
    for place in (folder, folder / "FashionMNIST" / "raw"):
        for file in (place / f"{name}.gz", place / name):
            if file.is_file():
                return file
    raise UsageError(
        f"--data {folder}: holds no {name}.gz; give the folder of Fashion-MNIST's four files, "
        f"such as {_DEBIAN}"
    )


def _idx(file: Path) -> Tensor:
    """Read an IDX file of unsigned bytes: two zero bytes, 8, the count of axes, their lengths, values."""
    try:
        content = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    except (OSError, EOFError, gzip.zlib.error) as error:  # type: ignore[attr-defined]  # zlib as gzip raises it
        raise UsageError(f"{file}: cannot be read: {error}; get it anew") from error
    axes = content[3] if len(content) > 4 and content[:3] == b"\0\0\x08" else 0
    start = 4 + 4 * axes
    shape = [int.from_bytes(content[4 + 4 * axis : 8 + 4 * axis], "big") for axis in range(axes)]
    if not axes or len(content) - start != math.prod(shape):
        raise UsageError(f"{file}: is no IDX file of bytes, or is cut short; get it anew")
    return torch.frombuffer(bytearray(content[start:]), dtype=torch.uint8).view(shape)


def _cifar(kind: str, name: str, classes: int) -> Callable[[Path | None, int | None], Read]:
    def read(folder: Path | None, resolution: int | None) -> Read:
        parts = [_fetch(name, kind, folder or _download_folder(), train=train) for train in (True, False)]
        known, test = (
            ImageSet(torch.from_numpy(part.data).permute(0, 3, 1, 2).contiguous(), torch.tensor(part.targets))
            for part in parts
        )
        return known, test, classes

    return read


def _fetch(name: str, kind: str, folder: Path, **options: Any) -> Any:
    """Have torchvision find a data set, or download it where it is not there yet."""
    from torchvision import datasets  # takes seconds, and few need it

    try:
        return getattr(datasets, kind)(folder, download=True, **options)
    except (OSError, RuntimeError, ValueError, EOFError) as error:
        said = str(getattr(error, "reason", None) or error).partition("\n")[0]
        raise MachineError(
            f"{name}: is not in {folder} and cannot be fetched: {said}; give its folder with --data"
        ) from error


def _download_folder() -> Path:
    return cache_folder() / "data"


def _image_folder(folder: Path | None, resolution: int | None) -> Read:
    if folder is None:
        raise UsageError(
            "imagefolder: give its folder with --data: train/ and val/, each with a folder a class"
        )
    train, test = (_class_folders(folder / part) for part in _FOLDERS)
    if train.classes != test.classes:
        odd = sorted(set(train.classes) ^ set(test.classes))
        raise UsageError(f"--data {folder}: train/ and val/ have other classes: {', '.join(odd[:3])}")
    side = resolution or _IMAGENET_RESOLUTION
    wanted = (len(train) + len(test)) * 3 * side * side
    if wanted > _MOST_BYTES:
        raise UsageError(
            f"--data {folder}: {len(train) + len(test):,} images of {side} pixels fill "
            f"{wanted / 2**30:.1f} GiB of memory, above {_MOST_BYTES / 2**30:.0f}; lower resolution, or "
            "train with timm and evaluate its checkpoint"
        )
    return _in_memory(train, side), _in_memory(test, side), len(train.classes)


def _class_folders(folder: Path) -> Any:
    from torchvision.datasets import ImageFolder  # takes seconds, and few need it

    try:
        return ImageFolder(folder)
    except OSError as error:
        said = str(error).partition("\n")[0]
        raise UsageError(f"--data {folder}: is no folder with a folder of images a class: {said}") from error


def _in_memory(source: Any, side: int) -> ImageSet:
    """Hold images at one size: the shorter side scaled to it, the middle cut out."""
    from torchvision.transforms import v2  # takes seconds, and few need it

    shape = v2.Compose([v2.PILToTensor(), v2.Resize(side, antialias=True), v2.CenterCrop(side)])
    images = torch.empty(len(source), 3, side, side, dtype=torch.uint8)
    for place, (image, _) in enumerate(source):
        images[place] = shape(image)
    return ImageSet(images, torch.tensor(source.targets))


_READERS: Final[Mapping[str, Callable[[Path | None, int | None], Read]]] = {
    "fashion-mnist": _fashion,
    "cifar-10": _cifar("CIFAR10", "cifar-10", 10),
    "cifar-100": _cifar("CIFAR100", "cifar-100", 100),
    _IMAGE_FOLDER: _image_folder,
}
