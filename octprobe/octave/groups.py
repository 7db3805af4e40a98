"""Alpha groups: the values whose low channels must agree, found by union-find; the true design space."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from torch import fx, nn

from octprobe.errors import ConversionError, UnrealisableAlphaError
from octprobe.octave.conv import is_depthwise, octave_fault
from octprobe.octave.split import ChannelSplit, concatenated, split_channels
from octprobe.octave.table import Flow, Rule

# A value's channels as runs of (group, channels): one run for a convolution's output, several for a
# concatenation, none for a value that is plain whatever the alphas.
Layout = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class AlphaGroup:
    """Convolutions whose outputs split alike.

    Attributes:
        convs: module names, in the order of the graph.
        alpha: the share asked for.
        split: channels and which of them are low.
        step: the smallest alpha that makes a channel low.
    """

    convs: tuple[str, ...]
    alpha: Fraction
    split: ChannelSplit
    step: Fraction


@dataclass
class _Members:
    channels: int
    partitions: int = 1
    alphas: dict[str, Fraction] = field(default_factory=dict)


class AlphaGroups:
    """The alpha groups of a traced network, and from them the split that each value would have.

    Args:
        modules: the network's modules by name.
        rules: the rule of each node that has one.
        alphas: alpha of each convolution's output by module name, for those that something was said of.
    """

    def __init__(
        self, modules: Mapping[str, nn.Module], rules: Mapping[fx.Node, Rule], alphas: Mapping[str, Fraction]
    ) -> None:
        self.modules, self._rules, self._alphas = modules, rules, alphas
        self._parents: list[int] = []
        self._members: list[_Members] = []
        self._layouts: dict[fx.Node, Layout] = {}
        self._pooled: set[fx.Node] = set()

    def relate(self, graph: fx.Graph) -> None:
        """Walk the graph and join what must split alike."""
        for node in graph.nodes:
            rule = self._rules.get(node)
            self._layouts[node] = () if rule is None else self._layout(node, rule.flow)

    def split_of(self, node: fx.Node) -> ChannelSplit | None:
        """Give the split that a node's output has by its group; None for what is always plain."""
        layout = self._layouts[node]
        if not layout:
            return None
        return concatenated(self._group(self._find(part)).split for part, _ in layout)

    def groups(self) -> tuple[AlphaGroup, ...]:
        """Give every alpha group, in the order of the graph.

        Raises:
            ConversionError: members of one group were given different alphas.
            UnrealisableAlphaError: partitions that touch a group do not divide its low channels.
        """
        roots = dict.fromkeys(self._find(i) for i in range(len(self._parents)))
        return tuple(self._group(root) for root in roots)

    def step_of(self, node: fx.Node) -> Fraction:
        """Give the smallest alpha that makes a channel of a convolution's output low."""
        return self._group(self._find(self._layouts[node][0][0])).step

    def is_pooled(self, node: fx.Node) -> bool:
        """Tell whether a node's value comes from globally pooled values alone."""
        return node in self._pooled

    def _group(self, root: int) -> AlphaGroup:
        members = self._members[root]
        alphas = members.alphas
        if len(set(alphas.values())) > 1:
            listed = ", ".join(f"{name} {float(alpha):g}" for name, alpha in alphas.items())
            raise ConversionError(f"these convolutions are one alpha group and need one alpha: {listed}")
        alpha = next(iter(alphas.values()), Fraction(0))
        try:
            split = split_channels(members.channels, alpha, members.partitions)
        except UnrealisableAlphaError as error:
            where = ", ".join(alphas)
            raise UnrealisableAlphaError(f"output of {where}: {error}", error.allowed) from None
        return AlphaGroup(tuple(alphas), alpha, split, Fraction(members.partitions, members.channels))

    def _layout(self, node: fx.Node, flow: Flow) -> Layout:
        inputs = node.all_input_nodes
        if flow is Flow.CONVOLVE:
            return self._convolved(node, inputs[0])
        if flow is Flow.POOL_ALL:
            self._pooled.add(node)
            return ()
        if flow is Flow.INHERIT:
            return self._inherited(node, inputs)
        return ()

    def _convolved(self, node: fx.Node, source: fx.Node) -> Layout:
        conv = self.modules[str(node.target)]
        if not isinstance(conv, nn.Conv2d) or octave_fault(conv) is not None:
            return ()
        if source in self._pooled:
            # What works on globally pooled values, as squeeze-excite does, has no space to halve.
            self._pooled.add(node)
            return ()
        if is_depthwise(conv):
            return self._depthwise(str(node.target), conv, self._layouts[source])
        layout = self._new(str(node.target), conv.out_channels)
        if conv.groups > 1:
            self._partition(node, layout, conv.groups)
            self._partition(node, self._layouts[source], conv.groups)
        return layout

    def _depthwise(self, name: str, conv: nn.Conv2d, layout: Layout) -> Layout:
        if conv.out_channels != conv.in_channels or not layout:
            return ()
        if name in self._alphas:
            for part, _ in layout:
                self._members[self._find(part)].alphas[name] = self._alphas[name]
        return layout

    def _new(self, name: str, channels: int) -> Layout:
        index = len(self._parents)
        self._parents.append(index)
        self._members.append(_Members(channels, alphas={name: self._alphas.get(name, Fraction(0))}))
        return ((index, channels),)

    def _partition(self, node: fx.Node, layout: Layout, groups: int) -> None:
        if len(layout) > 1:
            raise ConversionError(
                f"node {node.name}: a grouped convolution reads a concatenation; no rule covers it"
            )
        for part, _ in layout:
            members = self._members[self._find(part)]
            members.partitions = math.lcm(members.partitions, groups)

    def _inherited(self, node: fx.Node, inputs: list[fx.Node]) -> Layout:
        if inputs and all(i in self._pooled for i in inputs):
            self._pooled.add(node)
        related = [i for i in inputs if self._layouts[i]]
        if not related:
            return ()
        first = related[0]
        for other in related[1:]:
            first = self._joined(first, other)
        return self._layouts[first]

    def _joined(self, a: fx.Node, b: fx.Node) -> fx.Node:
        """Join two values that are added; give the one whose split the sum has.

        A plain value that the other one was computed from is a shortcut into the octave part of the network:
        it is split at the add, and needs no alpha of its own.
        """
        if self._is_plain(a) and not self._is_plain(b) and _is_ancestor(a, b):
            return b
        if self._is_plain(b) and not self._is_plain(a) and _is_ancestor(b, a):
            return a
        if [n for _, n in self._layouts[a]] != [n for _, n in self._layouts[b]]:
            raise ConversionError(
                f"nodes {a.name} and {b.name} are added but concatenated from different parts"
            )
        for (left, _), (right, _) in zip(self._layouts[a], self._layouts[b], strict=True):
            self._union(left, right)
        return a

    def _is_plain(self, node: fx.Node) -> bool:
        roots = [self._find(part) for part, _ in self._layouts[node]]
        return not any(alpha for root in roots for alpha in self._members[root].alphas.values())

    def _find(self, index: int) -> int:
        while self._parents[index] != index:
            index = self._parents[index]
        return index

    def _union(self, a: int, b: int) -> None:
        first, second = sorted((self._find(a), self._find(b)))
        if first == second:
            return
        kept, gone = self._members[first], self._members[second]
        kept.alphas |= gone.alphas
        kept.partitions = math.lcm(kept.partitions, gone.partitions)
        self._parents[second] = first


def _is_ancestor(ancestor: fx.Node, node: fx.Node) -> bool:
    waiting, seen = [node], {node}
    while waiting:
        for source in waiting.pop().all_input_nodes:
            if source is ancestor:
                return True
            if source not in seen:
                seen.add(source)
                waiting.append(source)
    return False
