"""Alpha groups: the values whose low channels must agree, found by union-find; the true design space."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from torch import fx, nn

from octprobe.errors import ConversionError, UnrealisableAlphaError
from octprobe.octave.layouts import Layout, LayoutError, Leaves
from octprobe.octave.shapes import Recording
from octprobe.octave.split import ChannelSplit, low_channels, split_channels
from octprobe.octave.table import Rule


@dataclass(frozen=True)
class AlphaGroup:
    """Convolutions whose outputs split alike.

    Attributes:
        convs: module names, in the order of the graph.
        alpha: the share asked for.
        split: channels of the first one's output and which of them are low.
        step: the smallest alpha that makes a channel low.
        multiple_of: what alpha must be a multiple of, where groups of a convolution ask for it; else None.
    """

    convs: tuple[str, ...]
    alpha: Fraction
    split: ChannelSplit
    step: Fraction
    multiple_of: Fraction | None = None


class AlphaGroups:
    """The alpha groups of a traced network, and from them the split that each value would have.

    Args:
        modules: the network's modules by name.
        rules: the rule of each node that has one.
        alphas: alpha of each convolution's output by module name, for those that something was said of.
        recording: what a run of the vanilla network has shown.
        is_uniform: whether one alpha was asked for, of the layers that the policy chose: then a plain value
            that meets an octave one is split there, and a group that only a part was chosen of stays plain.
            Else what meets must have one alpha, a shortcut into the octave part of the network excepted.

    Attributes:
        clashes: why the value of a node cannot be octave, for those whose inputs cannot split alike.
    """

    def __init__(
        self,
        modules: Mapping[str, nn.Module],
        rules: Mapping[fx.Node, Rule],
        alphas: Mapping[str, Fraction],
        recording: Recording,
        *,
        is_uniform: bool = False,
    ) -> None:
        self.modules, self.recording = modules, recording
        self.clashes: dict[fx.Node, str] = {}
        self.leaves = Leaves()
        self._rules, self._alphas, self._is_uniform = rules, alphas, is_uniform
        self._outputs: dict[str, Layout] = {}
        self._layouts: dict[fx.Node, Layout] = {}
        self._parts: dict[fx.Node, tuple[Layout, ...]] = {}
        self._pooled: set[fx.Node] = set()
        self._low_of_leaf: dict[int, int] = {}

    def relate(self, graph: fx.Graph) -> None:
        """Walk the graph and join what must split alike; the low channels are counted then.

        Raises:
            ConversionError: members of one group were given different alphas.
            UnrealisableAlphaError: partitions that touch a group do not divide its low channels.
        """
        for node in graph.nodes:
            self._layouts[node] = self._layout(node)
        widths = self._widths()
        try:
            self._low_of_leaf = {leaf: self._low_of(leaf, width) for leaf, width in widths.items()}
        except UnrealisableAlphaError as error:
            raise self._for_all(error) if self._is_uniform else error from None

    def has_rule(self, node: fx.Node) -> bool:
        """Tell whether a rule says how low channels flow through a node."""
        return node in self._rules

    def layout(self, node: fx.Node) -> Layout:
        """Give the layout of a node's value; empty for what is always plain."""
        return self._layouts[node]

    def is_octave(self, node: fx.Node) -> bool:
        """Tell whether a node's value has low channels as far as the walk has come."""
        return not self._is_plain(self._layouts[node])

    def parts(self, node: fx.Node) -> tuple[Layout, ...]:
        """Give the layouts of the values that a node gives as a tuple."""
        return self._parts.get(node, ())

    def shape(self, node: fx.Node) -> tuple[int, ...]:
        """Give the shape of a node's value in the vanilla network; empty for what is no tensor."""
        shape: Any = self.recording.shapes.get(node.name, ())
        return shape if all(isinstance(size, int) for size in shape) else ()

    def new(self, name: str, channels: int) -> Layout:
        """Give the layout of a convolution's output."""
        if name not in self._outputs:
            self._outputs[name] = self.leaves.new(channels, [name])
        return self._outputs[name]

    def also(self, name: str, layout: Layout) -> None:
        """Say that what was asked of a convolution by name is asked of a value that is there already."""
        if layout and self._alphas.get(name) is not None:
            for run in self.leaves.roots(layout):
                self.leaves.convs(run.leaf).add(name)
            self._outputs.setdefault(name, layout)

    def set_parts(self, node: fx.Node, parts: Iterable[Layout]) -> None:
        """Say what a node gives as a tuple."""
        self._parts[node] = tuple(parts)

    def mark_pooled(self, node: fx.Node) -> None:
        """Say that a node's value has no space left, and so nothing to halve."""
        self._pooled.add(node)

    def is_pooled(self, node: fx.Node) -> bool:
        """Tell whether a node's value comes from globally pooled values alone."""
        return node in self._pooled

    def joined(self, nodes: Iterable[fx.Node]) -> Layout:
        """Join the values of nodes that are added or multiplied; give the layout that the result has."""
        related = [node for node in nodes if self._layouts[node]]
        if not related:
            return ()
        first = related[0]
        for other in related[1:]:
            first = self._joined(first, other)
        return self._layouts[first]

    def split_of(self, node: fx.Node) -> ChannelSplit | None:
        """Give the split that a node's output has by its group; None for what is always plain."""
        layout = self._layouts[node]
        return self.leaves.split(layout, self._low_of_leaf) if layout else None

    def groups(self) -> tuple[AlphaGroup, ...]:
        """Give every alpha group, in the order of the graph."""
        found: list[tuple[list[str], set[int]]] = []
        for name, layout in self._outputs.items():
            leaves = {run.leaf for run in self.leaves.roots(layout)}
            same = [group for group in found if group[1] & leaves]
            found = [group for group in found if group not in same]
            names = [n for group in same for n in group[0]]
            found.append(([*names, name], leaves.union(*(group[1] for group in same))))
        order = {name: i for i, name in enumerate(self._outputs)}
        return tuple(self._group(names) for names, _ in sorted(found, key=lambda g: order[g[0][0]]))

    def step_of(self, node: fx.Node) -> Fraction:
        """Give the smallest alpha that makes a channel of a convolution's output low."""
        return self._step(self._layouts[node])

    def _layout(self, node: fx.Node) -> Layout:
        rule = self._rules.get(node)
        inputs = node.all_input_nodes
        values = [source for source in inputs if source.op != "get_attr"]
        if values and all(source in self._pooled for source in values):
            self._pooled.add(node)
        if rule is None:
            return ()
        try:
            return rule.flow(self, node)
        except LayoutError as error:
            self.clashes[node] = str(error)
            return ()

    def _group(self, convs: list[str]) -> AlphaGroup:
        alphas = [self._alphas[name] for name in convs if name in self._alphas]
        first = self._outputs[convs[0]]
        split = self.leaves.split(first, self._low_of_leaf)
        runs = [run for name in convs for run in self.leaves.roots(self._outputs[name])]
        grouped = {run.width for run in runs if self.leaves.is_grouped(run.leaf)}
        multiple_of = Fraction(1, math.gcd(*grouped)) if grouped else None
        alpha = alphas[0] if alphas else Fraction(0)
        return AlphaGroup(tuple(convs), alpha, split, self._step(first), multiple_of)

    def _step(self, layout: Layout) -> Fraction:
        return Fraction(1, max(run.width for run in self.leaves.roots(layout)))

    def _widths(self) -> dict[int, int]:
        """Give the channels of every leaf that a value is made of."""
        layouts = [*self._layouts.values(), *(part for parts in self._parts.values() for part in parts)]
        used = (*self._outputs.values(), *layouts)
        return {run.leaf: run.width for layout in used for run in self.leaves.roots(layout)}

    def _low_of(self, leaf: int, width: int) -> int:
        """Count the low channels of a leaf."""
        alphas = self._asked(leaf)
        if self.leaves.is_plain(leaf) or not any(alphas.values()):
            return 0
        if len(set(alphas.values())) > 1:
            if self._is_uniform:
                return 0
            listed = ", ".join(f"{name} {float(alpha):g}" for name, alpha in alphas.items())
            raise ConversionError(f"these convolutions are one alpha group and need one alpha: {listed}")
        if self.leaves.is_grouped(leaf):
            self._refuse_fractions(alphas)
        return low_channels(width, next(iter(alphas.values())))

    def _refuse_fractions(self, alphas: Mapping[str, Fraction]) -> None:
        """Refuse an alpha that no whole number of low channels in each group of a convolution gives."""
        for name, alpha in alphas.items():
            runs = self.leaves.roots(self._outputs[name])
            try:
                for run in runs:
                    split_channels(run.channels, alpha, run.tiles * run.repeats)
            except UnrealisableAlphaError as error:
                where = ", ".join(alphas)
                raise UnrealisableAlphaError(f"output of {where}: {error}", error.allowed) from None

    def _for_all(self, error: UnrealisableAlphaError) -> UnrealisableAlphaError:
        """Give an error on one group of a uniform alpha with the alphas that all groups allow."""
        grouped = {
            width
            for leaf, width in self._widths().items()
            if self.leaves.is_grouped(leaf)
            and not self.leaves.is_plain(leaf)
            and all(self._asked(leaf).values())
        }
        parts = math.gcd(*grouped)
        if not parts or len(error.allowed) == parts + 1:  # the first group's own
            return error
        said = f"{error}; all alpha groups together allow multiples of 1/{parts} only"
        return UnrealisableAlphaError(said, [Fraction(k, parts) for k in range(parts + 1)])

    def _asked(self, leaf: int) -> dict[str, Fraction]:
        """Give the alphas asked for the convolutions in whose outputs a leaf is."""
        convs = self.leaves.convs(leaf)
        return {name: self._alphas.get(name, Fraction(0)) for name in self._outputs if name in convs}

    def _asks(self, leaf: int) -> bool:
        """Tell whether an alpha above 0 was asked for a leaf that may have low channels."""
        return not self.leaves.is_plain(leaf) and any(self._alphas.get(n) for n in self.leaves.convs(leaf))

    def _joined(self, a: fx.Node, b: fx.Node) -> fx.Node:
        """Join two values that are added; give the one whose split the sum has.

        A plain value that the other one was computed from is a shortcut into the octave part of the network:
        it is split at the add, and needs no alpha of its own.
        """
        left, right = self._layouts[a], self._layouts[b]
        if self._is_plain(left) and not self._is_plain(right) and self._may_split(a, b):
            return b
        if self._is_plain(right) and not self._is_plain(left) and self._may_split(b, a):
            return a
        self.leaves.join(left, right)
        return a

    def _may_split(self, plain: fx.Node, octave: fx.Node) -> bool:
        return self._is_uniform or _is_ancestor(plain, octave)

    def _is_plain(self, layout: Layout) -> bool:
        leaves = [run.leaf for run in self.leaves.roots(layout)]
        return not any(map(self._asks, leaves))


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
