"""The rule table: how each operator acts on pairs; one rule an operator, duplicates refused."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import fx, nn

from octprobe.octave.layers import ByMode

if TYPE_CHECKING:
    from octprobe.octave.groups import AlphaGroups
    from octprobe.octave.layouts import Layout
    from octprobe.octave.rewrite import Rewriter


class UncoveredError(Exception):
    """A rule does not cover this use of its operator; the message says why."""


Flow = Callable[["AlphaGroups", fx.Node], "Layout"]
Rewrite = Callable[["Rewriter", fx.Node], None]


@dataclass(frozen=True)
class Rule:
    """How one operator flows and is rewritten where a pair reaches it."""

    flow: Flow
    rewrite: Rewrite


class RuleTable:
    """Rules by operator: a module class or a function, or its dotted name, or the name of a tensor method."""

    def __init__(self) -> None:
        self._rules: dict[object, Rule] = {}

    def add(self, *operators: object, flow: Flow) -> Callable[[Rewrite], Rewrite]:
        """Declare the decorated function the rule of some operators.

        Raises:
            ValueError: an operator has a rule already.
        """

        def declare(rewrite: Rewrite) -> Rewrite:
            for operator in operators:
                if operator in self._rules:
                    raise ValueError(
                        f"{operator} has a rule already: {self._rules[operator].rewrite.__name__}"
                    )
                self._rules[operator] = Rule(flow, rewrite)
            return rewrite

        return declare

    def for_module(self, module: nn.Module) -> Rule | None:
        """Give the rule of a module's exact class: a subclass may compute something else."""
        if "forward" in vars(module):
            return None  # what one module alone does is no matter of its class
        if isinstance(module, ByMode):
            return self._rules.get(module.function)
        kind = type(module)
        return self._rules.get(kind) or self._rules.get(f"{kind.__module__}.{kind.__qualname__}")

    def for_node(self, node: fx.Node, module: nn.Module | None) -> Rule | None:
        """Give the rule of a node; `module` is what a `call_module` node calls."""
        if module is not None:
            return self.for_module(module)
        if node.op not in {"call_function", "call_method"}:
            return None
        return self._rules.get(node.target) or self._rules.get(_dotted(node.target))


def _dotted(function: object) -> str:
    return f"{getattr(function, '__module__', '')}.{getattr(function, '__qualname__', '')}"


RULES = RuleTable()
