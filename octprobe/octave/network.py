"""The converted network: a graph over the vanilla network's own tree of modules."""

import copy
import linecache
import weakref
from dataclasses import dataclass
from typing import Any, Self

from torch import fx, nn

from octprobe.octave.groups import AlphaGroup
from octprobe.octave.split import ChannelSplit

# What a module keeps its parts in; taken over whole, so that keys, order and unused parts stay.
_PARTS = ("_parameters", "_buffers", "_modules", "_non_persistent_buffers_set")


@dataclass(frozen=True)
class Conversion:
    """What was made of a network.

    Attributes:
        groups: its alpha groups, in the order of the graph.
        splits: which channels are low, by name of each node whose value is a pair.
        merged: where the network leaves the octave world amid it, one line a node with the reason.
    """

    groups: tuple[AlphaGroup, ...]
    splits: dict[str, ChannelSplit]
    merged: tuple[str, ...]


class OctaveNetwork(fx.GraphModule):
    """An octave network: nodes have the vanilla graph's names, parameters the vanilla network's.

    Attributes:
        conversion: what was converted.
    """

    conversion: Conversion

    def __init__(self, root: nn.Module, graph: fx.Graph, conversion: Conversion) -> None:
        super().__init__(root, graph, class_name=f"Octave{type(root).__name__.removeprefix('Octave')}")
        for name, value in root.__dict__.items():
            if name in _PARTS or name not in self.__dict__:
                self.__dict__[name] = value
        self.training = root.training
        self.conversion = conversion
        _forget_source_after(self)

    def __copy__(self) -> Self:
        # As of any module: the copy has the same layers.
        return _rebuilt(type(self).__name__, self._state(), copy.deepcopy(self.graph))  # type: ignore[return-value]  # as below

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        graph = copy.deepcopy(self.graph, memo)
        return _rebuilt(type(self).__name__, copy.deepcopy(self._state(), memo), graph)  # type: ignore[return-value]  # a class of its own is made for each graph

    def __reduce__(self) -> tuple[Any, ...]:
        # The graph knows its network; a copy does not, and so makes no circle.
        return _rebuilt, (type(self).__name__, self._state(), copy.deepcopy(self.graph))

    def _state(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in {"_graph", "_code"}}


def _forget_source_after(network: fx.GraphModule) -> None:
    """Let the text of a network's forward go with it; torch.fx and linecache would keep it for good."""
    forward: Any = type(network).forward
    weakref.finalize(network, _forget_source, forward.__code__.co_filename).atexit = False


def _forget_source(name: str) -> None:
    linecache.cache.pop(name, None)
    loader = getattr(fx.graph_module, "_loader", None)
    getattr(loader, "eval_cache", {}).pop(name, None)


def _rebuilt(class_name: str, state: dict[str, Any], graph: fx.Graph) -> OctaveNetwork:
    root = type(class_name, (nn.Module,), {})()
    root.__dict__.update(state)
    return OctaveNetwork(root, graph, state["conversion"])
