"""Whether the alphas that were asked for have come to anything, and if not, why."""

from collections.abc import Iterable, Mapping
from fractions import Fraction

from torch import fx
from torch.nn.modules.conv import _ConvNd

from octprobe.errors import ConversionError
from octprobe.octave.alpha_map import covers
from octprobe.octave.fault import is_depthwise, octave_fault
from octprobe.octave.groups import AlphaGroups

# How many convolutions without effect a message gives reasons for.
_CONVS_SHOWN = 3


def check_effect(
    patterns: Iterable[str], alphas: Mapping[str, Fraction], graph: fx.Graph, groups: AlphaGroups
) -> None:
    """Hold every pattern to having made the output of a convolution octave, where it gives an alpha above 0.

    A pattern all of whose convolutions a later one sets to 0 says nothing any more.

    Args:
        patterns: the patterns of an alpha map.
        alphas: alpha by name of convolution.
        graph: the vanilla graph that the groups come from.
        groups: the groups of the alphas.

    Raises:
        ConversionError: a pattern has had no effect; the message says why for each of its convolutions.
    """
    calls = {str(node.target): node for node in graph.nodes if node.op == "call_module"}
    for pattern in patterns:
        asked = [name for name, alpha in alphas.items() if alpha and covers(pattern, name)]
        faults = [fault for name in asked if (fault := _fault(name, alphas[name], calls.get(name), groups))]
        if asked and len(faults) == len(asked):
            more = len(faults) - _CONVS_SHOWN
            shown = "; ".join(faults[:_CONVS_SHOWN]) + (f"; and {more} more" if more > 0 else "")
            raise ConversionError(f"alpha map: {pattern!r} makes no convolution octave: {shown}")


def check_uniform_effect(alpha: Fraction, convs: Iterable[str], graph: fx.Graph, groups: AlphaGroups) -> None:
    """Hold a uniform alpha to having made the output of a convolution octave.

    Args:
        alpha: above 0.
        convs: the convolutions that the policy has chosen.
        graph: the vanilla graph that the groups come from.
        groups: the groups of the alphas.

    Raises:
        ConversionError: it has had no effect; the message says from which alpha on it would have one.
    """
    calls = {str(node.target): node for node in graph.nodes if node.op == "call_module"}
    nodes = [calls[name] for name in convs]
    if any((split := groups.split_of(node)) is not None and not split.is_plain for node in nodes):
        return
    steps = [groups.step_of(node) for node in nodes if groups.split_of(node) is not None]
    way_out = f"the smallest alpha that does is {min(steps)}" if steps else "name others in an alpha map"
    if steps and alpha >= min(steps):
        way_out = "they split as others that stay plain; name whole alpha groups in an alpha map"
    raise ConversionError(
        f"alpha {alpha} makes no channel low in any convolution that the policy chooses; {way_out}"
    )


def _fault(name: str, alpha: Fraction, node: fx.Node | None, groups: AlphaGroups) -> str | None:
    """Say why a convolution's output stays plain; None where it does not."""
    conv = groups.modules[name]
    kind, usual = type(conv), getattr(type(conv).__base__, "__name__", "")
    if node is None and kind.__module__ != _ConvNd.__module__:
        return f"{name} is a {kind.__name__}, and a subclass of {usual} may compute something else"
    if node is None:
        return f"{name or 'the network itself'} is called by no module"
    if not isinstance(conv, _ConvNd) or not groups.has_rule(node):
        return f"{name} is a {kind.__name__}, for which there is no rule"
    fault = octave_fault(conv)
    if fault is not None:
        return f"{name} has no octave form: {fault}"
    split = groups.split_of(node)
    if split is None or split.is_plain:
        return _plain_because(name, alpha, node, groups, is_depthwise(conv))
    return None


def _plain_because(name: str, alpha: Fraction, node: fx.Node, groups: AlphaGroups, depthwise: bool) -> str:
    if groups.is_pooled(node):
        return f"{name} works on globally pooled values, which have no space to halve"
    if depthwise:
        return f"{name} is depthwise and splits as its input, which is plain"
    if groups.split_of(node) is None:
        return f"{name} reads or gives channels that no rule can split"
    if alpha >= groups.step_of(node):
        return f"{name} splits as channels that stay plain; name whole alpha groups"
    return f"alpha {alpha} makes no channel of {name} low; the smallest that does is {groups.step_of(node)}"
