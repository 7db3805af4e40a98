"""One graph of a network that holds in training and in evaluation."""

import copy
import inspect
import operator
import sys
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, fx, nn

from octprobe.errors import ConversionError, wants_memory
from octprobe.octave.layers import ByMode


class InPlaceProxy(fx.Proxy):
    """A value under tracing whose augmented assignments stay in place; `fx.Proxy` makes `+=` a new value."""

    def __iadd__(self, other: Any) -> fx.Proxy:
        return self._in_place(operator.iadd, other)

    def __isub__(self, other: Any) -> fx.Proxy:
        return self._in_place(operator.isub, other)

    def __imul__(self, other: Any) -> fx.Proxy:
        return self._in_place(operator.imul, other)

    def __itruediv__(self, other: Any) -> fx.Proxy:
        return self._in_place(operator.itruediv, other)

    def _in_place(self, function: Callable[..., Any], other: Any) -> fx.Proxy:
        # Named as torch.fx names what it makes of them, so that nodes keep the names of the vanilla graph.
        name = function.__name__.removeprefix("i")
        return self.tracer.create_proxy("call_function", function, (self, other), {}, name=name)


class OctaveTracer(fx.Tracer):
    """A tracer that leaves whole the modules for which there is a rule, and keeps what is done in place.

    A module whose forward cannot be traced, such as one that decides by a value, stays one node as well.
    """

    def __init__(self, has_rule: Callable[[nn.Module], bool]) -> None:
        super().__init__(autowrap_functions=_functions_kept_whole())
        self._has_rule = has_rule
        self._opaque: set[nn.Module] = set()
        self._has_gradients = torch.is_grad_enabled()

    def proxy(self, node: fx.Node) -> fx.Proxy:
        """Give the value of a node."""
        return InPlaceProxy(node, self)

    def create_node(self, *args: Any, **kwargs: Any) -> fx.Node:
        """Add a node to the graph, which cannot say that gradients stop."""
        if torch.is_grad_enabled() != self._has_gradients:
            raise ConversionError("it switches gradients on or off in forward, which no graph can say")
        return super().create_node(*args, **kwargs)

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        """Tell whether the module stays one node of the graph."""
        return m in self._opaque or self._has_rule(m) or super().is_leaf_module(m, module_qualified_name)

    def call_module(
        self, m: nn.Module, forward: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Trace a module, or make it one node where that fails."""
        nodes, stack, calls = len(self.graph.nodes), dict(self.module_stack), dict(self.num_calls)
        try:
            return super().call_module(m, forward, args, kwargs)
        except Exception as error:  # whatever the module's own forward raises on a proxy
            if wants_memory(error) or m in self._opaque:
                raise
        for node in list(self.graph.nodes)[nodes:][::-1]:
            self.graph.erase_node(node)
        self.module_stack, self.num_calls = OrderedDict(stack), calls
        self._opaque.add(m)
        return super().call_module(m, forward, args, kwargs)


def _functions_kept_whole() -> tuple[Callable[..., Any], ...]:
    """Give the functions for which there is a rule, of the libraries that are loaded."""
    shufflenet = sys.modules.get("torchvision.models.shufflenetv2")
    return () if shufflenet is None else (shufflenet.channel_shuffle,)


def trace(model: nn.Module, has_rule: Callable[[nn.Module], bool]) -> fx.Graph:
    """Trace a network in both modes; what hangs on the mode becomes a `ByMode` module in the network.

    Raises:
        ConversionError: the network cannot be traced, or is another graph in training than in evaluation.
    """
    with _in_mode(model, True):
        trained_graph, constants = _traced(model, has_rule)
    for name in constants:
        delattr(model, name)  # or the second trace would number its own from there
    with _in_mode(model, False):
        graph, _ = _traced(model, has_rule)
    in_training, in_eval = list(trained_graph.nodes), list(graph.nodes)
    if len(in_training) != len(in_eval):
        raise ConversionError(
            f"{type(model).__name__}: {len(in_training)} operators in training, {len(in_eval)} in eval; "
            "only a network of one graph can be converted"
        )
    for trained, node in zip(in_training, in_eval, strict=True):
        _reconcile(model, graph, trained, node)
        if node.target in constants and not _equal(
            constants[str(node.target)], vars(model)[str(node.target)]
        ):
            raise _two_graphs(model, trained, node)
        _pass_by_position(model, node)
    return graph


def owner_of(node: fx.Node) -> str:
    """Give the dotted name of the module in whose forward the node stands; empty for the network itself."""
    # The stack's keys number repeated calls, as in `act@1`; its values have the name itself.
    stack = [name for name, _ in (node.meta.get("nn_module_stack") or {}).values()]
    if node.op == "call_module" and stack and stack[-1] == node.target:
        stack.pop()
    return str(stack[-1]) if stack else ""


def add_module(root: nn.Module, owner: str, name: str, module: nn.Module) -> str:
    """Put a module without parameters under an owner, by a free name; give its dotted name."""
    parent = root.get_submodule(owner)
    free = name
    while hasattr(parent, free):
        free += "_"
    parent.add_module(free, module)
    module.train(parent.training)
    return f"{owner}.{free}" if owner else free


def first_line(error: Exception) -> str:
    """Give the first line of an error's message; torch.fx appends where it was in the graph."""
    return str(error).splitlines()[0] if str(error) else repr(error)


def _traced(model: nn.Module, has_rule: Callable[[nn.Module], bool]) -> tuple[fx.Graph, dict[str, object]]:
    """Give the graph, and the constants made in forward that the tracer has put into the model."""
    before = set(vars(model))
    try:
        with _buffers_unchanged(model):
            graph = OctaveTracer(has_rule).trace(model, _defaults(model))
    except ConversionError as error:
        raise ConversionError(f"{type(model).__name__} cannot be traced: {first_line(error)}") from error
    except Exception as error:  # whatever the model's own forward raises on a proxy
        if wants_memory(error):
            raise
        raise ConversionError(
            f"{type(model).__name__} cannot be traced by torch.fx: {first_line(error)}"
        ) from error
    return graph, {name: value for name, value in vars(model).items() if name not in before}


@contextmanager
def _buffers_unchanged(model: nn.Module) -> Iterator[None]:
    """Refuse a forward that changes buffers by itself: it does so at tracing, and the graph never does."""
    before = _versions(model)
    yield
    changed = [name for name, version in _versions(model).items() if before.get(name) != version]
    if changed:
        raise ConversionError(
            f"its forward changes the buffer {changed[0]}, which the graph would not; give the module that "
            "does it a rule, or change the buffer outside of forward"
        )


def _versions(model: nn.Module) -> dict[str, tuple[int, int]]:
    """Give which tensor each buffer is, and how often it was written to."""
    buffers = model.named_buffers(remove_duplicate=False)
    return {name: (id(b), 0 if b.is_inference() else b._version) for name, b in buffers}


def _defaults(model: nn.Module) -> dict[str, Any]:
    """Give the defaults of what a network takes beside its input, which is what it is called with."""
    parameters = list(inspect.signature(type(model).forward).parameters.values())[2:]
    usual = (p for p in parameters if p.kind in {p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY})
    return {p.name: p.default for p in usual if p.default is not p.empty}


def _equal(a: object, b: object) -> bool:
    if not isinstance(a, Tensor) or not isinstance(b, Tensor):
        return a is b
    if a.shape != b.shape or a.dtype != b.dtype or a.device != b.device:
        return False
    return a.is_meta or torch.equal(a, b)


def _pass_by_position(model: nn.Module, node: fx.Node) -> None:
    """Turn keywords of a module's call into positions: an octave module's argument has another name."""
    if node.op != "call_module" or not node.kwargs:
        return
    module = model.get_submodule(str(node.target))
    if isinstance(module, ByMode):
        return
    try:
        bound = inspect.signature(module.forward).bind(*node.args, **node.kwargs)
    except (TypeError, ValueError):
        return
    node.args, node.kwargs = bound.args, bound.kwargs


@contextmanager
def _in_mode(model: nn.Module, mode: bool) -> Iterator[None]:
    modes = {module: module.training for module in model.modules()}
    for module in modes:
        module.training = mode
    try:
        yield
    finally:
        for module, former in modes.items():
            module.training = former


def _reconcile(model: nn.Module, graph: fx.Graph, trained: fx.Node, node: fx.Node) -> None:
    if (trained.op, trained.target, trained.name) != (node.op, node.target, node.name):
        raise _two_graphs(model, trained, node)
    if _described(trained) == _described(node):
        return
    if node.op != "call_function" or not callable(node.target):
        raise _two_graphs(model, trained, node)
    in_training, in_eval = _bound(trained), _bound(node)
    if in_training.pop("training", None) is not True or in_eval.pop("training", None) is not False:
        raise _two_graphs(model, trained, node)
    if repr(in_training) != repr(in_eval):
        raise _two_graphs(model, trained, node)
    first, *_ = in_eval
    name = add_module(model, owner_of(node), f"{node.name}_by_mode", ByMode(node.target))
    node.op, node.target = "call_module", name
    node.args = (in_eval.pop(first),)
    node.kwargs = in_eval


def _described(node: fx.Node) -> str:
    return repr((node.args, dict(node.kwargs)))


def _bound(node: fx.Node) -> dict[str, Any]:
    target: Any = node.target
    try:
        return copy.copy(inspect.signature(target).bind(*node.args, **node.kwargs).arguments)
    except (TypeError, ValueError):
        return {}


def _two_graphs(model: nn.Module, trained: fx.Node, node: fx.Node) -> ConversionError:
    return ConversionError(
        f"{type(model).__name__}: node {node.name} is {_said(trained)} in training and {_said(node)} in "
        "evaluation; only a network of one graph can be converted"
    )


def _said(node: fx.Node) -> str:
    return f"{getattr(node.target, '__name__', node.target)}{tuple(node.args)}"
