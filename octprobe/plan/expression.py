"""Conditions over axis names: a whitelist over Python's grammar, checked before it is ever used."""

import ast
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from octprobe.errors import UsageError
from octprobe.plan.evaluate import holds
from octprobe.plan.fault import did_you_mean, harmless, shorten

# A condition is one line of a file; both bounds are far above need and far below what strains a parser.
MAX_CHARACTERS: Final = 500
MAX_DEPTH: Final = 30
# No axis reaches this; sums and products of larger literals serve nothing but mischief.
MAX_LITERAL: Final = 10**12
_MAX_TEXT_CHARACTERS = 200

_SINGLE_EQUALS = re.compile(r"(?<![=!<>])=(?!=)")
_ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod)
_ORDER = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
_EQUALITY = (ast.Eq, ast.NotEq)
_MEMBERSHIP = (ast.In, ast.NotIn)
_ALLOWED = "a condition takes axis names, numbers, text, comparisons, in [...], and/or/not and + - * / // %"
_REFUSED: Final[Mapping[type[ast.AST], str]] = {
    ast.Constant: "such a literal",
    ast.Attribute: "an attribute",
    ast.Call: "a call",
    ast.Subscript: "an index",
    ast.Lambda: "a lambda",
    ast.IfExp: "if/else",
    ast.JoinedStr: "an f-string",
    ast.NamedExpr: ":=",
    ast.List: "a list outside in [...]",
    ast.Tuple: "a list outside in [...]",
    ast.ListComp: "a comprehension",
    ast.GeneratorExp: "a comprehension",
    ast.Pow: "a power",
    ast.MatMult: "@",
    ast.Is: "is; write ==,",
    ast.IsNot: "is not; write !=,",
}


class Kind(StrEnum):
    """What an axis, and so a part of a condition, can be."""

    NUMBER = "a number"
    TEXT = "text"
    EITHER = "a number or text"
    TRUTH = "true or false"


class ConditionError(UsageError, ValueError):
    """A condition that cannot be read, or that has no answer at some point."""


@dataclass(frozen=True)
class Condition:
    """A checked condition.

    Attributes:
        text: as its author wrote it.
        names: the axes that it reads.
    """

    text: str
    names: frozenset[str]
    _tree: ast.expr = field(repr=False, compare=False)

    def holds(self, axes: Mapping[str, Any]) -> bool:
        """Whether the condition is true of these axes; a comparison with an absent axis is false.

        Raises:
            ConditionError: a division by zero, a number out of bounds, or text ordered against a number.
        """
        try:
            return holds(self._tree, axes)
        except ArithmeticError as error:
            raise ConditionError(str(error)) from None


def parse_condition(text: str, names: Mapping[str, Kind]) -> Condition:
    """Read a condition over axes, each of a kind.

    Raises:
        ConditionError: it is not in the language, names no axis, or mixes text and numbers.
    """
    tree = _parsed(text)
    checker = _Checker(names)
    kind = checker.kind(tree)
    if kind is not Kind.TRUTH:
        raise ConditionError(f"{_shown(tree)} alone is {kind}, not a condition; compare it with something")
    return Condition(text=text, names=frozenset(checker.read), _tree=tree)


def _parsed(text: str) -> ast.expr:
    if len(text) > MAX_CHARACTERS:
        raise ConditionError(f"a condition has at most {MAX_CHARACTERS} characters, this one {len(text)}")
    if not text.strip():
        raise ConditionError("the condition is empty")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
        raise ConditionError(f"cannot be read as a condition{_hint(text)}") from None


def _hint(text: str) -> str:
    if "&&" in text or "||" in text or "!" in text.replace("!=", ""):
        return "; write and, or, not"
    return "; compare with ==, not =" if _SINGLE_EQUALS.search(text) else ""


def _shown(node: ast.AST) -> str:
    try:
        return shorten(harmless(ast.unparse(node)))
    except RecursionError:
        return "this part"


