"""What a network asks of a value's shape, answered for a pair as for the plain value."""

from torch import fx

from octprobe.octave.channels import attribute_of, size_of
from octprobe.octave.flows import leave
from octprobe.octave.rewrite import Rewriter
from octprobe.octave.table import RULES, UncoveredError

_ATTRIBUTES = frozenset({"shape", "ndim", "dtype", "device", "is_cuda", "requires_grad"})


@RULES.add(getattr, flow=leave)
def attribute(rewriter: Rewriter, node: fx.Node) -> None:
    """Tell the plain value's shape, dtype or device."""
    if node.args[1] not in _ATTRIBUTES:
        raise UncoveredError("no rule gives this attribute")
    node.target = attribute_of


@RULES.add("size", flow=leave)
def size(rewriter: Rewriter, node: fx.Node) -> None:
    """Tell the plain value's shape, or one size of it."""
    node.op, node.target = "call_function", size_of


@RULES.add("dim", flow=leave)
def dimensions(rewriter: Rewriter, node: fx.Node) -> None:
    """Tell the plain value's number of dimensions."""
    node.op, node.target, node.args = "call_function", attribute_of, (node.args[0], "ndim")
