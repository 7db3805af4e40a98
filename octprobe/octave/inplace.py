"""Operators that write in place, read as operators whose result is used, as those on pairs are."""

from collections.abc import Mapping

from torch import fx, nn

from octprobe.octave.layers import ByMode
from octprobe.octave.shapes import Recording


def follow_writes(
    graph: fx.Graph, modules: Mapping[str, nn.Module], recording: Recording
) -> dict[fx.Node, list[fx.Node]]:
    """Make every later reader of what a node wrote in place read that node's result instead.

    Returns:
        What could not be followed: for a node that writes, the nodes that share the written memory, where
        one of them is read later and is another view of it than the node's result.
    """
    nodes = list(graph.nodes)
    place = {node: index for index, node in enumerate(nodes)}
    unfollowed = {}
    for node in nodes:
        written = recording.written.get(node.name, set()) | _declared(node, modules, recording)
        if not written:
            continue
        sharers = [n for n in nodes[: place[node]] if _storages(n, recording) & written]
        for sharer in sharers:
            later = [reader for reader in sharer.users if place[reader] > place[node]]
            if later and recording.regions[sharer.name] != recording.regions[node.name]:
                unfollowed[node] = sharers
                continue
            for reader in later:
                reader.replace_input_with(sharer, node)
    return unfollowed


def _storages(node: fx.Node, recording: Recording) -> set[int]:
    return {region.storage for region in recording.regions.get(node.name, ())}


def _declared(node: fx.Node, modules: Mapping[str, nn.Module], recording: Recording) -> set[int]:
    """Give the storages that a node says it writes to, as a dropout in place does in training only."""
    module = modules.get(str(node.target)) if node.op == "call_module" else None
    asked = node.kwargs.get("inplace") if isinstance(module, ByMode) else getattr(module, "inplace", False)
    if asked is not True or not node.all_input_nodes:
        return set()
    return _storages(node.all_input_nodes[0], recording)