class _Checker:
    """Walks a tree, refuses what is not whitelisted, and finds the kind of each part."""

    def __init__(self, names: Mapping[str, Kind]) -> None:
        self.read: set[str] = set()
        self._names = names
        self._depth = 0

    def kind(self, node: ast.expr) -> Kind:
        """Find what a part of the condition gives."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ConditionError(f"the condition is nested deeper than {MAX_DEPTH} levels")
        rule = _RULES.get(type(node))
        if rule is None:
            raise _refusal(node)
        kind: Kind = rule(self, node)
        self._depth -= 1
        return kind

    def constant(self, node: ast.Constant) -> Kind:
        """Check a literal."""
        value = node.value
        if isinstance(value, bool):
            return Kind.TRUTH
        if isinstance(value, int | float):
            if not abs(value) <= MAX_LITERAL:
                raise ConditionError("a number in a condition has at most 12 digits before the point")
            return Kind.NUMBER
        if isinstance(value, str) and len(value) <= _MAX_TEXT_CHARACTERS:
            return Kind.TEXT
        if value is None:
            raise ConditionError("None has no place: a comparison with an absent axis is false")
        raise _refusal(node)

    def name(self, node: ast.Name) -> Kind:
        """Check that a name is known."""
        if node.id not in self._names:
            near = did_you_mean(node.id, self._names)
            raise ConditionError(f'"{harmless(node.id)}" is not an axis{near or self._known()}')
        self.read.add(node.id)
        return self._names[node.id]

    def boolean(self, node: ast.BoolOp) -> Kind:
        """Check the operands of and/or."""
        word = "and" if isinstance(node.op, ast.And) else "or"
        for operand in node.values:
            self._demand(operand, Kind.TRUTH, word)
        return Kind.TRUTH

    def unary(self, node: ast.UnaryOp) -> Kind:
        """Check not, + and -."""
        if isinstance(node.op, ast.Not):
            return self._demand(node.operand, Kind.TRUTH, "not")
        if isinstance(node.op, ast.Invert):
            raise _refusal(node.op)
        return self._demand(node.operand, Kind.NUMBER, "a sign")

    def binary(self, node: ast.BinOp) -> Kind:
        """Check arithmetic."""
        if not isinstance(node.op, _ARITHMETIC):
            raise _refusal(node.op)
        self._demand(node.left, Kind.NUMBER, "arithmetic")
        return self._demand(node.right, Kind.NUMBER, "arithmetic")

    def compare(self, node: ast.Compare) -> Kind:
        """Check a chain of comparisons."""
        left, left_kind = node.left, self._operand(node.left)
        for operator, right in zip(node.ops, node.comparators, strict=True):
            if isinstance(operator, _MEMBERSHIP):
                right_kind = self._choices(right, left, left_kind)
            elif isinstance(operator, _EQUALITY + _ORDER):
                right_kind = self._operand(right)
                _demand_comparable(left, left_kind, right, right_kind)
            else:
                raise _refusal(operator)
            left, left_kind = right, right_kind
        return Kind.TRUTH

    def _operand(self, node: ast.expr) -> Kind:
        kind = self.kind(node)
        if kind is Kind.TRUTH:
            raise ConditionError(f"{_shown(node)} is true or false; only numbers and text compare")
        return kind

    def _choices(self, node: ast.expr, left: ast.expr, left_kind: Kind) -> Kind:
        if not isinstance(node, ast.List | ast.Tuple):
            raise ConditionError(f"in takes a list of values, such as [1, 2], not {_shown(node)}")
        for element in node.elts:
            if not _is_literal(element):
                raise ConditionError(f"a list after in holds plain values, not {_shown(element)}")
            _demand_comparable(left, left_kind, element, self._operand(element))
        # A list compares with nothing further, and the chain goes on from it only to be refused.
        return Kind.TRUTH

    def _demand(self, node: ast.expr, wanted: Kind, by: str) -> Kind:
        kind = self.kind(node)
        if kind is not wanted:
            raise ConditionError(f"{by} takes {_TAKES[wanted]}, but {_shown(node)} is {kind}")
        return kind

    def _known(self) -> str:
        return f"; the axes are {', '.join(self._names)}"


_TAKES = {Kind.TRUTH: "conditions", Kind.NUMBER: "numbers"}
_RULES: Final[Mapping[type[ast.expr], Any]] = {
    ast.Constant: _Checker.constant,
    ast.Name: _Checker.name,
    ast.BoolOp: _Checker.boolean,
    ast.UnaryOp: _Checker.unary,
    ast.BinOp: _Checker.binary,
    ast.Compare: _Checker.compare,
}


def _is_literal(node: ast.expr) -> bool:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        node = node.operand
    return isinstance(node, ast.Constant)


def _demand_comparable(left: ast.expr, left_kind: Kind, right: ast.expr, right_kind: Kind) -> None:
    if Kind.TRUTH in (left_kind, right_kind):
        raise ConditionError("a comparison cannot go on after a list; join two with and")
    if Kind.EITHER not in (left_kind, right_kind) and left_kind is not right_kind:
        raise ConditionError(
            f"{_shown(left)} is {left_kind} and {_shown(right)} is {right_kind}: they do not compare"
        )


def _refusal(node: ast.AST) -> ConditionError:
    what = _REFUSED.get(type(node), type(node).__name__)
    return ConditionError(f"{what} has no place in a condition; {_ALLOWED}")
