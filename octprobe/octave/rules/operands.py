"""What the rules ask of a node's operands."""

from typing import Any

from torch import fx

from octprobe.octave.rewrite import Rewriter
from octprobe.octave.split import ChannelSplit
from octprobe.octave.table import UncoveredError


def only_split(rewriter: Rewriter, node: fx.Node) -> ChannelSplit:
    """Give the split of the pair that is a node's first operand.

    Raises:
        UncoveredError: another operand is a pair.
    """
    pairs = rewriter.pairs(node)
    if len(pairs) != 1 or not node.args or node.args[0] is not pairs[0]:
        raise UncoveredError("no rule takes these arguments")
    return rewriter.splits[pairs[0]]


def named_arguments(node: fx.Node, *names: str, may_vary: tuple[str, ...] = ()) -> dict[str, Any]:
    """Give a call's arguments after the first one by name.

    Args:
        node: the call.
        names: the names of its arguments after the first one, in order.
        may_vary: those that may be computed in the network.

    Raises:
        UncoveredError: there are more arguments, others, or some that are computed in the network.
    """
    positional = node.args[1:]
    unknown = set(node.kwargs) - set(names) - {"input"}
    if len(positional) > len(names) or unknown:
        raise UncoveredError("no rule takes these arguments")
    given: dict[str, Any] = dict(zip(names, positional, strict=False)) | dict(node.kwargs)
    given.pop("input", None)
    computed: list[fx.Node] = []
    fx.node.map_arg({name: v for name, v in given.items() if name not in may_vary}, computed.append)
    if computed:
        # At another size of the input it would be another number.
        raise UncoveredError("no rule takes an argument that is computed from a value's size")
    return given
