"""Networks of octprobe's own, small enough to be trained on two processor cores, of timm's blocks."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from timm.layers.classifier import ClassifierHead
from timm.models.resnet import BasicBlock, downsample_conv
from torch import Tensor, nn

# Fashion-MNIST's images: gray, 28 pixels a side, of ten kinds.
_IMAGE = (1, 28, 28)
_CLASSES = 10


class SmallResNet(nn.Module):
    """A residual network of three stages for small gray images, with timm's names for its parts.

    Its stem halves the image once, without a pool after it, so that a stage still has space to halve. As in
    any network whose last stage follows a down-sampling, a uniform alpha makes the stages before it octave.

    Attributes:
        pretrained_cfg: what it takes and gives, as timm's networks say it.

    Args:
        blocks: residual blocks in each stage.
        channels: channels of each stage; the stem has those of the first.
    """

    def __init__(self, blocks: tuple[int, ...], channels: tuple[int, ...]) -> None:
        super().__init__()
        self.pretrained_cfg: Mapping[str, Any] = {"input_size": _IMAGE, "num_classes": _CLASSES}
        self.conv1 = nn.Conv2d(_IMAGE[0], channels[0], 3, stride=2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels[0])
        self.act1 = nn.ReLU(inplace=True)
        incoming = (channels[0], *channels)
        self.layer1, self.layer2, self.layer3 = (
            _stage(before, after, count, halves=number > 0)
            for number, (before, after, count) in enumerate(zip(incoming, channels, blocks, strict=False))
        )
        self.head = ClassifierHead(channels[-1], _CLASSES)
        self.apply(_initialise)

    def forward(self, x: Tensor) -> Tensor:
        """Give the logits (B, 10) of images (B, 1, H, W)."""
        x = self.act1(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        logits: Tensor = self.head(x)
        return logits


def _stage(before: int, after: int, blocks: int, *, halves: bool) -> nn.Sequential:
    stride = 2 if halves else 1
    shortcut = None
    if halves or before != after:
        shortcut = downsample_conv(before, after, 1, stride=stride, norm_layer=nn.BatchNorm2d)
    first = BasicBlock(before, after, stride, shortcut)
    return nn.Sequential(first, *(BasicBlock(after, after) for _ in range(blocks - 1)))


def _initialise(module: nn.Module) -> None:
    """Begin as timm's residual networks do: each block as its shortcut alone."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    if isinstance(module, BasicBlock):
        with torch.no_grad():
            module.zero_init_last()


NETWORKS: Mapping[str, Callable[[], nn.Module]] = {
    "resnet8": partial(SmallResNet, (1, 1, 1), (32, 64, 128)),
    "resnet14": partial(SmallResNet, (2, 2, 2), (32, 64, 128)),
}
