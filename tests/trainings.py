"""What tests of trainings train: tiny networks, and images whose class a person sees at once."""

import gzip
from decimal import Decimal
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn

from octprobe.accuracy.data import DataSet, ImageSet, split
from octprobe.plan.recipe import Recipe
from octprobe.small_networks import SmallResNet

SIDE = 12
CLASSES = 10
ALPHAS = (Decimal(0), Decimal("0.5"))
FASHION = Path("/usr/share/datasets/fashion-mnist")


def tiny() -> nn.Module:
    """Give a residual network of a few thousand parameters, for gray images and ten classes."""
    return SmallResNet((1, 1, 1), (8, 8, 16))


def dropping() -> nn.Module:
    """Give a small network with dropout, which draws from torch's own generator."""
    return nn.Sequential(
        nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.Flatten(), nn.Dropout(), nn.Linear(8 * (SIDE - 2) ** 2, 10)
    )


def colourful() -> nn.Module:
    """Give a network of two layers for images in colour."""
    convolution = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU())
    return nn.Sequential(convolution, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, CLASSES))


def recipe(**changed: Any) -> Recipe:
    """Give a recipe of two short epochs; keywords change it."""
    values: dict[str, Any] = {
        "version": 1,
        "name": "tiny",
        "network": "trainings:tiny",
        "dataset": "fashion-mnist",
        "epochs": 2,
        "batch": 16,
        "learning_rate": 0.05,
        "validation": 20,
        "ema": 0.9,
        "warmup": 1,
        "label_smoothing": 0.1,
        "augmentation": {"shift": 1, "flip": True},
        "weight_decay": 1e-4,
        "statistics_images": 64,
        "alphas": ALPHAS,
    }
    return Recipe(**values | changed)


def stripes(count: int, seed: int = 0, channels: int = 1) -> ImageSet:
    """Give noisy images in which the bright row tells the class."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % CLASSES
    images = torch.randint(80, (count, channels, SIDE, SIDE), generator=generator, dtype=torch.uint8)
    images[torch.arange(count), :, labels + 1] += 150
    return ImageSet(images, labels)


def small_data(count: int = 84, channels: int = 1) -> DataSet:
    """Give a data set of stripes, 20 of them kept for validation."""
    known, test = stripes(count, 0, channels), stripes(30, 1, channels)
    return split("stripes", known, test, classes=CLASSES, validation=20, resolution=None)


def idx(values: Tensor) -> bytes:
    """Write bytes in the form of MNIST's authors."""
    sizes = b"".join(size.to_bytes(4, "big") for size in values.shape)
    return bytes([0, 0, 8, values.dim()]) + sizes + values.to(torch.uint8).numpy().tobytes()


def write_fashion(folder: Path, known: ImageSet, test: ImageSet, *, zipped: bool = True) -> Path:
    """Write grey images as Fashion-MNIST's four files; give the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for part, images in (("train", known), ("t10k", test)):
        for name, values in (("images-idx3", images.images[:, 0]), ("labels-idx1", images.labels)):
            file = folder / f"{part}-{name}-ubyte"
            content = idx(values)
            if zipped:
                file.with_name(f"{file.name}.gz").write_bytes(gzip.compress(content, compresslevel=1))
            else:
                file.write_bytes(content)
    return folder


def write_images(
    folder: Path, classes: dict[str, int], size: tuple[int, int] = (6, 4), shade: int = 20
) -> Path:
    """Write images in colour, a folder a class; give the folder."""
    for name, count in classes.items():
        (folder / name).mkdir(parents=True)
        for number in range(count):
            Image.new("RGB", size, (10 * number, shade, 30)).save(folder / name / f"{number}.png")
    return folder
