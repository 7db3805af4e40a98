"""MACs by octave path, and a layer's feature maps, from shapes alone: what is counted must come out equal."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from math import prod
from typing import Any

from torch import Tensor, nn

from octprobe.octave import OctaveConv
from octprobe.octave.fault import is_depthwise
from octprobe.octave.frequency import low_size
from octprobe.store.records import PathMacs

Transposed = nn.ConvTranspose1d | nn.ConvTranspose2d | nn.ConvTranspose3d
PlainLayer = nn.Conv1d | nn.Conv2d | nn.Conv3d | nn.Linear | Transposed
_FLOAT32_BYTES = 4


@dataclass(frozen=True)
class LayerMacs:
    """One layer's MACs in a forward call of one item, by path."""

    name: str
    macs: PathMacs


def octave_macs(layer: OctaveConv, size: Sequence[int]) -> PathMacs:
    """Give an octave convolution's MACs an item, by path.

    A path costs its output channels times its input channels a group times the kernel's area times the output
    positions of its convolution; low to high runs before the up-sampling at stride 1, and at the output's own
    size at stride 2.

    Args:
        layer: the convolution.
        size: the size (L,), (H, W) or (T, H, W) of the input's high part, or of a plain input.
    """
    high_out = _size_out(layer, size)
    low_out, before_upsampling = low_size(high_out), high_out if layer.halves else low_size(high_out)
    return PathMacs(
        h2h=_path_macs(layer, "h", "h") * prod(high_out),
        h2l=_path_macs(layer, "h", "l") * prod(low_out),
        l2h=_path_macs(layer, "l", "h") * prod(before_upsampling),
        l2l=_path_macs(layer, "l", "l") * prod(low_out),
    )


def _path_macs(layer: OctaveConv, source: str, target: str) -> int:
    """Give MACs an output position of one path."""
    if not layer.has_path(source, target):
        return 0
    low_in, low_out = len(layer.low_in), len(layer.low_out)
    inputs = low_in if source == "l" else layer.in_channels - low_in
    outputs = low_out if target == "l" else layer.out_channels - low_out
    area = prod(layer.kernel_size)
    return outputs * area if is_depthwise(layer) else outputs * (inputs // layer.groups) * area


def plain_macs(layer: PlainLayer, source: Tensor, output: Tensor) -> int:
    """Give a plain convolution's or linear layer's MACs an item.

    Args:
        layer: the layer.
        source: its input (B, ...); an input without a batch is not told apart from one with.
        output: its output (B, ...).
    """
    positions = source if isinstance(layer, Transposed) else output
    return positions[0].numel() * prod(layer.weight.shape[1:])


def feature_map_bytes(layer: nn.Module, size: Sequence[int]) -> int | None:
    """Give the bytes of a convolution's input and output an item, in float32; None for anything else.

    A value of alpha a holds 1 - 3/4 a of the plain value's bytes at even sizes (arXiv 1904.05049, table 1).

    Args:
        layer: a plain or an octave convolution; a network has no such closed form.
        size: the size (L,), (H, W) or (T, H, W) of the input's high part, or of a plain input.
    """
    if not isinstance(layer, OctaveConv | nn.Conv1d | nn.Conv2d | nn.Conv3d):
        return None
    low_in, low_out = (len(layer.low_in), len(layer.low_out)) if isinstance(layer, OctaveConv) else (0, 0)
    values = _values(layer.in_channels, low_in, size) + _values(
        layer.out_channels, low_out, _size_out(layer, size)
    )
    return _FLOAT32_BYTES * values


def _values(channels: int, low: int, size: Sequence[int]) -> int:
    """Give the numbers that a value of so many channels holds, of which some are low."""
    return (channels - low) * prod(size) + low * prod(low_size(size))


def _size_out(layer: OctaveConv | nn.Conv1d | nn.Conv2d | nn.Conv3d, size: Sequence[int]) -> tuple[int, ...]:
    if layer.padding == "same":
        return tuple(size)
    padding = (0,) * len(size) if isinstance(layer.padding, str) else layer.padding
    geometry = zip(size, padding, layer.dilation, layer.kernel_size, layer.stride, strict=True)
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
            if isinstance(module, OctaveConv):
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
        def hear(layer: OctaveConv, inputs: tuple[Any, ...], _: Any) -> None:
            high = inputs[0] if isinstance(inputs[0], Tensor) else inputs[0][0]
            self.layers.append(LayerMacs(name, octave_macs(layer, high.shape[2:])))

        return hear

    def _plain_hook(self, name: str) -> Callable[..., None]:
        def hear(layer: PlainLayer, args: tuple[Any, ...], kwargs: dict[str, Any], output: Tensor) -> None:
            source = args[0] if args else kwargs["input"]
            self.layers.append(LayerMacs(name, PathMacs(plain=plain_macs(layer, source, output))))

        return hear
