"""The rule table: how each operator acts on pairs; one rule an operator, duplicates refused."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from torch import fx, nn

from octprobe.octave.layers import ByMode

if TYPE_CHECKING:
    from octprobe.octave.rewrite import Rewriter


class Flow(Enum):
    """What becomes of the low channels from an operator's input to its output."""

    CONVOLVE = auto()
    """The output has low channels of its own; a depthwise convolution inherits them."""
    INHERIT = auto()
    """The output splits as the inputs, which must split alike."""
    POOL_ALL = auto()
    """All of space becomes one value; the output is plain, and so is all that is computed from it alone."""
    LEAVE = auto()
    """The output is plain."""


class UncoveredError(Exception):
    """A rule does not cover this use of its operator; the message says why."""


Rewrite = Callable[["Rewriter", fx.Node], None]


@dataclass(frozen=True)
class Rule:
    """How one operator flows and is rewritten where a pair reaches it."""

    flow: Flow
    rewrite: Rewrite


class RuleTable:
    """Rules by operator: a module class or its dotted name, a function, or the name of a tensor method."""

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
        if isinstance(module, ByMode):
            return self._rules.get(module.function)
        kind = type(module)
        return self._rules.get(kind) or self._rules.get(f"{kind.__module__}.{kind.__qualname__}")

    def for_node(self, node: fx.Node, module: nn.Module | None) -> Rule | None:
        """Give the rule of a node; `module` is what a `call_module` node calls."""
        if module is not None:
            return self.for_module(module)
        return self._rules.get(node.target) if node.op in {"call_function", "call_method"} else None
