"""Where the images of each data set come from: files that are there, or torchvision's download."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch

from octprobe.accuracy import fashion_mnist
from octprobe.accuracy.data import DataSet, ImageSet, split
from octprobe.accuracy.image_file import told_of
from octprobe.accuracy.naming import named_by_files
from octprobe.cache import cache_folder
from octprobe.errors import MachineError, UsageError
from octprobe.plan.recipe import Recipe

# The parts of an image folder that is trained on: each with a folder a class.
_FOLDERS: Final = ("train", "val")
# Images are held in memory; more than so many bytes is a data set for which this loop was not made.
_MOST_BYTES = 4 * 2**30
_IMAGENET_RESOLUTION = 224


@dataclass(frozen=True)
class Found:
    """A data set whose name is known, before all of its images are in memory.

    Attributes:
        name: the recipe's, where the images are those that everybody means by it; otherwise with a digest of
            them, and of an image folder its own name with a digest of its files.
        classes: number of classes.
        images: gives what is known, and what is tested.
    """

    name: str
    classes: int
    images: Callable[[], tuple[ImageSet, ImageSet]]


def find_data(recipe: Recipe, folder: Path | None) -> Found:
    """Find the data set of a recipe, and what its content is called.

    Args:
        recipe: names the data set.
        folder: where its files are, or, where torchvision fetches it, are to be; None for the usual place.

    Raises:
        UsageError: the folder does not hold the data set.
        MachineError: the data set is not here and cannot be fetched.
    """
    return _FINDERS[recipe.dataset](folder, recipe.resolution)


def in_memory(found: Found, recipe: Recipe) -> DataSet:
    """Read a data set that was found, split and cut as its recipe says.

    Raises:
        UsageError: an image cannot be read, or none is left to train on.
        MachineError: the data set is not here and cannot be fetched.
    """
    known, test = found.images()
    whole = split(
        found.name,
        known,
        test,
        classes=found.classes,
        validation=recipe.validation,
        resolution=recipe.resolution,
    )
    return whole if recipe.images is None else whole.of_first(recipe.images)


def read_data(recipe: Recipe, folder: Path | None) -> DataSet:
    """Find the data set of a recipe and read it into memory; see `find_data` and `in_memory`."""
    return in_memory(find_data(recipe, folder), recipe)


def _fashion(folder: Path | None, resolution: int | None) -> Found:
    place = folder or (fashion_mnist.DEBIAN if fashion_mnist.DEBIAN.is_dir() else _fetched_fashion())
    name, known, test = fashion_mnist.read_fashion(place)
    return Found(name, fashion_mnist.CLASSES, lambda: (known, test))


def _fetched_fashion() -> Path:
    fetched = _fetch(fashion_mnist.NAME, "FashionMNIST", _download_folder())
    return Path(fetched.raw_folder)


def _cifar(kind: str, name: str, classes: int) -> Callable[[Path | None, int | None], Found]:
    """Give a finder of one of the two sets; torchvision takes files of their own MD5 alone."""

    def images(folder: Path | None) -> tuple[ImageSet, ImageSet]:
        parts = [_fetch(name, kind, folder or _download_folder(), train=train) for train in (True, False)]
        known, test = (
            ImageSet(torch.from_numpy(part.data).permute(0, 3, 1, 2).contiguous(), torch.tensor(part.targets))
            for part in parts
        )
        return known, test

    return lambda folder, resolution: Found(name, classes, lambda: images(folder))


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


def _image_folder(folder: Path | None, resolution: int | None) -> Found:
    if folder is None:
        raise UsageError(
            "imagefolder: give its folder with --data: train/ and val/, each with a folder a class"
        )
    train, test = (_class_folders(folder / part) for part in _FOLDERS)
    if train.classes != test.classes:
        odd = sorted(set(train.classes) ^ set(test.classes))
        raise UsageError(f"--data {folder}: train/ and val/ have other classes: {', '.join(odd[:3])}")
    side = resolution or _IMAGENET_RESOLUTION
    _refuse_many(folder, len(train) + len(test), side)
    name = named_by_files(folder, (file for part in (train, test) for file, _ in part.samples))
    return Found(name, len(train.classes), lambda: (_read_all(train, side), _read_all(test, side)))


def _refuse_many(folder: Path, images: int, side: int) -> None:
    wanted = images * 3 * side * side
    if wanted > _MOST_BYTES:
        raise UsageError(
            f"--data {folder}: {images:,} images of {side} pixels fill {wanted / 2**30:.1f} GiB of memory, "
            f"above {_MOST_BYTES / 2**30:.0f}; lower resolution, or train with timm and evaluate its weights"
        )


def _class_folders(folder: Path) -> Any:
    from torchvision.datasets import ImageFolder  # takes seconds, and few need it

    try:
        return ImageFolder(folder)
    except OSError as error:
        said = str(error).partition("\n")[0]
        raise UsageError(f"--data {folder}: is no folder with a folder of images a class: {said}") from error


def _read_all(source: Any, side: int) -> ImageSet:
    """Hold images at one size: the shorter side scaled to it, the middle cut out."""
    from torchvision.transforms import v2  # takes seconds, and few need it

    shape = v2.Compose([v2.PILToTensor(), v2.Resize(side, antialias=True), v2.CenterCrop(side)])
    images = torch.empty(len(source), 3, side, side, dtype=torch.uint8)
    for place, (file, _) in enumerate(source.samples):
        with told_of(file):
            images[place] = shape(source.loader(file))
    return ImageSet(images, torch.tensor(source.targets))


_FINDERS: Final[Mapping[str, Callable[[Path | None, int | None], Found]]] = {
    fashion_mnist.NAME: _fashion,
    "cifar-10": _cifar("CIFAR10", "cifar-10", 10),
    "cifar-100": _cifar("CIFAR100", "cifar-100", 100),
    "imagefolder": _image_folder,
}
