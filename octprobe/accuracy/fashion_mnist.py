"""Fashion-MNIST, or what is kept in files like its own: images and labels in the form of MNIST's authors."""

import gzip
import math
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from octprobe.accuracy.data import ImageSet
from octprobe.accuracy.naming import content_digest, named_by_content
from octprobe.errors import UsageError

NAME: Final = "fashion-mnist"
CLASSES: Final = 10
# Debian's package dataset-fashion-mnist puts its files here.
DEBIAN = Path("/usr/share/datasets/fashion-mnist")
_FILES: Final = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}
# `content_digest` of the images of github.com/zalandoresearch/fashion-mnist: of Debian's files, which unpack
# to the same bytes as the files whose MD5 torchvision's FashionMNIST.resources lists.
_OFFICIAL: Final = "eee656c63c1c7a3b7c885d28c97fd74dc039264ce75eae7cb8d991df379ef736"


def read_fashion(folder: Path) -> tuple[str, ImageSet, ImageSet]:
    """Read a folder's four files.

    Returns:
        the name, with a digest where the images are not the ones that everybody means by it; what is known,
        and what is tested.

    Raises:
        UsageError: the files are not there, are damaged, or do not belong together.
    """
    (train, train_labels), (test, test_labels) = (_pair(folder, part) for part in _FILES)
    if train.shape[1:] != test.shape[1:]:
        raise UsageError(
            f"--data {folder}: train images are of {_size(train)} pixels, test images of {_size(test)}; "
            "they have to be of one size"
        )
    digest = content_digest((train, train_labels, test, test_labels))
    name = NAME if digest == _OFFICIAL else named_by_content(NAME, digest)
    return name, _image_set(train, train_labels), _image_set(test, test_labels)


def _image_set(images: Tensor, labels: Tensor) -> ImageSet:
    return ImageSet(images[:, None], labels.long())


def _size(images: Tensor) -> str:
    return f"{images.shape[1]} x {images.shape[2]}"


def _pair(folder: Path, part: str) -> tuple[Tensor, Tensor]:
    """Read images (N, R, R) and labels (N,) of one part, uint8."""
    images, labels = (_idx(_file(folder, name)) for name in _FILES[part])
    if images.dim() != 3 or labels.dim() != 1 or len(images) != len(labels):
        raise UsageError(f"--data {folder}: {part} images and labels do not belong together; get them anew")
    if images.shape[1] != images.shape[2]:
        raise UsageError(
            f"--data {folder}: {part} images are of {_size(images)} pixels; they have to be square"
        )
    if int(labels.max()) >= CLASSES:
        raise UsageError(
            f"--data {folder}: {part} labels go up to {int(labels.max())}; they are of ten classes"
        )
    return images, labels


def _file(folder: Path, name: str) -> Path:
    for place in (folder, folder / "FashionMNIST" / "raw"):
        for file in (place / f"{name}.gz", place / name):
            if file.is_file():
                return file
    raise UsageError(
        f"--data {folder}: holds no {name}.gz; give the folder of Fashion-MNIST's four files, "
        f"such as {DEBIAN}"
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
    if len(content) == start:
        raise UsageError(f"{file}: holds nothing, its sizes are {' x '.join(map(str, shape))}; get it anew")
    return torch.frombuffer(bytearray(content), dtype=torch.uint8, offset=start).view(shape)
