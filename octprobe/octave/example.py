"""What a network takes: the rank, size and number format of an input for it."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd

from octprobe.errors import ConversionError
from octprobe.octave.frequency import SPACE_AXES

# ImageNet's resolution, for networks that do not say what they were made for.
_USUAL_RESOLUTION = 224
# Kinetics' clip, the one that torchvision's video networks were made for: frames, and pixels a side.
_USUAL_CLIP = (16, 112, 112)
_USUAL_LENGTH = 1024
_IMAGE_CHANNELS = 3
# Stems that fold blocks of so many pixels a side into channels, as TResNet's does.
_SPACE_TO_DEPTH = (2, 4, 8)


def example_of(model: nn.Module, resolution: int | None = None) -> Tensor:
    """Give an empty input, on meta, of the size that a network says it was made for, else of a usual one.

    Args:
        model: the network.
        resolution: the sides of an image, of a clip's frames, or the length of a series, instead of its own.

    Raises:
        ConversionError: the network has no convolution, and so says nothing of its input.
    """
    first, rank = _first_conv(model), rank_of(model)
    usual = {1: (_USUAL_LENGTH,), 2: (_USUAL_RESOLUTION, _USUAL_RESOLUTION), 3: _USUAL_CLIP}[rank]
    channels, *size = _own_size(model) if rank == 2 else (first.in_channels, *usual)
    if resolution is not None:
        size = [resolution if axis >= len(size) - SPACE_AXES else side for axis, side in enumerate(size)]
    folded = first.in_channels in {channels * factor**2 for factor in _SPACE_TO_DEPTH}
    shape = (1, channels if folded else first.in_channels, *size)
    return torch.empty(shape, dtype=first.weight.dtype, device="meta")


def _own_size(model: nn.Module) -> tuple[int, ...]:
    """Give the channels, height and width that a network of timm says it was made for, or usual ones."""
    config = getattr(model, "pretrained_cfg", None)
    size = config.get("input_size") if isinstance(config, Mapping) else None
    return tuple(size) if size else (_IMAGE_CHANNELS, _USUAL_RESOLUTION, _USUAL_RESOLUTION)


def _first_conv(model: nn.Module) -> _ConvNd:
    first = next((m for m in model.modules() if isinstance(m, _ConvNd)), None)
    if first is None:
        raise ConversionError(f"{type(model).__name__} has no convolution; there is nothing to make octave")
    return first


def rank_of(model: nn.Module) -> int:
    """Give the axes of a network's space and time: those of its first convolution."""
    return len(_first_conv(model).kernel_size)


def dtype_of(model: nn.Module) -> torch.dtype | None:
    """Give the number format of a network's first parameter; None without any."""
    return next((parameter.dtype for parameter in model.parameters()), None)
