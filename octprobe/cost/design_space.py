"""The design space of a network found: its alpha groups, and what each weighs in MACs."""

from collections.abc import Iterable, Mapping
from fractions import Fraction

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd

from octprobe.cost.closed_form import LayerRecorder
from octprobe.cost.design_group import DesignGroup, DesignSpace
from octprobe.cost.patterns import patterns_for
from octprobe.cost.walk import walk
from octprobe.errors import ConversionError
from octprobe.octave import octavize
from octprobe.octave.convert import Relations, alpha_groups
from octprobe.octave.example import example_of
from octprobe.octave.fault import is_depthwise
from octprobe.octave.groups import AlphaGroup
from octprobe.octave.policy import policy_of
from octprobe.octave.shapes import on_meta

# What an example of an alpha map asks of the two groups that it names.
_EXAMPLE_ALPHAS = (Fraction(1, 2), Fraction(1, 4))


def design_space(model: nn.Module, resolution: int | None = None) -> DesignSpace:
    """Find the alpha groups of a network and count them, on meta tensors; the network stays as it is.

    Args:
        model: a network that torch.fx can trace; its weights may be meta tensors.
        resolution: side of a square image, pixels; left out, what the network says it was made for.

    Raises:
        ConversionError: the network cannot be traced, or does not take an input of that size.
    """
    model, example = on_meta(model), example_of(model, resolution)
    relations, no_policy = _related(model, example)
    groups = _Surveyor(model, example, relations).groups()
    return DesignSpace(
        family=policy_of(model).family,
        size=tuple(example.shape[2:]),
        macs=walk(model, example).macs,
        groups=groups,
        names=_names_of_convs(model),
        example=_example_map(model, example, groups),
        no_policy=no_policy,
    )


class _Surveyor:
    """Makes a record of each alpha group of a network on meta."""

    def __init__(self, model: nn.Module, example: Tensor, relations: Relations) -> None:
        self._model, self._example = model, example
        self._found = relations.groups.groups()
        self._names = _names_of_convs(model)
        self._shapes = _shapes_of_convs(relations)
        self._followers = _followers(relations)
        self._macs = _macs_by_layer(model, example)
        # At alpha 0 nothing is told apart by a policy: whatever meets is one group.
        met = alpha_groups(model, 0, example).groups.groups()
        self._met = {name: group.convs for group in met for name in group.convs}

    def groups(self) -> tuple[DesignGroup, ...]:
        return tuple(self._record(number, group) for number, group in enumerate(self._found, 1))

    def _record(self, number: int, group: AlphaGroup) -> DesignGroup:
        convs, named_with = group.convs, self._named_with(group)
        followers = tuple(name for name, owners in self._followers.items() if owners <= set(convs))
        shapes = [shape for name in convs for shape in self._shapes[name]]
        return DesignGroup(
            number=number,
            convs=convs,
            followers=followers,
            named_with=named_with,
            patterns=patterns_for((*convs, *named_with), self._names, followers),
            channels=tuple(self._shapes[name][0][1] for name in convs),
            sizes=tuple(dict.fromkeys(shape[2:] for shape in shapes)),
            macs=sum(self._macs.get(name, 0) for name in (*convs, *followers)),
            is_octave=not group.split.is_plain,
            smallest_alpha=group.step,
            multiple_of=group.multiple_of,
        )

    def _named_with(self, group: AlphaGroup) -> tuple[str, ...]:
        """Name what meets a group and is none of it, unless the policy's part of them can do without."""
        others = tuple(name for name in self._met.get(group.convs[0], ()) if name not in group.convs)
        can_do_without = not others or (
            not group.split.is_plain
            and _converts(self._model, dict.fromkeys(group.convs, Fraction(1)), self._example)
        )
        return () if can_do_without else others


def _related(model: nn.Module, example: Tensor) -> tuple[Relations, str | None]:
    """Give the groups of a uniform alpha; where the policy has no layer for one, all groups and why."""
    try:
        return alpha_groups(model, 1, example), None
    except ConversionError as error:
        return alpha_groups(model, 0, example), str(error)


def _names_of_convs(model: nn.Module) -> tuple[str, ...]:
    return tuple(name for name, module in model.named_modules() if isinstance(module, _ConvNd))


def _shapes_of_convs(relations: Relations) -> dict[str, list[tuple[int, ...]]]:
    shapes: dict[str, list[tuple[int, ...]]] = {}
    for node in relations.graph.nodes:
        if node.op == "call_module":
            shapes.setdefault(str(node.target), []).append(relations.groups.shape(node))
    return shapes


def _followers(relations: Relations) -> dict[str, set[str]]:
    """Give the convolutions that say how the output of each depthwise one splits."""
    groups = relations.groups
    followers: dict[str, set[str]] = {}
    for node in relations.graph.nodes:
        conv = groups.modules[str(node.target)] if node.op == "call_module" else None
        if isinstance(conv, _ConvNd) and is_depthwise(conv):
            owners = [groups.leaves.convs(run.leaf) for run in groups.leaves.roots(groups.layout(node))]
            if owners:
                followers.setdefault(str(node.target), set()).update(*owners)
    return followers


def _macs_by_layer(model: nn.Module, example: Tensor) -> dict[str, int]:
    macs: dict[str, int] = {}
    with torch.no_grad(), LayerRecorder(model) as recorder:
        model(example)
    for layer in recorder.layers:
        macs[layer.name] = macs.get(layer.name, 0) + layer.macs.total
    return macs


def _converts(model: nn.Module, alphas: Mapping[str, Fraction], example: Tensor) -> bool:
    try:
        octavize(model, alphas, example, on_unknown="merge")
    except ConversionError:
        return False
    return True


def _example_map(
    model: nn.Module, example: Tensor, groups: Iterable[DesignGroup]
) -> tuple[tuple[str, Fraction], ...]:
    """Give an alpha map of the groups that have most MACs for the least writing, of the policy's first."""
    order = sorted(groups, key=lambda group: (not group.is_octave, -group.macs / len(group.patterns)))
    chosen = zip(order, _EXAMPLE_ALPHAS, strict=False)
    alphas = {pattern: group.nearest(alpha) for group, alpha in chosen for pattern in group.patterns}
    return tuple(alphas.items()) if alphas and _converts(model, alphas, example) else ()
