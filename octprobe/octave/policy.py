"""Which convolutions are octave: an alpha map read, or the paper's choice for a network."""

import difflib
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from fractions import Fraction
from typing import Any

from torch import fx, nn

from octprobe.errors import ConversionError
from octprobe.octave.conv import is_depthwise, octave_fault
from octprobe.octave.split import AlphaLike, exact_alpha

# The paper (section 4.1) leaves the stem and the last stage of a ResNet as they are.
_RESNET_STAGES = ("layer1", "layer2", "layer3")
_RESNET_PARTS = ("conv1", *_RESNET_STAGES, "layer4")


def covers(pattern: str, name: str) -> bool:
    """Tell whether a pattern matches a module's name, or the name of a module that it lies in."""
    return fnmatchcase(name, pattern) or fnmatchcase(name, f"{pattern}.*")


def alphas_of_map(
    alpha_map: Mapping[str, AlphaLike], convs: Iterable[str], kinds: Mapping[str, str] | None = None
) -> dict[str, Fraction]:
    """Give the alpha of every convolution that an alpha map speaks of; the last match wins.

    Args:
        alpha_map: alpha by pattern, in order.
        convs: names of the network's convolutions.
        kinds: class names of all its modules by module name, for the message about what is no convolution.

    Raises:
        ConversionError: an alpha is not in [0, 1], or a pattern is no string or matches no convolution.
    """
    names = list(convs)
    alphas: dict[str, Fraction] = {}
    for pattern, alpha in alpha_map.items():
        if not isinstance(pattern, str):
            raise ConversionError(f"alpha map: {pattern!r} is no pattern; it must be a string")
        share = _alpha_at(pattern, alpha)
        matched = [name for name in names if covers(pattern, name)]
        if not matched:
            kind = (kinds or {}).get(pattern) if pattern else None
            hint = f"; it is a {kind}" if kind else _did_you_mean(pattern, names)
            raise ConversionError(f"alpha map: {pattern!r} matches no convolution{hint}")
        alphas |= dict.fromkeys(matched, share)
    return alphas


def octave_convs(model: nn.Module, graph: fx.Graph, shapes: Mapping[str, Any]) -> list[str]:
    """Name the convolutions whose outputs a uniform alpha makes octave.

    ResNets: the first three stages, as in the paper. Any other network: from after the stem, its first
    convolution, to before the last down-sampling.

    Raises:
        ConversionError: the policy finds none.
    """
    convs = {str(n.target): n for n in graph.nodes if _conv(model, n) is not None}
    if all(hasattr(model, part) for part in _RESNET_PARTS):
        chosen = [name for name in convs if any(covers(stage, name) for stage in _RESNET_STAGES)]
    else:
        chosen = _before_last_downsampling(model, convs, shapes)
    if not chosen:
        raise ConversionError(
            f"{type(model).__name__}: the policy finds no convolution between stem and last down-sampling; "
            "name the convolutions in an alpha map"
        )
    return chosen


def _before_last_downsampling(
    model: nn.Module, convs: Mapping[str, fx.Node], shapes: Mapping[str, Any]
) -> list[str]:
    sizes = {name: shapes[node.name][2:] for name, node in convs.items()}
    spatial = [size for size in sizes.values() if size != (1, 1)]
    if not spatial:
        return []
    smallest = min(spatial, key=lambda size: size[0] * size[1])
    after_stem = list(convs)[1:]
    larger = [name for name in after_stem if sizes[name][0] * sizes[name][1] > smallest[0] * smallest[1]]
    return [name for name in larger if _is_source(model.get_submodule(name))]


def _is_source(conv: nn.Module) -> bool:
    return isinstance(conv, nn.Conv2d) and not is_depthwise(conv) and octave_fault(conv) is None


def _conv(model: nn.Module, node: fx.Node) -> nn.Conv2d | None:
    module = model.get_submodule(str(node.target)) if node.op == "call_module" else None
    return module if type(module) is nn.Conv2d else None


def _alpha_at(pattern: str, alpha: AlphaLike) -> Fraction:
    try:
        return exact_alpha(alpha)
    except ConversionError as error:
        raise ConversionError(f"alpha map: {pattern!r}: {error}") from None


def _did_you_mean(pattern: str, names: list[str]) -> str:
    prefixes = dict.fromkeys(".".join(name.split(".")[:depth]) for name in names for depth in range(1, 9))
    near = difflib.get_close_matches(pattern, prefixes, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
