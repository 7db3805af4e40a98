"""Operators that write in place, read as operators whose result is used, as those on pairs are."""

from collections.abc import Mapping

from torch import fx, nn
from torch.nn.modules.dropout import _DropoutNd

from octprobe.octave.layers import ByMode
from octprobe.octave.shapes import Recording

# Of timm and torchvision: what drops samples or blocks of them in training, and passes all in evaluation.
DROPS_OF_LIBRARIES = frozenset({"DropPath", "DropBlock2d", "StochasticDepth"})


def follow_writes(
    graph: fx.Graph, modules: Mapping[str, nn.Module], recording: Recording
) -> dict[fx.Node, list[fx.Node]]:
    """Make every later reader of what a node wrote in place read that node's result instead.

    Returns:
        What could not be followed: for a node that writes, the nodes that share the written memory, where
        one of them is read later and is another view of it than the node's result, or shares the memory in
        evaluation only.
    """
    nodes = list(graph.nodes)
    place = {node: index for index, node in enumerate(nodes)}
    unfollowed = {}
    for node in nodes:
        written = recording.written.get(node.name, set()) | _declared(node, modules, recording)
        if not written:
            continue
        sharers = [n for n in nodes[: place[node]] if _storages(n, recording) & written]
        copies = any(_copies_in_training(sharer, modules) for sharer in sharers)
        for sharer in sharers:
            later = [reader for reader in sharer.users if place[reader] > place[node]]
            if later and (copies or recording.regions[sharer.name] != recording.regions[node.name]):
                unfollowed[node] = sharers
                continue
            for reader in later:
                reader.replace_input_with(sharer, node)
    return unfollowed


def _storages(node: fx.Node, recording: Recording) -> set[int]:
    return {region.storage for region in recording.regions.get(node.name, ())}


def _copies_in_training(node: fx.Node, modules: Mapping[str, nn.Module]) -> bool:
    """Tell whether a node gives its input itself in evaluation and a value of its own in training."""
    module = _called(node, modules)
    drops = isinstance(module, ByMode | _DropoutNd) or type(module).__name__ in DROPS_OF_LIBRARIES
    return drops and not _is_in_place(node, module)


def _declared(node: fx.Node, modules: Mapping[str, nn.Module], recording: Recording) -> set[int]:
    """Give the storages that a node says it writes to, as a dropout in place does in training only."""
    if not _is_in_place(node, _called(node, modules)) or not node.all_input_nodes:
        return set()
    return _storages(node.all_input_nodes[0], recording)


def _is_in_place(node: fx.Node, module: nn.Module | None) -> bool:
    """Tell whether a node was told to write to its input."""
    asked = node.kwargs.get("inplace") if isinstance(module, ByMode) else getattr(module, "inplace", False)
    return asked is True


def _called(node: fx.Node, modules: Mapping[str, nn.Module]) -> nn.Module | None:
    return modules.get(str(node.target)) if node.op == "call_module" else None
