"""What a checked condition gives at a point; no Python code is ever compiled or run."""

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any, Final

# Above every product of axes; keeps whole numbers small and reals exact to the unit.
MAX_MAGNITUDE: Final = 10**15

_ARITHMETIC: Final[Mapping[type[ast.operator], Callable[[Any, Any], Any]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_COMPARISONS: Final[Mapping[type[ast.cmpop], Callable[[Any, Any], bool]]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda left, right: left in right,
    ast.NotIn: lambda left, right: left not in right,
}


def holds(node: ast.expr, axes: Mapping[str, Any]) -> bool:
    """Whether a checked condition is true; a comparison with an absent value is false.

    Raises:
        ArithmeticError: a division by zero, a number out of bounds, or text ordered against a number.
    """
    if isinstance(node, ast.BoolOp):
        decide = all if isinstance(node.op, ast.And) else any
        return decide(holds(operand, axes) for operand in node.values)
    if isinstance(node, ast.UnaryOp):
        return not holds(node.operand, axes)
    if isinstance(node, ast.Compare):
        return _compare(node, axes)
    return _value(node, axes) is True


def _compare(node: ast.Compare, axes: Mapping[str, Any]) -> bool:
    left = _value(node.left, axes)
    for comparison, comparator in zip(node.ops, node.comparators, strict=True):
        right = _value(comparator, axes)
        if left is None or right is None:
            return False
        if not _compare_two(left, comparison, right):
            return False
        left = right
    return True


def _compare_two(left: Any, comparison: ast.cmpop, right: Any) -> bool:
    try:
        return _COMPARISONS[type(comparison)](left, right)
    except TypeError:
        raise ArithmeticError(f"{left!r} and {right!r} have no order: one is text, one a number") from None


def _value(node: ast.expr, axes: Mapping[str, Any]) -> Any:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        return axes.get(node.id)
    if isinstance(node, ast.List | ast.Tuple):
        return [_value(element, axes) for element in node.elts]
    if isinstance(node, ast.UnaryOp):
        operand = _value(node.operand, axes)
        return -operand if operand is not None and isinstance(node.op, ast.USub) else operand
    assert isinstance(node, ast.BinOp)  # noqa: S101 - the checker let nothing else through
    return _calculate(node, _value(node.left, axes), _value(node.right, axes))


def _calculate(node: ast.BinOp, left: float | None, right: float | None) -> float | None:
    if left is None or right is None:
        return None
    try:
        result: float = _ARITHMETIC[type(node.op)](left, right)
    except ZeroDivisionError:
        raise ArithmeticError(f"{ast.unparse(node)} divides by zero") from None
    if not abs(result) <= MAX_MAGNITUDE:
        raise ArithmeticError(f"{ast.unparse(node)} goes beyond 10^15")
    return result
