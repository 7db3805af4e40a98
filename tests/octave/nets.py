"""Networks for the conversion's tests: real ones by name, and small ones that are quick."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from octprobe.networks import build_network


def with_random_statistics(model: nn.Module) -> nn.Module:
    """Give every batch norm random statistics and parameters, so that each channel is one of its own."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor, low, high in (
                (module.weight, 0.5, 1.5),
                (module.bias, -0.5, 0.5),
                (module.running_mean, -0.5, 0.5),
                (module.running_var, 0.5, 1.5),
            ):
                nn.init.uniform_(tensor, low, high)
    return model


def constant_field_network(name: str) -> nn.Module:
    """Build a network in float64 that keeps what is constant over space constant."""
    torch.manual_seed(0)
    return replicating(with_random_statistics(build_network(name))).double().eval()


def replicating(model: nn.Module) -> nn.Module:
    """Make every convolution pad with its border's own values."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            module.padding_mode = "replicate"
    return model


def constant_image(size: int) -> Tensor:
    """Give an image of one colour, (1, 3, size, size)."""
    torch.manual_seed(1)
    return torch.randn(1, 3, 1, 1, dtype=torch.float64).expand(1, 3, size, size).contiguous()


class Block(nn.Module):
    """A residual block with one activation called twice and a functional dropout."""

    def __init__(self, channels: int, norm: Callable[[int], nn.Module]) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.norm1 = norm(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        self.norm2 = norm(channels)
        self.act = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Add the block's work to its input."""
        y = functional.dropout(self.act(self.norm1(self.conv1(x))), 0.5, self.training)
        return self.act(x + self.norm2(self.conv2(y)))


class Small(nn.Module):
    """Stem, two residual blocks, a down-sampling and a head; 8 x 8 from the first block on at 16 pixels."""

    def __init__(self, norm: Callable[[int], nn.Module] = nn.BatchNorm2d) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, 2, 1)
        self.block1 = Block(8, norm)
        self.block2 = Block(8, norm)
        self.down = nn.Conv2d(8, 16, 3, 2, 1)
        self.fc = nn.Linear(16, 5)

    def forward(self, x: Tensor) -> Tensor:
        """Classify (B, 3, H, W) into five."""
        x = self.block2(self.block1(functional.relu(self.stem(x))))
        return self.fc(functional.relu(self.down(x)).mean((2, 3)))


class Chain(nn.Module):
    """Convolutions 3 -> 8 -> 8 -> 4 with something in between."""

    def __init__(self, between: nn.Module, middle: nn.Conv2d | None = None) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, padding=1)
        self.middle = middle or nn.Conv2d(8, 8, 3, padding=1)
        self.between = between
        self.last = nn.Conv2d(8, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Give (B, 4, ., .)."""
        return self.last(self.between(self.middle(self.first(x))))
