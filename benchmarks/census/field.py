"""The constant-field test: what is constant over space, octave must compute as vanilla does.

Pooling, up-sampling and stride are identities on such a field, if only no border brings zeros in. So a
channel in the wrong place, a path lost or doubled, a gate on the wrong frequency all show, at any alpha.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from benchmarks.census.row import Criterion, Refused

# In float64 the order of additions costs 1e-14 to 1e-12 of the output; a wrong channel costs a percent.
TOLERANCE = 1e-10
# An output that changes less from image to image could hide what is wrong inside.
LEAST_CHANGE = 1e-6
# More than one pair, so that no sum cancels by chance.
_COLOURS = 4
_LEAK = 0.25
# Of a layer that is dead for every colour.
_LEAST_SQUARE = 1e-3
_POSITIONS = ("input", "weight", "bias", "stride", "padding", "dilation", "groups")
_POOL = ("input", "kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override")


class ConstantKept(TorchFunctionMode):
    """While active, borders are continued by their own values wherever torch would pad with zeros.

    And ReLUs leak: a channel that is negative for all colours would be dead, and hide where it has gone.
    """

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run one function of torch, or what takes its place."""
        instead = _INSTEAD.get(func, func)
        return instead(*args, **(kwargs or {}))


def _convolve(*args: Any, **kwargs: Any) -> Tensor:
    given = dict(zip(_POSITIONS, args, strict=False)) | kwargs
    top, bottom, left, right = _borders(given)
    given["input"] = _continued(_continued(given["input"], -2, top, bottom), -1, left, right)
    return functional.conv2d(**given | {"padding": 0})


def _borders(given: dict[str, Any]) -> tuple[int, int, int, int]:
    padding = given.get("padding", 0)
    if padding == "valid":
        return 0, 0, 0, 0
    if padding == "same":
        (down, across) = (
            dilation * (size - 1)
            for dilation, size in zip(_both(given.get("dilation", 1)), given["weight"].shape[2:], strict=True)
        )
        return down // 2, down - down // 2, across // 2, across - across // 2
    down, across = _both(padding)
    return down, down, across, across


def _both(value: Any) -> tuple[int, int]:
    if isinstance(value, int):
        return value, value
    return (value[0], value[-1])


def _continued(x: Tensor, dim: int, before: int, after: int) -> Tensor:
    if not before and not after:
        return x
    size = x.shape[dim]
    return x.index_select(dim, torch.arange(-before, size + after, device=x.device).clamp(0, size - 1))


def _pad(input: Tensor, pad: Any, mode: str = "constant", value: float | None = None) -> Tensor:  # noqa: A002  # torch's own name
    if input.dim() != 4 or len(pad) > 4 or mode != "constant" or value:
        return functional.pad(input, pad, mode, value)
    left, right, top, bottom = (*pad, 0, 0)[:4]
    return _continued(_continued(input, -2, top, bottom), -1, left, right)


def _average(*args: Any, **kwargs: Any) -> Tensor:
    given = dict(zip(_POOL, args, strict=False)) | kwargs
    return functional.avg_pool2d(**given | {"count_include_pad": False})


def _leak(input: Tensor, inplace: bool = False) -> Tensor:  # noqa: A002  # torch's own name
    return functional.leaky_relu(input, _LEAK, inplace)


def _leak_in_place(input: Tensor) -> Tensor:  # noqa: A002  # torch's own name
    return _leak(input, inplace=True)


_INSTEAD: dict[Any, Callable[..., Tensor]] = {
    functional.conv2d: _convolve,
    functional.pad: _pad,
    functional.avg_pool2d: _average,
    **dict.fromkeys((functional.relu, functional.relu6, torch.relu, Tensor.relu), _leak),
    **dict.fromkeys((torch.relu_, Tensor.relu_), _leak_in_place),
}


def randomise(model: nn.Module) -> None:
    """Make every channel one of its own: norms' weights, biases, gains and layer scales become random.

    Kernels stay as they were initialised. What a network starts at zero, such as the last norm of a residual
    block, would hide whatever is wrong before it.
    """
    with torch.no_grad():
        for module in model.modules():
            for name, parameter in module.named_parameters(recurse=False):
                is_vector = parameter.numel() == max(parameter.shape, default=1)
                is_kernel = name == "weight" and isinstance(module, nn.Linear | nn.modules.conv._ConvNd)
                if is_vector and not is_kernel:
                    centre = 0.0 if name in {"bias", "beta"} else 1.0
                    parameter.uniform_(centre - 0.5, centre + 0.5)


def calibrate(model: nn.Module, images: Tensor) -> None:
    """Choose random running statistics that fit the size of the signal that some images give.

    Statistics out of the air would let the signal of a deep network die out or overflow. Statistics of each
    channel would blow up what tells one image from another, layer by layer, and errors of rounding with it.
    So all channels of a layer share one scale.
    """
    norms = (module for module in model.modules() if isinstance(getattr(module, "running_var", None), Tensor))
    hooks = [norm.register_forward_pre_hook(_choose_statistics) for norm in norms]
    with torch.no_grad(), ConstantKept():
        model(images)
    for hook in hooks:
        hook.remove()


def _choose_statistics(norm: Any, inputs: tuple[Any, ...]) -> None:
    square = inputs[0].square().mean().clamp(min=_LEAST_SQUARE)
    norm.running_var.uniform_(0.5, 1.5).mul_(square)
    if isinstance(getattr(norm, "running_mean", None), Tensor):
        norm.running_mean.uniform_(-0.5, 0.5).mul_(square.sqrt())


def colours(size: int) -> Tensor:
    """Give images of one colour each, (4, 3, size, size), float64."""
    shape = (_COLOURS, 3, size, size)
    return torch.randn(_COLOURS, 3, 1, 1, dtype=torch.float64).expand(shape).contiguous()


def hold_field(vanilla: nn.Module, octaves: dict[str, nn.Module], size: int) -> None:
    """Hold octave networks to the vanilla's outputs on some images of one colour each.

    Args:
        vanilla: a network in eval mode; it becomes a float64 one with random statistics.
        octaves: its octave forms by alpha; they take the vanilla's state over.
        size: of the images.

    Raises:
        Refused: an output differs, or the vanilla's says nothing.
    """
    images = colours(size)
    vanilla.double().eval()
    calibrate(vanilla, images)
    with torch.no_grad(), ConstantKept():
        expected = vanilla(images)
        _demand_signal(expected)
        for alpha, octave in octaves.items():
            octave.double().eval().load_state_dict(vanilla.state_dict(), strict=True)
            error = _relative(octave(images), expected)
            if not error <= TOLERANCE:  # nor is what is no number
                raise Refused(Criterion.FIELD, f"constant field at {alpha}: off by {error:.0e} of vanilla")


def _demand_signal(output: Tensor) -> None:
    change = _relative(output[1:], output[:1])
    if not change >= LEAST_CHANGE:  # nor is what is no number
        raise Refused(Criterion.VANILLA, f"vanilla's output changes by {change:.0e} from colour to colour")


def _relative(got: Tensor, expected: Tensor) -> float:
    return float((got - expected).abs().max() / expected.abs().max())
