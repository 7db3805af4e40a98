"""The blocks of well-known networks in one small network, with random statistics, made octave."""

import functools

import torch
from timm.models._efficientnet_blocks import InvertedResidual
from timm.models.regnet import Bottleneck as GatedBottleneck
from timm.models.resnet import Bottleneck
from torch import Tensor, nn

from octave.nets import with_random_statistics
from octprobe.octave import octavize

SIDE = 32


class Blocks(nn.Module):
    """ResNet-50's, MobileNetV2's and RegNetY's blocks in a row, each as timm builds it."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 32, 3, 2, 1)
        self.block1 = Bottleneck(32, 8)
        self.block2 = InvertedResidual(32, 16, 3, stride=2, exp_ratio=2.0)
        self.block3 = GatedBottleneck(16, 32, stride=2, group_size=8, se_ratio=0.25)
        self.last = nn.Conv2d(32, 16, 1)
        self.fc = nn.Linear(16, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Classify an image."""
        x = self.block3(self.block2(self.block1(self.stem(x))))
        return self.fc(self.last(x).mean((2, 3)))


@functools.cache
def octave_blocks() -> nn.Module:
    """Build the blocks at alpha 0.5, once."""
    torch.manual_seed(0)
    vanilla = with_random_statistics(Blocks()).eval()
    return octavize(vanilla, {"block*": 0.5}, torch.zeros(1, 3, SIDE, SIDE))
