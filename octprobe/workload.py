"""A design point made into a module and its example input, and what training it for one call means."""

from dataclasses import asdict, dataclass, replace
from functools import reduce
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from octprobe.errors import ConversionError
from octprobe.networks import build_network
from octprobe.octave import OctaveConv2d, octavize
from octprobe.octave.example import example_of
from octprobe.octave.frequency import Value, split_plain
from octprobe.octave.network import OctaveNetwork
from octprobe.octave.split import ChannelSplit
from octprobe.plan.point import DesignPoint, LayerSubject, NetworkSubject
from octprobe.plan.variant import Variant

# Every build of a point has the same weights and the same input, here and on every machine.
_SEED = 0


@dataclass(frozen=True)
class Workload:
    """A module, float32, on the processor, and what its forward takes.

    Attributes:
        module: the network or layer, octave where the point says so; in training mode where the point's mode
            is train, else in eval mode.
        example: (B, C, H, W), or a (high, low) pair for a layer with low input channels.
        octave_exits: places amid an octave network where both frequencies are joined by up-sampling; None at
            alpha 0 and for a layer.
    """

    module: nn.Module
    example: Value
    octave_exits: int | None = None


def build_workload(point: DesignPoint, *, allow_import: bool = False) -> Workload:
    """Build what a design point describes.

    Raises:
        ConversionError: the network or layer has no octave form at this alpha.
        UsageError: the network's name is not known, or needs `--allow-import`.
    """
    generator_state = torch.get_rng_state()
    torch.manual_seed(_SEED)
    try:
        workload = _build(point, allow_import=allow_import)
    finally:
        torch.set_rng_state(generator_state)
    if point.conditions.mode == "train":
        _make_ready_to_train(workload, point.subject)
    return workload


def _build(point: DesignPoint, *, allow_import: bool) -> Workload:
    subject, conditions = point.subject, point.conditions
    size = (conditions.batch, conditions.resolution)
    if isinstance(subject, NetworkSubject):
        return network_workload(subject, *size, point.variant, allow_import=allow_import)
    return layer_workload(subject, *size, point.variant)


def _make_ready_to_train(workload: Workload, subject: NetworkSubject | LayerSubject) -> None:
    """Set training mode; a layer's input wants a gradient as well, as it would amid a network."""
    workload.module.train()
    if isinstance(subject, LayerSubject):
        for tensor in tree_leaves(workload.example):
            tensor.requires_grad_()


def gradient_leaves(module: nn.Module, example: Any) -> tuple[Tensor, ...]:
    """Give the tensors that a backward gives gradients: parameters, and inputs that want one."""
    inputs = (leaf for leaf in tree_leaves(example) if isinstance(leaf, Tensor))
    return tuple(leaf for leaf in (*module.parameters(), *inputs) if leaf.requires_grad)


def forget_gradients(leaves: tuple[Tensor, ...]) -> None:
    """Let gradients go, so that the next backward writes new ones and adds to none."""
    for leaf in leaves:
        leaf.grad = None


def loss_of(output: Any) -> Tensor:
    """Give the scalar that a training call goes backward from: the sum of all outputs that want a gradient.

    It is the cheapest one that reaches every output: its backward writes ones and reads nothing, where that
    of a mean of squares would read every output again. What the network itself does backward is the same.

    Raises:
        ConversionError: no output wants a gradient, so there is nothing to train.
    """
    tensors = [leaf for leaf in tree_leaves(output) if isinstance(leaf, Tensor) and leaf.requires_grad]
    if not tensors:
        raise ConversionError(
            "train needs an output that depends on a parameter that wants a gradient; use mode infer"
        )
    return reduce(torch.add, [tensor.sum() for tensor in tensors])


def one_item(point: DesignPoint) -> DesignPoint:
    """Give the point at batch 1, for figures that are counted an item."""
    return replace(point, conditions=replace(point.conditions, batch=1))


def network_workload(
    subject: NetworkSubject, batch: int, resolution: int, variant: Variant, *, allow_import: bool
) -> Workload:
    """Build a network in eval mode at its alpha, with a batch (B, 3, R, R) of images, or of what it takes.

    What has no octave form runs on plain values, so that any network can be measured.
    """
    vanilla = build_network(subject.network, allow_import=allow_import).eval()
    example = torch.randn(batch, *example_of(vanilla, resolution).shape[1:])
    if subject.is_vanilla:
        return Workload(vanilla, example)
    module = at_alpha(vanilla, subject, example[:1], variant)
    exits = len(module.conversion.merged) if isinstance(module, OctaveNetwork) else None
    return Workload(module.eval(), example, octave_exits=exits)


def at_alpha(vanilla: nn.Module, subject: NetworkSubject, example: Tensor, variant: Variant) -> nn.Module:
    """Convert a network as its point says; it shares its parameters, and goes on plain where no rule is."""
    alpha = dict(subject.alpha) if isinstance(subject.alpha, tuple) else subject.alpha
    return octavize(vanilla, alpha, example, on_unknown="merge", share_parameters=True, **_form(variant))


def _form(variant: Variant) -> dict[str, Any]:
    """Give what a converter is told of a variant; how the paths are run is the layer's own matter."""
    return {name: value for name, value in asdict(variant).items() if name != "kernel" and value is not None}


def layer_workload(subject: LayerSubject, batch: int, resolution: int, variant: Variant) -> Workload:
    """Build one convolution in eval mode with an input (B, C_in, R, R), split where channels are low."""
    geometry: dict[str, Any] = {
        "kernel_size": subject.kernel_size,
        "stride": subject.stride,
        "padding": subject.padding,
        "dilation": subject.dilation,
        "groups": subject.groups,
    }
    example: Tensor = torch.randn(batch, subject.in_channels, resolution, resolution)
    channels = (subject.in_channels, subject.out_channels)
    try:
        plain = nn.Conv2d(*channels, bias=False, **geometry)
    except ValueError as error:
        raise ConversionError(f"{subject.shape_label()}: {error}; no such convolution exists") from None
    _demand_output(subject, plain, resolution)
    if subject.is_vanilla:
        return Workload(plain.eval(), example)
    form = geometry | _form(variant)
    layer = OctaveConv2d(
        *channels, bias=False, **form, alpha_in=subject.alpha_in, alpha_out=subject.alpha_out
    )
    if not layer.low_in:
        return Workload(layer.eval(), example)
    return Workload(layer.eval(), split_plain(example, ChannelSplit(subject.in_channels, layer.low_in)))


def _demand_output(subject: LayerSubject, layer: nn.Conv2d, resolution: int) -> None:
    """Refuse a convolution whose kernel does not fit into its padded input."""
    if isinstance(layer.padding, str):
        return
    reach = layer.dilation[0] * (layer.kernel_size[0] - 1) + 1
    if resolution + 2 * layer.padding[0] < reach:
        raise ConversionError(
            f"{subject.shape_label()}: its kernel reaches over {reach} pixels, its padded input has "
            f"{resolution + 2 * layer.padding[0]}; no such convolution exists"
        )
