"""`octavize`: any convolutional network made octave by a table of rules."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal

import torch
from torch import Tensor, fx, nn

from octprobe.errors import ConversionError, wants_memory
from octprobe.octave.effect import check_effect, check_uniform_effect
from octprobe.octave.groups import AlphaGroups
from octprobe.octave.hooks import refuse_hooks
from octprobe.octave.inplace import follow_writes
from octprobe.octave.network import Conversion, OctaveNetwork
from octprobe.octave.pack import Packing
from octprobe.octave.policy import alphas_of_map, octave_convs
from octprobe.octave.rewrite import Rewriter
from octprobe.octave.rules import RULES
from octprobe.octave.shapes import Recording, check_sizes, odd_size_of, on_meta, record
from octprobe.octave.split import AlphaLike, exact_alpha
from octprobe.octave.table import Rule
from octprobe.octave.trace import first_line, trace

# ImageNet's resolution, for networks that do not say what they were made for.
_USUAL_RESOLUTION = 224


@dataclass(frozen=True)
class Asked:
    """What was asked for: one alpha for the layers that the policy chooses, or alphas by convolution."""

    uniform: Fraction = Fraction(0)
    by_conv: Mapping[str, Fraction] = field(default_factory=dict)
    patterns: tuple[str, ...] = ()


def octavize(
    model: nn.Module,
    alpha: AlphaLike | Mapping[str, AlphaLike],
    example_input: Tensor | None = None,
    *,
    on_unknown: Literal["error", "merge"] = "error",
    share_parameters: bool = False,
) -> nn.Module:
    """Give the octave form of a convolutional network; the network itself stays as it is.

    The result has the parameters of the network it was made from, under the same names, in the same order and
    of the same shapes, at every alpha. At alpha 0 it is a copy of the network. As soon as a layer has low
    channels its high ones are pooled before a stride, so alpha 0 is not the limit of small alphas.

    Args:
        model: a network that torch.fx can trace.
        alpha: share of low channels, of the layers that the policy chooses; or a map from patterns over
            module names (`layer1` covers all within it, the last match wins) to the alpha of the matched
            convolutions' outputs. Floats are taken as they are written: 0.7 is 7/10.
        example_input: (B, C, H, W); only its shape matters. Left out, an image of the size that the
            network says it was made for, else of 224.
        on_unknown: `merge` makes a pair plain where no rule covers an operator, and the result's
            `conversion.merged` says so; `error` refuses.
        share_parameters: hold the same Parameter objects as the network instead of copies; buffers, such as
            running statistics, are always copies.

    Raises:
        ConversionError: no rule covers an operator, the alphas contradict one another or have no effect, or
            a module that would be replaced has hooks.
        UnrealisableAlphaError: groups of a convolution do not divide the low channels.
    """
    _check_arguments(model, example_input, on_unknown)
    tree = _copied(model, share_parameters=share_parameters)
    asked = _asked(model, alpha)
    if not asked.uniform and not any(asked.by_conv.values()):
        return tree
    example = _example_for(model) if example_input is None else example_input.to(_dtype_of(model))
    return _converted(tree, asked, example, merge_unknown=on_unknown == "merge")


def _check_arguments(model: nn.Module, example_input: object, on_unknown: str) -> None:
    if on_unknown not in {"error", "merge"}:
        raise ConversionError(f"on_unknown is {on_unknown!r}; it must be 'error' or 'merge'")
    if any(isinstance(module, Packing) for module in model.modules()):
        raise ConversionError(
            f"{type(model).__name__} is octave already; convert the network it was made from"
        )
    if example_input is None or (isinstance(example_input, Tensor) and example_input.dim() == 4):
        return
    kind = type(example_input).__name__
    shown = f"{kind} {tuple(example_input.shape)}" if isinstance(example_input, Tensor) else kind
    raise ConversionError(f"example_input is a {shown}; it must be a tensor (B, C, H, W)")


def _asked(model: nn.Module, alpha: AlphaLike | Mapping[str, AlphaLike]) -> Asked:
    if not isinstance(alpha, Mapping):
        return Asked(uniform=exact_alpha(alpha))
    modules = dict(model.named_modules())
    convs = [name for name, module in modules.items() if isinstance(module, nn.Conv2d)]
    kinds = {name: type(module).__name__ for name, module in modules.items()}
    return Asked(by_conv=alphas_of_map(alpha, convs, kinds), patterns=tuple(alpha))


@torch.inference_mode(mode=False)
def _converted(tree: nn.Module, asked: Asked, example: Tensor, *, merge_unknown: bool) -> OctaveNetwork:
    modules = dict(tree.named_modules(remove_duplicate=False))
    graph = trace(tree, lambda module: RULES.for_module(module) is not None)
    vanilla, odd = on_meta(tree), odd_size_of(example)
    recording = _record(vanilla, graph, example, "the network")
    plain = [recording.shapes, _shapes_if_it_can(vanilla, graph, odd)]
    rewriter = _rewritten(tree, graph, asked, recording, merge_unknown=merge_unknown)
    graph.lint()
    refuse_hooks(tree, graph, modules)
    splits = {node.name: split for node, split in rewriter.splits.items()}
    octave = on_meta(tree)
    for size, expected in zip((example, odd), plain, strict=True):
        if expected:
            check_sizes(expected, _record(octave, graph, size, "the octave network").shapes, splits)
    groups = tuple(group for group in rewriter.groups.groups() if not group.split.is_plain)
    return OctaveNetwork(tree, graph, Conversion(groups, splits, tuple(rewriter.merged)))


def _rewritten(
    tree: nn.Module, graph: fx.Graph, asked: Asked, recording: Recording, *, merge_unknown: bool
) -> Rewriter:
    modules = dict(tree.named_modules(remove_duplicate=False))
    unfollowed = follow_writes(graph, modules, recording)
    rules = {}
    for node in graph.nodes:
        rule = RULES.for_node(node, modules[str(node.target)] if node.op == "call_module" else None)
        if rule is not None:
            rules[node] = rule
    groups = _related(tree, graph, asked, recording, modules, rules)
    rewriter = Rewriter(
        tree, graph, modules, rules, groups, recording.shapes, unfollowed, merge_unknown=merge_unknown
    )
    rewriter.run()
    return rewriter


def _related(
    tree: nn.Module,
    graph: fx.Graph,
    asked: Asked,
    recording: Recording,
    modules: Mapping[str, nn.Module],
    rules: Mapping[fx.Node, Rule],
) -> AlphaGroups:
    """Give the alpha groups; every fault of the alphas is found here, before anything is rewritten."""
    alphas = dict(asked.by_conv)
    if asked.uniform:
        alphas = dict.fromkeys(octave_convs(tree, graph, recording.shapes), asked.uniform)
    groups = AlphaGroups(modules, rules, alphas)
    groups.relate(graph)
    groups.groups()
    if asked.uniform:
        check_uniform_effect(asked.uniform, alphas, graph, groups)
    check_effect(asked.patterns, alphas, graph, groups)
    return groups


def _copied(model: nn.Module, *, share_parameters: bool) -> nn.Module:
    memo: dict[int, Any] = {id(p): p for p in model.parameters()} if share_parameters else {}
    try:
        return copy.deepcopy(model, memo)
    except Exception as error:  # whatever a module's own state raises, such as a weight that is computed
        if wants_memory(error):
            raise
        raise ConversionError(
            f"{type(model).__name__} cannot be copied: {first_line(error)}; "
            "remove weight_norm, spectral_norm or pruning from it first"
        ) from error


def _example_for(model: nn.Module) -> Tensor:
    first = next((m for m in model.modules() if isinstance(m, nn.Conv2d)), None)
    if first is None:
        raise ConversionError(f"{type(model).__name__} has no Conv2d; there is nothing to make octave")
    config = getattr(model, "pretrained_cfg", None) or {}
    size = (
        config.get("input_size", (3, _USUAL_RESOLUTION, _USUAL_RESOLUTION))
        if isinstance(config, Mapping)
        else ()
    )
    height, width = tuple(size)[1:] or (_USUAL_RESOLUTION, _USUAL_RESOLUTION)
    return torch.empty((1, first.in_channels, height, width), dtype=first.weight.dtype, device="meta")


def _dtype_of(model: nn.Module) -> torch.dtype | None:
    return next((parameter.dtype for parameter in model.parameters()), None)


def _record(module: nn.Module, graph: fx.Graph, example: Tensor, subject: str) -> Recording:
    try:
        return record(module, graph, example)
    except ConversionError as error:
        raise ConversionError(first_line(error)) from error
    except Exception as error:  # whatever the model's own operators raise
        if wants_memory(error):
            raise
        raise ConversionError(
            f"{subject} does not take an input of {tuple(example.shape)}: {first_line(error)}"
        ) from error


def _shapes_if_it_can(module: nn.Module, graph: fx.Graph, example: Tensor) -> dict[str, Any]:
    """Give the shapes at another size; none for a network that is made for one size only."""
    try:
        return record(module, graph, example).shapes
    except Exception as error:  # as above
        if wants_memory(error):
            raise
        return {}
