"""Rules that bind several parts of a sweep file; each reads raw data, so that one fault hides no other."""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeGuard

from octprobe.plan.axes import AXES, DEVICE_KIND, NEEDED, condition_names
from octprobe.plan.expression import ConditionError, parse_condition
from octprobe.plan.fault import Fault, Path

_SIDES = ("alpha_in", "alpha_out")


@dataclass(frozen=True)
class _When:
    index: int
    axes: Mapping[str, Any]
    names: frozenset[str]

    @property
    def is_early(self) -> bool:
        """Whether it is decided by the device alone, before any axis has a value."""
        return self.names <= {DEVICE_KIND}


class _Raw:
    """The parts of a file, however malformed: what is no mapping or list counts as empty."""

    def __init__(self, data: object, subject: str) -> None:
        self.subject = subject
        self.data = _mapping(data)
        self.axes = _mapping(self.data.get("axes"))
        self.zips = [_mapping(entry) for entry in _list(self.data.get("zip"))]
        self.includes = [_mapping(row) for row in _list(self.data.get("include"))]
        self.measure = _mapping(self.data.get("measure"))

    @cached_property
    def whens(self) -> list[_When]:
        """The entries under `when` whose condition can be read."""
        found = []
        for index, entry in enumerate(_list(self.data.get("when"))):
            names = self._names(_mapping(entry).get("if"))
            if names is not None:
                found.append(_When(index, _mapping(_mapping(entry).get("axes")), names))
        return found

    @property
    def ready(self) -> set[str]:
        """The axes that have a value before the first condition over axes is asked."""
        early = [name for when in self.whens if when.is_early for name in when.axes]
        return {*self.axes, *(name for entry in self.zips for name in entry), *early}

    def everywhere(self) -> Iterator[tuple[Path, str]]:
        """Name each axis of the product with the path where it stands."""
        yield from ((("axes", name), name) for name in self.axes)
        yield from ((("zip", i, name), name) for i, entry in enumerate(self.zips) for name in entry)
        yield from ((("when", w.index, "axes", name), name) for w in self.whens for name in w.axes)

    def _names(self, text: object) -> frozenset[str] | None:
        try:
            return (
                parse_condition(text, condition_names(self.subject)).names if isinstance(text, str) else None
            )
        except ConditionError:
            return None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def cross_faults(data: object, subject: str) -> Iterator[Fault]:
    """Find the faults between the parts of a file."""
    raw = _Raw(data, subject)
    for rule in (_zip_lengths, _zipped_once, _one_alpha, _needed_axes, _conditions, _durations):
        yield from rule(raw)


def _zip_lengths(raw: _Raw) -> Iterator[Fault]:
    for index, entry in enumerate(raw.zips):
        lengths = {name: len(values) for name, values in entry.items() if isinstance(values, list)}
        if len(set(lengths.values())) > 1:
            said = ", ".join(f"{name} has {length}" for name, length in lengths.items())
            yield Fault(("zip", index), f"lists that move together must be equally long, but {said}")
        if not entry and isinstance(raw.data["zip"][index], dict):
            yield Fault(("zip", index), "must name at least one axis")


def _zipped_once(raw: _Raw) -> Iterator[Fault]:
    """A zipped axis has no other place; `when` may add values to an axis of `axes`, never to a zipped one."""
    zipped = [(("zip", i, name), name) for i, entry in enumerate(raw.zips) for name in entry]
    seen = set(raw.axes)
    for path, name in zipped:
        if name in seen:
            where = "axes" if name in raw.axes else "another entry of zip"
            yield Fault(path, f"the axis stands in {where} too; keep one", at_key=True)
        seen.add(name)
    for when in raw.whens:
        for name in when.axes:
            if name in {zipped_name for _, zipped_name in zipped}:
                rule = "a zipped axis cannot get more values; move it to axes"
                yield Fault(("when", when.index, "axes", name), rule, at_key=True)


def _one_alpha(raw: _Raw) -> Iterator[Fault]:
    if raw.subject != "layer":
        return
    rule = "alpha stands for alpha_in and alpha_out; give it or them, not both"
    names = {name for _, name in raw.everywhere()}
    if names.intersection(_SIDES):
        yield from (Fault(path, rule, at_key=True) for path, name in raw.everywhere() if name == "alpha")
    for index, row in enumerate(raw.includes):
        if "alpha" in row and row.keys() & set(_SIDES):
            yield Fault(("include", index, "alpha"), rule, at_key=True)


def _needed_axes(raw: _Raw) -> Iterator[Fault]:
    firm = {*raw.axes, *(name for entry in raw.zips for name in entry)}
    asked = firm or raw.data.get("when")
    if not asked and not raw.includes and not ({"axes", "zip", "include"} & raw.data.keys()):
        yield Fault((), "the sweep asks for no point; give axes")
    if asked:
        lacking = (name for name in NEEDED[raw.subject] if name not in firm)
        for name in (*lacking, *_lacking_alpha(firm, raw.subject)):
            if difflib.get_close_matches(name, firm - AXES[raw.subject].keys()):
                continue  # the mistyped name is a fault already
            yield Fault(
                ("axes",), f"the axis {name} is missing; every point needs it, in axes or zip", at_key=True
            )
    for index, row in enumerate(raw.includes):
        for name in _lacking_alpha(set(row), raw.subject):
            yield Fault(("include", index), f"{name} is missing; the row is a whole point and needs it")


def _lacking_alpha(given: set[str], subject: str) -> Iterator[str]:
    if subject == "network" or "alpha" in given:
        return
    yield from (side for side in _SIDES if side not in given) if given.intersection(_SIDES) else ("alpha",)


def _conditions(raw: _Raw) -> Iterator[Fault]:
    """Each condition reads axes that have a value by then; what a condition reads, no condition changes."""
    late = [when for when in raw.whens if not when.is_early]
    read_by_some = {name for when in late for name in when.names}
    for when in late:
        for name in sorted(when.names - raw.ready - {DEVICE_KIND}):
            rule = f"reads {name}, which has no value there; conditions read axes of axes and zip"
            yield Fault(("when", when.index, "if"), rule)
        for name in when.axes:
            if name in read_by_some:
                rule = (
                    "a condition under when reads this axis, so only a condition on the device may add to it"
                )
                yield Fault(("when", when.index, "axes", name), rule, at_key=True)


def _durations(raw: _Raw) -> Iterator[Fault]:
    shortest, longest = raw.measure.get("min_seconds"), raw.measure.get("max_seconds")
    if _is_number(shortest) and _is_number(longest) and shortest > longest:
        yield Fault(("measure", "min_seconds"), f"must be at most max_seconds, {longest:g}", shortest)


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
