"""`octavize`: any convolutional network made octave by a table of rules."""

import copy
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Literal

import torch
from torch import Tensor, fx, nn

from octprobe.errors import ConversionError
from octprobe.octave.groups import AlphaGroups
from octprobe.octave.network import Conversion, OctaveNetwork
from octprobe.octave.pack import Packing
from octprobe.octave.policy import alphas_of_map, octave_convs
from octprobe.octave.rewrite import Rewriter
from octprobe.octave.rules import RULES
from octprobe.octave.shapes import check_sizes, odd_size_of, on_meta, run_on_meta
from octprobe.octave.split import AlphaLike, exact_alpha
from octprobe.octave.trace import trace

# ImageNet's resolution, for networks that do not say what they were made for.
_USUAL_RESOLUTION = 224


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
        ConversionError: no rule covers an operator, the alphas contradict one another, or a pattern matches
            nothing.
        UnrealisableAlphaError: groups of a convolution do not divide the low channels.
    """
    if on_unknown not in {"error", "merge"}:
        raise ConversionError(f"on_unknown is {on_unknown!r}; it must be 'error' or 'merge'")
    if any(isinstance(module, Packing) for module in model.modules()):
        raise ConversionError(
            f"{type(model).__name__} is octave already; convert the network it was made from"
        )
    tree = _copied(model, share_parameters=share_parameters)
    if isinstance(alpha, Mapping):
        convs = [name for name, module in model.named_modules() if isinstance(module, nn.Conv2d)]
        asked: Fraction | dict[str, Fraction] = alphas_of_map(alpha, convs)
    else:
        asked = exact_alpha(alpha)
    if not (any(asked.values()) if isinstance(asked, dict) else asked):
        return tree
    example = _example_for(model) if example_input is None else example_input.to(_dtype_of(model))
    return _converted(tree, asked, example, merge_unknown=on_unknown == "merge")


def _converted(
    tree: nn.Module, asked: Fraction | dict[str, Fraction], example: Tensor, *, merge_unknown: bool
) -> OctaveNetwork:
    graph = trace(tree, lambda module: RULES.for_module(module) is not None)
    vanilla, odd = on_meta(tree), odd_size_of(example)
    plain = [_run(vanilla, graph, example), _run_if_it_can(vanilla, graph, odd)]
    if isinstance(asked, Fraction):
        asked = dict.fromkeys(octave_convs(tree, graph, plain[0]), asked)
    rewriter = _rewritten(tree, graph, asked, plain[0], merge_unknown=merge_unknown)
    graph.lint()
    splits = {node.name: split for node, split in rewriter.splits.items()}
    octave = on_meta(tree)
    for size, expected in zip((example, odd), plain, strict=True):
        if expected:
            check_sizes(expected, run_on_meta(octave, graph, size), splits)
    groups = tuple(group for group in rewriter.groups.groups() if not group.split.is_plain)
    return OctaveNetwork(tree, graph, Conversion(groups, splits, tuple(rewriter.merged)))


def _rewritten(
    tree: nn.Module,
    graph: fx.Graph,
    alphas: dict[str, Fraction],
    shapes: dict[str, Any],
    *,
    merge_unknown: bool,
) -> Rewriter:
    modules = dict(tree.named_modules(remove_duplicate=False))
    rules = {}
    for node in graph.nodes:
        rule = RULES.for_node(node, modules[str(node.target)] if node.op == "call_module" else None)
        if rule is not None:
            rules[node] = rule
    groups = AlphaGroups(modules, rules, alphas)
    groups.relate(graph)
    groups.groups()  # every fault of the alphas, before anything is rewritten
    rewriter = Rewriter(tree, graph, modules, rules, groups, shapes, merge_unknown=merge_unknown)
    rewriter.run()
    return rewriter


def _copied(model: nn.Module, *, share_parameters: bool) -> nn.Module:
    memo: dict[int, Any] = {id(p): p for p in model.parameters()} if share_parameters else {}
    return copy.deepcopy(model, memo)


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


def _run(module: nn.Module, graph: fx.Graph, example: Tensor) -> dict[str, Any]:
    try:
        return run_on_meta(module, graph, example)
    except (RuntimeError, TypeError, ValueError, IndexError) as error:
        first_line = str(error).splitlines()[0] if str(error) else repr(error)
        raise ConversionError(
            f"the network does not take an input of {tuple(example.shape)}: {first_line}"
        ) from error


def _run_if_it_can(module: nn.Module, graph: fx.Graph, example: Tensor) -> dict[str, Any]:
    """Give the shapes at another size; none for a network that is made for one size only."""
    try:
        return run_on_meta(module, graph, example)
    except (RuntimeError, TypeError, ValueError, IndexError):
        return {}
