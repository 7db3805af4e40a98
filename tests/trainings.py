"""What tests of trainings train: tiny networks, and images whose class a person sees at once."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import torch
from torch import nn

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
