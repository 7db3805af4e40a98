"""Regions around the layers of a running module, and around the steps in them, for a profiler to record."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

import torch
from torch import fx, nn
from torch.nn.modules.batchnorm import _NormBase
from torch.overrides import TorchFunctionMode
from torch.profiler import record_function

from octprobe.octave.conv import OctaveConv
from octprobe.octave.paths import PathKernels
from octprobe.octave.trace import owner_of

_PREFIX = "octprobe::"
_SEPARATOR = "::"
# The path of a function by its name without underscores: `add_` and `__add__` are `add`. A mean is the
# pooling over all of space; the backward is a tensor's or torch.autograd's. Convolutions differ by weight.
_NORMS = ("batch_norm", "group_norm", "instance_norm", "layer_norm", "local_response_norm", "rms_norm")
_POOLS = tuple(
    f"{kind}_pool{axes}d" for kind in ("avg", "max", "adaptive_avg", "adaptive_max") for axes in (1, 2, 3)
)
_PATH_OF_FUNCTION = {
    "linear": "plain",
    "interpolate": "upsample",
    **dict.fromkeys(("add", "iadd", "radd"), "add"),
    **dict.fromkeys(_NORMS, "norm"),
    **dict.fromkeys((*_POOLS, "mean"), "pool"),
    **dict.fromkeys(("backward", "grad"), "backward"),
}
_CONVOLUTIONS = frozenset(f"conv{way}{axes}d" for way in ("", "_transpose") for axes in (1, 2, 3))


# Where torch.compile's module keeps what it was made of; naming its class would load the compiler for 0.8 s.
_COMPILED = "_orig_mod"


class Region(NamedTuple):
    """A stretch of a call: which layer runs, and which of `PATHS` its step belongs to."""

    layer: str
    path: str


# What no region covers.
NOWHERE = Region("", "other")


def region_name(region: Region) -> str:
    """Give the name that a profiler records a region under."""
    return f"{_PREFIX}{region.layer}{_SEPARATOR}{region.path}"


def read_region(name: str) -> Region | None:
    """Give the region that was recorded under a name; None for a name that is no region's."""
    layer, separator, path = name.removeprefix(_PREFIX).rpartition(_SEPARATOR)
    return Region(layer, path) if name.startswith(_PREFIX) and separator else None


def why_not_observed(module: nn.Module) -> str | None:
    """Say why a module's layers cannot be followed without changing what runs; None where they can."""
    for inner in module.modules():
        if isinstance(inner, torch.jit.ScriptModule):
            return "the network is TorchScript, whose layers are not told apart"
        if hasattr(inner, _COMPILED) or inner._compiled_call_impl is not None:
            return "the network compiles itself, and layers are not told apart in compiled code"
    return None


@contextmanager
def observed(module: nn.Module) -> Iterator[None]:
    """Record a region around each layer that a module calls and each step in it, until the context ends.

    What the module computes stays the same. A graph is run node by node, so that an addition belongs to
    the module in whose forward it stood; any other module is followed by hooks. Attention of torch.nn leaves
    its fused form, as it does whenever functions are looked at.

    Args:
        module: what is called within the context, eagerly; not one that `why_not_observed` tells of.
    """
    steps = _Steps()
    with ExitStack() as stack:
        if isinstance(module, fx.GraphModule):
            stack.enter_context(_instead(module, "forward", _LayerInterpreter(module, steps).run))
        else:
            stack.callback(_hook(module, steps))
        for layer in module.modules():
            if isinstance(layer, OctaveConv):
                stack.enter_context(_instead(layer, "derived", steps.watch(layer.derived)))
        stack.enter_context(steps)
        yield


class _Steps(TorchFunctionMode):
    """The layers that are open, and a region for each function called in them whose path is known."""

    def __init__(self) -> None:
        super().__init__()
        self._open: list[tuple[Region, record_function]] = []
        # Held, so that no later tensor takes the place in memory of a kernel sliced for one call.
        self._kernels: Mapping[str, object] = {}

    def enter(self, layer: str, module: nn.Module | None) -> None:
        """Open the region of a layer; all that a norm does is its own, such as counting batches."""
        region = Region(layer, "norm" if isinstance(module, _NormBase) else NOWHERE.path)
        recorded = record_function(region_name(region))
        recorded.__enter__()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        self._open.append((region, recorded))

    def leave(self) -> None:
        """Close the region of the layer that was opened last."""
        _, recorded = self._open.pop()
        recorded.__exit__(None, None, None)

    def watch(self, derived: Callable[[], Sequence[Any]]) -> Callable[[], Sequence[Any]]:
        """Note which tensors are the kernels of which path as an octave layer derives them."""

        def watched() -> Sequence[Any]:
            kernels = derived()
            self._kernels = dict(zip(PathKernels._fields, kernels, strict=True))
            return kernels

        return watched

    def __torch_function__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Call a function, in a region of its own where its path is known."""
        kwargs = kwargs or {}
        around = self._open[-1][0] if self._open else NOWHERE
        path = self._path_of(getattr(func, "__name__", "").strip("_"), args, kwargs)
        if path is None or around.path != NOWHERE.path:
            return func(*args, **kwargs)
        with record_function(region_name(Region(around.layer, path))):
            return func(*args, **kwargs)

    def _path_of(self, name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str | None:
        if name not in _CONVOLUTIONS:
            return _PATH_OF_FUNCTION.get(name)
        weight = args[1] if len(args) > 1 else kwargs.get("weight")
        return next((path for path, kernel in self._kernels.items() if kernel is weight), "plain")


class _LayerInterpreter(fx.Interpreter):
    """Runs a graph node by node, each in the region of its layer."""

    def __init__(self, module: fx.GraphModule, steps: _Steps) -> None:
        super().__init__(module)
        self._steps = steps

    def run_node(self, n: fx.Node) -> Any:
        """Run one node; see `fx.Interpreter`."""
        if n.op not in {"call_module", "call_function", "call_method"}:
            return super().run_node(n)
        called = str(n.target) if n.op == "call_module" else None
        self._steps.enter(owner_of(n) if called is None else called, self.submodules.get(called or ""))
        try:
            return super().run_node(n)
        finally:
            self._steps.leave()


def _hook(module: nn.Module, steps: _Steps) -> Callable[[], None]:
    """Follow every module within one by hooks, and give what removes them."""
    hooks = ExitStack()
    for name, inner in module.named_modules():
        hooks.callback(inner.register_forward_pre_hook(_entering(name, inner, steps)).remove)
        hooks.callback(inner.register_forward_hook(lambda *_: steps.leave(), always_call=True).remove)
    return hooks.close


def _entering(name: str, module: nn.Module, steps: _Steps) -> Callable[..., None]:
    return lambda *_: steps.enter(name, module)


@contextmanager
def _instead(module: nn.Module, name: str, method: Callable[..., Any]) -> Iterator[None]:
    """Let one module, and no other of its class, have another method."""
    attributes = vars(module)
    former = {name: attributes[name]} if name in attributes else {}
    attributes[name] = method
    try:
        yield
    finally:
        del attributes[name]
        attributes.update(former)
