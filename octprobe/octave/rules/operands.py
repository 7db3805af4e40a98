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


def named_arguments(rewriter: Rewriter, node: fx.Node, *names: str) -> dict[str, Any]:
    """Give a call's arguments after the first one by name, numbers in the place of nodes that gave them.

    Args:
        rewriter: the graph under conversion.
        node: the call.
        names: the names of its arguments after the first one, in order.

    Raises:
        UncoveredError: there are more arguments, or others.
    """
    positional = node.args[1:]
    unknown = set(node.kwargs) - set(names) - {"input"}
    if len(positional) > len(names) or unknown:
        raise UncoveredError("no rule takes these arguments")
    given: dict[str, Any] = dict(zip(names, positional, strict=False)) | dict(node.kwargs)
    given.pop("input", None)
    static: dict[str, Any] = rewriter.recording.static(given)
    return dict(static)
