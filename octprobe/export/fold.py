"""What a graph computes of its weights alone, computed once, so that no call of it slices weights."""

import operator
from collections.abc import Mapping

import torch
from torch import Tensor, fx
from torch._ops import OpOverload


def fold_weights(module: fx.GraphModule) -> None:
    """Compute, in place, what a graph computes of parameters and buffers alone, such as slices of a weight.

    The results become buffers beside the first of their sources, numbered as they are read, and parameters
    and buffers that are read no more are dropped. What is larger than its sources stays in the graph.

    Args:
        module: of a graph of ATen operators, as `ExportedProgram.module()` gives.
    """
    values = _constants(module)
    for node, value in values.items():
        if node.op != "get_attr" and not all(user in values for user in node.users):
            _read_instead(module, node, value)
    module.graph.eliminate_dead_code()
    _drop_unread(module)
    module.recompile()


def _constants(module: fx.GraphModule) -> dict[fx.Node, Tensor]:
    """Give the value of each node that depends on parameters and buffers alone, in the graph's order."""
    values: dict[fx.Node, Tensor] = {}
    written = {_origin(node).target for node in module.graph.nodes if _writes(node)}
    for node in module.graph.nodes:
        value = None
        if node.op == "get_attr" and node.target not in written:
            value = operator.attrgetter(str(node.target))(module)
        elif node.all_input_nodes and all(source in values for source in node.all_input_nodes):
            value = _computed(node, values)
        if isinstance(value, Tensor):
            values[node] = value
    return values


def _computed(node: fx.Node, values: Mapping[fx.Node, Tensor]) -> object:
    target = node.target
    if not isinstance(target, OpOverload) or _writes(node):
        return None
    if torch.Tag.nondeterministic_seeded in target.tags:
        return None
    args, kwargs = fx.node.map_arg((node.args, node.kwargs), values.__getitem__)
    value = target(*args, **kwargs)
    most = sum(values[source].numel() for source in node.all_input_nodes)
    return None if isinstance(value, Tensor) and value.numel() > most else value


def _writes(node: fx.Node) -> bool:
    return isinstance(node.target, OpOverload) and node.target._schema.is_mutable


def _origin(node: fx.Node) -> fx.Node:
    """Give where a node's first input comes from: of a view, or of what is written through one, its base."""
    while node.all_input_nodes:
        node = node.all_input_nodes[0]
    return node


def _read_instead(module: fx.GraphModule, node: fx.Node, value: Tensor) -> None:
    """Put a value into the module, and read it where its node was computed."""
    source = _origin(node)
    owner, _, leaf = str(source.target).rpartition(".")
    parent, number = module.get_submodule(owner), 1
    while hasattr(parent, f"{leaf}_{number}"):
        number += 1
    # A copy, or a file would hold the whole of what a view looks into.
    parent.register_buffer(f"{leaf}_{number}", value.detach().clone())
    with module.graph.inserting_before(node):
        new = module.graph.get_attr(f"{source.target}_{number}")
    node.replace_all_uses_with(new)


def _drop_unread(module: fx.GraphModule) -> None:
    read = {str(node.target) for node in module.graph.nodes if node.op == "get_attr"}
    for named in (module.named_parameters, module.named_buffers):
        for name in [name for name, _ in named(remove_duplicate=False) if name not in read]:
            owner, _, leaf = name.rpartition(".")
            delattr(module.get_submodule(owner), leaf)
