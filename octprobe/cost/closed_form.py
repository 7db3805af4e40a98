"""MACs by octave path, and a layer's feature maps, from shapes alone: what is counted must come out equal."""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from math import prod
from typing import Any

from torch import Tensor, nn

from octprobe.octave import OctaveConv2d
from octprobe.octave.conv import is_depthwise
from octprobe.octave.frequency import half
from octprobe.store.records import PathMacs

Transposed = nn.ConvTranspose1d | nn.ConvTranspose2d | nn.ConvTranspose3d
PlainLayer = nn.Conv1d | nn.Conv2d | nn.Conv3d | nn.Linear | Transposed
_FLOAT32_BYTES = 4


@dataclass(frozen=True)
class LayerMacs:
    """One layer's MACs in a forward call of one item, by path."""

    name: str
    macs: PathMacs


def octave_macs(layer: OctaveConv2d, height: int, width: int) -> PathMacs:
    """Give an octave convolution's MACs an item, by path.

    A path costs its output channels times its input channels a group times the kernel's area times the output
    positions of its convolution; low to high runs before the up-sampling at stride 1, and at the output's own
    size at stride 2.

    Args:
        layer: the convolution.
        height: height of the input's high part, or of a plain input.
        width: its width.
    """
    sides = (height, width)
    high_out = sides if layer.stride[0] == 1 else tuple(map(half, sides))
    low_in, low_out = tuple(map(half, sides)), tuple(map(half, high_out))
    return PathMacs(
        h2h=_path_macs(layer, "h", "h") * prod(high_out),
        h2l=_path_macs(layer, "h", "l") * prod(low_out),
        l2h=_path_macs(layer, "l", "h") * prod(low_in),
        l2l=_path_macs(layer, "l", "l") * prod(low_out),
    )


def _path_macs(layer: OctaveConv2d, source: str, target: str) -> int:
    """Give MACs an output position of one path."""
    low_in, low_out = len(layer.low_in), len(layer.low_out)
    inputs = low_in if source == "l" else layer.in_channels - low_in
    outputs = low_out if target == "l" else layer.out_channels - low_out
    area = prod(layer.kernel_size)
    if is_depthwise(layer):
        return outputs * area if source == target else 0
    return outputs * (inputs // layer.groups) * area


def plain_macs(layer: PlainLayer, source: Tensor, output: Tensor) -> int:
    """Give a plain convolution's or linear layer's MACs an item.

    Args:
        layer: the layer.
        source: its input (B, ...); an input without a batch is not told apart from one with.
        output: its output (B, ...).
    """
    positions = source if isinstance(layer, Transposed) else output
    return positions[0].numel() * prod(layer.weight.shape[1:])


def feature_map_bytes(layer: nn.Module, height: int, width: int) -> int | None:
    """Give the bytes of a convolution's input and output an item, in float32; None for anything else.

    A value of alpha a holds 1 - 3/4 a of the plain value's bytes at even sizes (arXiv 1904.05049, table 1).

    Args:
        layer: a plain or an octave convolution; a network has no such closed form.
        height: height of the input's high part, or of a plain input.
        width: its width.
    """
    if not isinstance(layer, OctaveConv2d | nn.Conv2d):
        return None
    low_in, low_out = (len(layer.low_in), len(layer.low_out)) if isinstance(layer, OctaveConv2d) else (0, 0)
    sides = (height, width)
    values = _values(layer.in_channels, low_in, sides) + _values(
        layer.out_channels, low_out, _sides_out(layer, sides)
    )
    return _FLOAT32_BYTES * values


def _values(channels: int, low: int, sides: tuple[int, ...]) -> int:
    """Give the numbers that a value of so many channels holds, of which some are low."""
    return (channels - low) * prod(sides) + low * prod(map(half, sides))


def _sides_out(layer: OctaveConv2d | nn.Conv2d, sides: tuple[int, ...]) -> tuple[int, ...]:
    if layer.padding == "same":
        return sides
    padding = (0, 0) if isinstance(layer.padding, str) else layer.padding
    geometry = zip(sides, padding, layer.dilation, layer.kernel_size, layer.stride, strict=True)
    return tuple((side + 2 * p - d * (k - 1) - 1) // s + 1 for side, p, d, k, s in geometry)


class LayerRecorder(AbstractContextManager["LayerRecorder"]):
    """Listens to one forward call of a model and keeps each layer's MACs.

    Args:
        model: the model to listen to.

    Attributes:
        layers: the layers in the order called.
    """

    def __init__(self, model: nn.Module) -> None:
        self._model = model
        self._hooks = ExitStack()
        self.layers: list[LayerMacs] = []

    def __enter__(self) -> "LayerRecorder":
        """Start to listen."""
        for name, module in self._model.named_modules():
            if isinstance(module, OctaveConv2d):
                self._hooks.callback(module.register_forward_hook(self._octave_hook(name)).remove)
            elif isinstance(module, PlainLayer):
                self._hooks.callback(
                    module.register_forward_hook(self._plain_hook(name), with_kwargs=True).remove
                )
        return self

    def __exit__(self, *_: object) -> None:
        """Stop listening."""
        self._hooks.close()

    @property
    def total(self) -> PathMacs:
        """Sum the layers, path by path."""
        paths = ("h2h", "h2l", "l2h", "l2l", "plain")
        return PathMacs(**{path: sum(getattr(layer.macs, path) for layer in self.layers) for path in paths})

    def _octave_hook(self, name: str) -> Callable[..., None]:
        def hear(layer: OctaveConv2d, inputs: tuple[Any, ...], _: Any) -> None:
            high = inputs[0] if isinstance(inputs[0], Tensor) else inputs[0][0]
            self.layers.append(LayerMacs(name, octave_macs(layer, high.shape[-2], high.shape[-1])))

        return hear

    def _plain_hook(self, name: str) -> Callable[..., None]:
        def hear(layer: PlainLayer, args: tuple[Any, ...], kwargs: dict[str, Any], output: Tensor) -> None:
            source = args[0] if args else kwargs["input"]
            self.layers.append(LayerMacs(name, PathMacs(plain=plain_macs(layer, source, output))))

        return hear
