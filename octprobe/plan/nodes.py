"""Parse events of a YAML text turned into nodes: plain values with places, bounded in depth and number."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from octprobe.plan.fault import NO_VALUE, START, Fault, Path, Place

# The grammar needs 6 levels; the rest is room for a clear message about a value in the wrong place.
MAX_DEPTH: Final = 20
# Values after aliases are followed: bounds what every later walk over the data can cost.
MAX_VALUES: Final = 50_000
# Longer runs of digits are no setting of a sweep, and Python refuses to read very long ones.
_MAX_NUMBER_CHARACTERS = 40

# Plain scalars of the YAML 1.2 core schema (section 10.3.2).
_CONSTANTS: Final[Mapping[str, Any]] = (
    dict.fromkeys(("", "~", "null", "Null", "NULL"))
    | dict.fromkeys(("true", "True", "TRUE"), True)
    | dict.fromkeys(("false", "False", "FALSE"), False)
)
_WHOLE = re.compile(r"[-+]?[0-9]+\Z")
_OCTAL_OR_HEX = re.compile(r"0o[0-7]+\Z|0x[0-9a-fA-F]+\Z")
_REAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_INFINITE = re.compile(r"([-+]?)\.(inf|Inf|INF)\Z")
_NOT_A_NUMBER = (".nan", ".NaN", ".NAN")


@dataclass(frozen=True)
class FileKind:
    """What a file is to be, in the words of messages to its author.

    Attributes:
        what: "sweep file".
        example: one that is shipped.
        keys: those that it cannot do without.
    """

    what: str
    example: str
    keys: str


SWEEP_FILE: Final = FileKind("sweep file", "sweeps/quickstart.yaml", "version, name, subject and axes")


@dataclass
class Node:
    """A value of the file, where it stands, and the nodes below it.

    Attributes:
        size: values in it, aliases followed.
        height: levels below it, aliases followed.
        is_bad: whether a fault of this very value is known, so that no further one need be looked for.
    """

    place: Place
    value: Any = None
    children: dict[str | int, "Node"] = field(default_factory=dict)
    key_places: dict[str | int, Place] = field(default_factory=dict)
    size: int = 1
    height: int = 0
    is_bad: bool = False

    def add(self, child: "Node") -> None:
        """Count a child in."""
        self.size += child.size
        self.height = max(self.height, child.height + 1)


class FatalError(Exception):
    """The text cannot be read on from here."""

    def __init__(self, place: Place, message: str, value: object = NO_VALUE, path: Path = ()) -> None:
        super().__init__(message)
        self.place = place
        self.fault = Fault(path, message, value)


def build(events: Iterator[Event], kind: FileKind = SWEEP_FILE) -> tuple[Node, tuple[Fault, ...]]:
    """Read the one document of the events; gives its root and the faults that leave the rest readable.

    Raises:
        FatalError: it cannot be read on.
    """
    builder = _Builder(events, kind)
    return builder.document(), tuple(builder.found)


class _Builder:
    """Turns events into nodes; collects faults that leave the rest readable."""

    def __init__(self, events: Iterator[Event], kind: FileKind) -> None:
        self.found: list[Fault] = []
        self._events, self._kind = events, kind
        # None while the anchored value is still being read.
        self._anchors: dict[str, Node | None] = {}
        self._values = 0

    def document(self) -> Node:
        """Read the one document of the text."""
        started = False
        root: Node | None = None
        for event in self._events:
            if isinstance(event, StreamEndEvent):
                break
            if isinstance(event, DocumentStartEvent):
                if started:
                    raise FatalError(_place(event), f"a second document begins; a {self._kind.what} has one")
                started = True
            elif isinstance(event, NodeEvent):
                root = self._node(event, (), 0)
        if root is None or root.value is None:
            needed = f"a {self._kind.what} needs at least {self._kind.keys}"
            raise FatalError(START, f"the file is empty; {needed}")
        return root

    def _node(self, event: Event, path: Path, depth: int) -> Node:
        if isinstance(event, AliasEvent):
            return self._alias(event, path, depth)
        self._count(1, event)
        self._refuse_depth(depth, event)
        anchor = getattr(event, "anchor", None)
        if anchor:
            self._anchors[anchor] = None
        node = self._untagged(event, path, depth)
        if anchor:
            self._anchors[anchor] = node
        return node

    def _untagged(self, event: Event, path: Path, depth: int) -> Node:
        node = self._bare(event, path, depth)
        tag = getattr(event, "tag", None)
        if tag is not None:
            node.is_bad = True
            rule = f"a tag has no place in a {self._kind.what}; write the plain value"
            self.found.append(Fault(path, rule, str(tag)))
        return node

    def _bare(self, event: Event, path: Path, depth: int) -> Node:
        if isinstance(event, MappingStartEvent):
            return self._mapping(event, path, depth)
        if isinstance(event, SequenceStartEvent):
            return self._sequence(event, path, depth)
        assert isinstance(event, ScalarEvent)  # noqa: S101 - the parser gives no fourth kind of node
        return self._scalar(event, path)

    def _mapping(self, start: Event, path: Path, depth: int) -> Node:
        node = Node(_place(start), {})
        for event in self._events:
            if isinstance(event, MappingEndEvent):
                break
            key = self._key(event, path, depth)
            child_path = (*path, key) if key is not None else path
            child = self._node(next(self._events), child_path, depth + 1)
            if key is not None:
                self._keep(node, key, child, _place(event), path)
            node.add(child)
        return node

    def _keep(self, node: Node, key: str, child: Node, place: Place, path: Path) -> None:
        if key in node.children:
            first = node.key_places[key].line
            message = f"is given twice, first in line {first}; keep one"
            self.found.append(Fault((*path, key), message, child.value, place=place))
            return
        if child.value is None and child.place.line != place.line:
            # The parser finds a value that was left out where the next key begins.
            child.place = place
        node.children[key], node.key_places[key], node.value[key] = child, place, child.value

    def _key(self, event: Event, path: Path, depth: int) -> str | None:
        node = self._node(event, path, depth + 1)
        if isinstance(node.value, str):
            return node.value
        if not node.is_bad:
            way_out = "" if isinstance(node.value, dict | list) else "; put it in quotes"
            self.found.append(Fault(path, f"a key must be text{way_out}", node.value, place=_place(event)))
        return None

    def _sequence(self, start: Event, path: Path, depth: int) -> Node:
        node = Node(_place(start), [])
        for event in self._events:
            if isinstance(event, SequenceEndEvent):
                break
            index = len(node.value)
            child = self._node(event, (*path, index), depth + 1)
            node.children[index] = child
            node.value.append(child.value)
            node.add(child)
        return node

    def _scalar(self, event: ScalarEvent, path: Path) -> Node:
        # `implicit[0]` says that the scalar is plain: only then may it be something other than text.
        if not event.implicit[0]:
            return Node(_place(event), event.value)
        node = Node(_place(event))
        try:
            node.value = _plain_scalar(event.value)
        except ValueError as error:
            node.value, node.is_bad = event.value, True
            self.found.append(Fault(path, str(error), event.value))
        return node

    def _alias(self, event: AliasEvent, path: Path, depth: int) -> Node:
        name = event.anchor
        if name not in self._anchors:
            raise FatalError(_place(event), "this alias has no anchor before it", f"*{name}", path)
        node = self._anchors[name]
        if node is None:
            raise FatalError(_place(event), "this alias stands inside its own anchor", f"*{name}", path)
        self._count(node.size, event)
        self._refuse_depth(depth + node.height, event)
        return node

    def _refuse_depth(self, depth: int, event: Event) -> None:
        if depth > MAX_DEPTH:
            raise FatalError(_place(event), f"is nested deeper than {MAX_DEPTH} levels")

    def _count(self, values: int, event: Event) -> None:
        self._values += values
        if self._values > MAX_VALUES:
            raise FatalError(
                _place(event), f"with aliases followed the file has more than {MAX_VALUES} values"
            )


def _place(event: Event) -> Place:
    return Place(event.start_mark.line + 1, event.start_mark.column + 1)


def _plain_scalar(text: str) -> object:
    """Read a plain scalar by YAML's core schema.

    Raises:
        ValueError: a number too long to be meant.
    """
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text in _NOT_A_NUMBER:
        return float("nan")
    infinite = _INFINITE.match(text)
    if infinite:
        return float(f"{infinite.group(1)}inf")
    if not (_REAL.match(text) or _OCTAL_OR_HEX.match(text)):
        return text
    if len(text) > _MAX_NUMBER_CHARACTERS:
        raise ValueError(f"a number has at most {_MAX_NUMBER_CHARACTERS} characters")
    if _OCTAL_OR_HEX.match(text):
        return int(text, 0)
    return int(text) if _WHOLE.match(text) else float(text)
