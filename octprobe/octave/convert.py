"""`octavize`: any convolutional network made octave by a table of rules."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.nn.modules.conv import _ConvNd
from torch.nn.parameter import is_lazy

from octprobe.errors import ConversionError, wants_memory
from octprobe.octave.alpha_map import alphas_of_map
from octprobe.octave.effect import check_effect, check_uniform_effect
from octprobe.octave.example import dtype_of, example_of, rank_of
from octprobe.octave.groups import AlphaGroups
from octprobe.octave.hooks import refuse_hooks
from octprobe.octave.inplace import follow_writes
from octprobe.octave.network import Conversion, OctaveNetwork
from octprobe.octave.pack import Packing
from octprobe.octave.policy import BY_POLICY, octave_convs
from octprobe.octave.rewrite import Form, Rewriter
from octprobe.octave.rules import RULES
from octprobe.octave.shapes import Recording, check_sizes, odd_size_of, on_meta, record, spacious_size_of
from octprobe.octave.split import AlphaLike, exact_alpha
from octprobe.octave.table import Rule
from octprobe.octave.trace import first_line, trace
from octprobe.octave.words import Downsample, Exchange, OctaveKernels, OnUnknown, one_of

_CONVS = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}


@dataclass(frozen=True)
class Relations:
    """A network's graph, what a run of it has shown, and its alpha groups."""

    graph: fx.Graph
    recording: Recording
    groups: AlphaGroups


@dataclass(frozen=True)
class Asked:
    """What was asked for: one alpha for the layers that the policy chooses, or alphas by convolution."""

    uniform: Fraction = Fraction(0)
    by_conv: Mapping[str, Fraction] = field(default_factory=dict)
    patterns: tuple[str, ...] = ()
    octave_kernels: OctaveKernels = "all"
    return_at: str = BY_POLICY

    @property
    def is_vanilla(self) -> bool:
        """Whether nothing is to be converted."""
        return not self.uniform and not any(self.by_conv.values())


