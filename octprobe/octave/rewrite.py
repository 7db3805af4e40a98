"""Rewriting a traced graph, node by node, into its octave form."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from torch import fx, nn
from torch.fx.node import Argument

from octprobe.errors import ConversionError
from octprobe.octave.groups import AlphaGroups
from octprobe.octave.layers import BatchOfOne, Merge, MergeEach, Split
from octprobe.octave.shapes import Recording
from octprobe.octave.split import ChannelSplit
from octprobe.octave.table import Rule, UncoveredError
from octprobe.octave.trace import add_module, owner_of
from octprobe.octave.words import Downsample, Exchange

M = TypeVar("M", bound=nn.Module)
RULES_PLACE = "octprobe/octave/rules"


@dataclass(frozen=True)
class Form:
    """Which form of the octave operator a network is made of.

    Attributes:
        exchange: which paths between the frequencies there are.
        downsample: how a high value becomes low.
    """

    exchange: Exchange = "both"
    downsample: Downsample = "average"


class Rewriter:
    """The graph and the network under conversion, as the rules see them.

    Attributes:
        recording: what a run of the vanilla network has shown.
        form: which form of the octave operator is wanted.
        splits: which channels are low, for every node that has become a pair.
        parts: the same for what a node gives as a tuple.
        merged: where pairs are made plain amid the network, one line a node with the reason.
    """

    def __init__(
        self,
        tree: nn.Module,
        graph: fx.Graph,
        modules: Mapping[str, nn.Module],
        rules: Mapping[fx.Node, Rule],
        groups: AlphaGroups,
        recording: Recording,
        unfollowed: Mapping[fx.Node, list[fx.Node]],
        form: Form,
        *,
        merge_unknown: bool,
    ) -> None:
        self.tree, self.graph, self.groups = tree, graph, groups
        self.recording, self.form = recording, form
        self.splits: dict[fx.Node, ChannelSplit] = {}
        self.parts: dict[fx.Node, tuple[ChannelSplit, ...]] = {}
        self.merged: list[str] = []
        self._modules, self._rules = modules, rules
        self._unfollowed, self._merge_unknown = unfollowed, merge_unknown
        # A module may have several names, and stays one.
        self._names: dict[int, list[str]] = {}
        for name, module in modules.items():
            self._names.setdefault(id(module), []).append(name)
        self._replaced: dict[str, tuple[object, ...]] = {}
        self._merges: dict[fx.Node, fx.Node] = {}

    def run(self) -> None:
        """Rewrite every node that is a convolution or that a pair reaches.

        Raises:
            ConversionError: no rule covers a node.
        """
        for node in list(self.graph.nodes):
            rule = self._rules.get(node)
            sharers = self._unfollowed.get(node, ())
            if any(sharer in self.splits for sharer in sharers) or (sharers and self._reads_octave(node)):
                raise ConversionError(
                    f"{self._place(node)} writes in place to what another view of it is read from later; "
                    "no rule covers it: write to a copy"
                )
            if node.op == "output":
                self.merge_inputs(node)
            elif self.module_of(node, nn.modules.conv._ConvNd) is not None or self._reads_octave(node):
                self._rewrite(node, rule)

    def module_of(self, node: fx.Node, kind: type[M]) -> M | None:
        """Give the vanilla module that a node calls, if it is of a kind; else None."""
        module = self._modules.get(str(node.target)) if node.op == "call_module" else None
        return module if isinstance(module, kind) else None

    def called(self, node: fx.Node, kind: type[M]) -> M:
        """Give the vanilla module of a kind that a node calls.

        Raises:
            UncoveredError: the node calls something else.
        """
        module = self.module_of(node, kind)
        if module is None:
            raise UncoveredError(f"no rule takes anything but a {kind.__name__} here")
        return module

    def pairs(self, node: fx.Node) -> list[fx.Node]:
        """Give the inputs of a node that are pairs."""
        return [source for source in node.all_input_nodes if source in self.splits]

    def shape(self, node: fx.Node) -> tuple[int, ...]:
        """Give the shape of a node's value in the vanilla network; empty for what is no tensor."""
        return self.groups.shape(node)

    def give(self, node: fx.Node, split: ChannelSplit) -> None:
        """Say that a node's value is split so; a split without low channels leaves it plain."""
        if not split.is_plain:
            self.splits[node] = split

    def replace(self, node: fx.Node, module: nn.Module, *identity: object) -> None:
        """Put a module in the place of the one that a node calls.

        Args:
            node: a `call_module` node.
            module: what is called instead, with the same parameters.
            identity: what another node that calls the same module must agree on.

        Raises:
            ConversionError: another node needs the module in another form.
        """
        target = str(node.target)
        if self._replaced.setdefault(target, identity) == ():
            raise UncoveredError("no rule calls one module on pairs and on plain values")
        if self._replaced[target] != identity:
            raise ConversionError(
                f"node {node.name}: module {target} is called in places that split differently"
            )
        former = self._modules[target]
        module.training = former.training
        for name in self._names[id(former)]:
            self.tree.set_submodule(name, module)

    def keep(self, node: fx.Node) -> None:
        """Say that a node calls its vanilla module, so that no other node may need it in another form."""
        self._replaced.setdefault(str(node.target), ())
        if self._replaced[str(node.target)] != ():
            raise ConversionError(
                f"node {node.name}: module {node.target} is called in places that split differently"
            )

    def call(self, node: fx.Node, module: nn.Module, args: tuple[Argument, ...] | None = None) -> None:
        """Make a node call a module instead of its function; it keeps its name, place and arguments.

        Args:
            node: the node.
            module: a module without parameters.
            args: what it is called with instead of the node's arguments.
        """
        node.target = add_module(self.tree, owner_of(node), f"{node.name}_octave", module)
        node.op = "call_module"
        if args is not None:
            node.args, node.kwargs = args, {}

    def split_before(self, node: fx.Node, source: fx.Node, split: ChannelSplit) -> fx.Node:
        """Insert, before a node, the split of one of its plain inputs."""
        new = self._insert(node, source, Split(split, self.form.downsample), f"{node.name}_split")
        self.give(new, split)
        return new

    def batch_before(self, node: fx.Node, source: fx.Node) -> fx.Node:
        """Insert, before a node, one of its plain inputs as a batch of one."""
        new = self._insert(node, source, BatchOfOne(), f"{source.name}_batch")
        self.recording.shapes[new.name] = (1, *self.shape(source))
        return new

    def merge_inputs(self, node: fx.Node) -> None:
        """Make every pair that a node reads plain, once for it and all later ones that read it plain."""
        for source in node.all_input_nodes:
            merge = self._merge_of(source)
            if merge is None:
                continue
            if source not in self._merges:
                self._merges[source] = self._insert(node, source, merge, f"{source.name}_merge")
            node.replace_input_with(source, self._merges[source])

    def _merge_of(self, source: fx.Node) -> nn.Module | None:
        """Give what makes a pair plain, or a tuple of them; None for what is plain."""
        if source in self.splits:
            return Merge(self.splits[source])
        return MergeEach(self.parts[source]) if source in self.parts else None

    def leave(self, node: fx.Node, reason: str) -> None:
        """Leave the octave world before a node, by a rule; what it reads becomes plain."""
        if self._reads_octave(node):
            self.merge_inputs(node)
            self.merged.append(f"{self._place(node)}: {reason}")

    def _insert(self, before: fx.Node, source: fx.Node, module: nn.Module, name: str) -> fx.Node:
        target = add_module(self.tree, owner_of(before), name, module)
        with self.graph.inserting_before(before):
            new = self.graph.create_node("call_module", target, (source,), {}, name=name)
        if "nn_module_stack" in before.meta:
            new.meta["nn_module_stack"] = before.meta["nn_module_stack"]
        return new

    def _reads_octave(self, node: fx.Node) -> bool:
        return bool(self.pairs(node)) or any(source in self.parts for source in node.all_input_nodes)

    def _rewrite(self, node: fx.Node, rule: Rule | None) -> None:
        try:
            if rule is None:
                raise UncoveredError("it has no rule")
            if node in self.groups.clashes:
                raise UncoveredError(self.groups.clashes[node])
            rule.rewrite(self, node)
        except UncoveredError as reason:
            self._unknown(node, str(reason))

    def _unknown(self, node: fx.Node, reason: str) -> None:
        if not self._reads_octave(node):
            return
        line = f"{self._place(node)} on a pair: {reason} in {RULES_PLACE}"
        if not self._merge_unknown:
            raise ConversionError(f"{line}; add one, or pass on_unknown='merge' to go on plain from there")
        self.merge_inputs(node)
        self.merged.append(line)

    def _place(self, node: fx.Node) -> str:
        owner = str(node.target) if node.op == "call_module" else owner_of(node)
        return f"node {node.name}: operator {self._operator(node)}" + (f" in module {owner}" if owner else "")

    def _operator(self, node: fx.Node) -> str:
        module = self.module_of(node, nn.Module)
        if module is not None:
            return f"{type(module).__module__}.{type(module).__qualname__}"
        target: Any = node.target
        return target if isinstance(target, str) else f"{target.__module__}.{target.__name__}"
