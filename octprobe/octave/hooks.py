"""Hooks of modules that a converted network no longer calls."""

from collections.abc import Mapping

from torch import fx, nn

from octprobe.errors import ConversionError

_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")


def refuse_hooks(tree: nn.Module, graph: fx.Graph, modules: Mapping[str, nn.Module]) -> None:
    """Refuse a network in which a hook would be lost: that of a module replaced or traced through.

    Args:
        tree: the converted network's modules.
        graph: its graph.
        modules: the vanilla network's modules by name.

    Raises:
        ConversionError: such a module has hooks.
    """
    targets = {str(node.target) for node in graph.nodes if node.op == "call_module"}
    called = (modules[name] for name in targets if tree.get_submodule(name) is modules.get(name))
    kept = {id(inner) for module in called for inner in module.modules()}
    for name, module in modules.items():
        if id(module) not in kept and any(getattr(module, hooks) for hooks in _HOOKS):
            where = f"module {name}" if name else f"{type(module).__name__} itself"
            raise ConversionError(
                f"{where} has forward or backward hooks, which its octave form would not call; "
                "remove them, and register them on the converted network"
            )