def octavize(
    model: nn.Module,
    alpha: AlphaLike | Mapping[str, AlphaLike],
    example_input: Tensor | None = None,
    *,
    on_unknown: OnUnknown = "error",
    share_parameters: bool = False,
    exchange: Exchange = "both",
    downsample: Downsample = "average",
    octave_kernels: OctaveKernels = "all",
    return_at: str = BY_POLICY,
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
        example_input: (B, C, H, W), (B, C, L) or (B, C, T, H, W); only its shape matters. Left out, an image
            of the size that the network says it was made for, else of 224.
        on_unknown: `merge` makes a pair plain where no rule covers an operator, and the result's
            `conversion.merged` says so; `error` refuses.
        share_parameters: hold the same Parameter objects as the network instead of copies; buffers, such as
            running statistics, are always copies.
        exchange: which paths between the frequencies there are: both, h2l, l2h or none; where the
            octave world is entered or left, both are always there.
        downsample: how a high value becomes low: average, strided (convolutions) or max.
        octave_kernels: with a uniform alpha, `spatial` leaves the outputs of 1x1 convolutions plain.
        return_at: with a uniform alpha, where the network returns to alpha 0: `policy`, as in the paper;
            `end`, not before its global pooling; or the name of a module, from which on all is plain.

    Raises:
        ConversionError: no rule covers an operator, the alphas contradict one another or have no effect, or
            a module that would be replaced has hooks.
        UnrealisableAlphaError: groups of a convolution do not divide the low channels.
    """
    _check_arguments(model, example_input)
    merge_unknown = one_of("on_unknown", on_unknown, OnUnknown) == "merge"
    form = Form(one_of("exchange", exchange, Exchange), one_of("downsample", downsample, Downsample))
    one_of("octave_kernels", octave_kernels, OctaveKernels)
    tree = _copied(model, share_parameters=share_parameters)
    asked = replace(_asked(model, alpha), octave_kernels=octave_kernels, return_at=return_at)
    if asked.is_vanilla:
        return tree
    example = example_of(model) if example_input is None else example_input.to(dtype_of(model))
    return _converted(tree, asked, example, form, merge_unknown=merge_unknown)


def alpha_groups(model: nn.Module, alpha: AlphaLike, example_input: Tensor | None = None) -> Relations:
    """Give the alpha groups that a network has under a uniform alpha; nothing is rewritten.

    Args:
        model: a network that torch.fx can trace.
        alpha: above 0.
        example_input: as for `octavize`.

    Raises:
        ConversionError: the network cannot be traced, or the policy finds no convolution.
        UnrealisableAlphaError: groups of a convolution do not divide the low channels.
    """
    _check_arguments(model, example_input)
    tree = on_meta(model)
    example = example_of(model) if example_input is None else example_input.to(dtype_of(model))
    graph = trace(tree, lambda module: RULES.for_module(module) is not None)
    recording = _record_vanilla(tree, graph, example)
    modules = dict(tree.named_modules(remove_duplicate=False))
    asked = Asked(uniform=exact_alpha(alpha))
    return Relations(
        graph, recording, _related(tree, graph, asked, recording, modules, _rules(graph, modules))
    )


def _check_arguments(model: nn.Module, example_input: object) -> None:
    if any(isinstance(module, Packing) for module in model.modules()):
        raise ConversionError(
            f"{type(model).__name__} is octave already; convert the network it was made from"
        )
    lazy = next((name for name, p in model.named_parameters() if is_lazy(p)), None)
    if lazy is not None:
        raise ConversionError(
            f"{type(model).__name__}: {lazy} has no shape yet; run the network once, then convert it"
        )
    if example_input is None:
        return
    rank = rank_of(model)
    if isinstance(example_input, Tensor) and example_input.dim() == rank + 2 and example_input.numel():
        return
    kind = type(example_input).__name__
    shown = f"{kind} {tuple(example_input.shape)}" if isinstance(example_input, Tensor) else kind
    wanted = {1: "(B, C, L)", 2: "(B, C, H, W)", 3: "(B, C, T, H, W)"}[rank]
    raise ConversionError(f"example_input is a {shown}; it must be a tensor {wanted} without a 0")


def _asked(model: nn.Module, alpha: AlphaLike | Mapping[str, AlphaLike]) -> Asked:
    if not isinstance(alpha, Mapping):
        return Asked(uniform=exact_alpha(alpha))
    modules = dict(model.named_modules())
    convs = [name for name, module in modules.items() if isinstance(module, _CONVS[rank_of(model)])]
    kinds = {name: type(module).__name__ for name, module in modules.items()}
    return Asked(by_conv=alphas_of_map(alpha, convs, kinds), patterns=tuple(alpha))


@torch.inference_mode(mode=False)
def _converted(
    tree: nn.Module, asked: Asked, example: Tensor, form: Form, *, merge_unknown: bool
) -> OctaveNetwork:
    modules = dict(tree.named_modules(remove_duplicate=False))
    graph = trace(tree, lambda module: RULES.for_module(module) is not None)
    vanilla, odd = on_meta(tree), odd_size_of(example)
    recording = _record_vanilla(vanilla, graph, example)
    plain = [recording.shapes, _shapes_if_it_can(vanilla, graph, odd)]
    rewriter = _rewritten(tree, graph, asked, recording, form, merge_unknown=merge_unknown)
    graph.lint()
    refuse_hooks(tree, graph, modules)
    splits = {node.name: split for node, split in rewriter.splits.items()}
    parts = {node.name: part for node, part in rewriter.parts.items()}
    octave = on_meta(tree)
    for size, expected in zip((example, odd), plain, strict=True):
        if expected:
            shapes = _record(octave, graph, size, "the octave network").shapes
            check_sizes(expected, shapes, {**splits, **parts})
    groups = tuple(group for group in rewriter.groups.groups() if not group.split.is_plain)
    return OctaveNetwork(tree, graph, Conversion(groups, splits, tuple(rewriter.merged)))


def _rewritten(
    tree: nn.Module, graph: fx.Graph, asked: Asked, recording: Recording, form: Form, *, merge_unknown: bool
) -> Rewriter:
    modules = dict(tree.named_modules(remove_duplicate=False))
    unfollowed = follow_writes(graph, modules, recording)
    rules = _rules(graph, modules)
    groups = _related(tree, graph, asked, recording, modules, rules)
    rewriter = Rewriter(
        tree, graph, modules, rules, groups, recording, unfollowed, form, merge_unknown=merge_unknown
    )
    rewriter.run()
    return rewriter


def _rules(graph: fx.Graph, modules: Mapping[str, nn.Module]) -> dict[fx.Node, Rule]:
    rules = {}
    for node in graph.nodes:
        rule = RULES.for_node(node, modules[str(node.target)] if node.op == "call_module" else None)
        if rule is not None:
            rules[node] = rule
    return rules


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
        chosen = octave_convs(
            tree, graph, recording.spacious, octave_kernels=asked.octave_kernels, return_at=asked.return_at
        )
        alphas = dict.fromkeys(chosen, asked.uniform)
    groups = AlphaGroups(modules, rules, alphas, recording, is_uniform=bool(asked.uniform))
    groups.relate(graph)
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


def _record_vanilla(vanilla: nn.Module, graph: fx.Graph, example: Tensor) -> Recording:
    """Record the vanilla network; the policy reads a larger size where the example's leaves single positions.

    So the layers that it chooses do not hang on the resolution, save in networks of one size only.
    """
    recording = _record(vanilla, graph, example, "the network")
    convs = [
        node.name
        for node in graph.nodes
        if node.op == "call_module" and isinstance(vanilla.get_submodule(str(node.target)), _ConvNd)
    ]
    if any(set(recording.shapes.get(name, ())[2:]) == {1} for name in convs):
        spacious = _shapes_if_it_can(vanilla, graph, spacious_size_of(example))
        return replace(recording, spacious=spacious or recording.shapes)
    return replace(recording, spacious=recording.shapes)


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
