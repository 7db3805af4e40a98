"""pydantic's errors said in the words of a sweep file, at the path where its author sees them."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from octprobe.plan.axes import AXES, AxisRule
from octprobe.plan.fault import Fault, Path, did_you_mean
from octprobe.plan.grammar import SWEEPS, Measure
from octprobe.plan.source import Source

_QUOTED = re.compile(r"'([^']*)'")
_RANGE_KEYS = ("start", "stop", "scale", "step")
_OTHER_SUBJECT: Final[Mapping[str, str]] = {"network": "layer", "layer": "network"}

# Each model takes one subject; to its author the file takes either.
_SUBJECTS: Final = "'network' or 'layer'"

# What each pattern of the grammar allows, by the field that it stands at.
_NAME_RULES: Final[Mapping[str, str]] = {
    "name": "takes letters, digits, - _ and . only, as it names a folder, and begins with a letter or digit",
    "device": "must be auto, cpu, cuda or cuda:N",
    "network": "takes letters, digits and _ . : / - only",
    "return_at": "is policy, end or a module's name, of letters, digits and _ . - only",
}
_PATTERN_RULE = "a module pattern takes letters, digits and _ . * ? ! [ ] - only"


# Says what is wrong with a key that the grammar does not know, given the path to it.
KeyRule = Callable[[Path], str]
Model = TypeVar("Model", bound=BaseModel)


def faults_of(error: ValidationError, source: Source, unknown_key: KeyRule) -> Iterator[Fault]:
    """Say each error of pydantic as a fault; what is already known to be bad is left out."""
    for detail in error.errors(include_url=False):
        fault = _fault(detail, source, unknown_key)
        if fault and not source.is_bad(fault.path):
            yield fault


def checked(
    model: type[Model], source: Source, context: Mapping[str, Any], unknown_key: KeyRule
) -> tuple[Model | None, list[Fault]]:
    """Make a model of a file's content, or say each of its faults."""
    try:
        return model.model_validate(source.plain, context=dict(context)), []
    except ValidationError as error:
        return None, list(faults_of(error, source, unknown_key))


def axis_fault(name: str, value: str) -> str | None:
    """Say in the words of a sweep file why a text is no value of a network's axis; None where it is one."""
    rule = AXES["network"][name]
    try:
        TypeAdapter(rule.value).validate_python(value, strict=True)
    except ValidationError as error:
        (detail, *_) = error.errors(include_url=False)
        return _rule(detail["type"], detail, (name,), value)
    return None


def _fault(detail: ErrorDetails, source: Source, unknown_key: KeyRule) -> Fault | None:
    kind = detail["type"]
    path, value = _walk(source.plain, detail["loc"], keep_last=kind == "missing")
    if kind == "missing":
        return Fault(path, _missing(path))
    if kind == "extra_forbidden":
        return Fault(path, unknown_key(path), value, at_key=True)
    if kind == "too_short" and value:
        return None  # pydantic counts the items that are left after the faulty ones went
    return Fault(path, _rule(kind, detail, path, value), value, at_key=detail["loc"][-1:] == ("[key]",))


def _walk(data: Any, location: Path, *, keep_last: bool) -> tuple[Path, Any]:
    """Follow pydantic's location through the data, over the tags of unions that it holds."""
    path: Path = ()
    for index, part in enumerate(location):
        inside = part in data if isinstance(data, dict) else isinstance(data, list) and isinstance(part, int)
        if inside:
            path, data = (*path, part), data[part]
        elif keep_last and index == len(location) - 1:
            path = (*path, part)
    return path, data


def _missing(path: Path) -> str:
    return f"is missing; a range has {', '.join(_RANGE_KEYS)}" if "range" in path[:-1] else "is missing"


def sweep_key_rule(subject: str) -> KeyRule:
    """Give the rule of the keys of a sweep file of this subject."""

    def unknown_key(path: Path) -> str:
        key, known = str(path[-1]), _known_keys(path, subject)
        other = _OTHER_SUBJECT[subject]
        if known is AXES[subject] and key in AXES[other]:
            return f"is an axis of subject: {other}; this sweep's subject is {subject}"
        return not_known(key, known, "an axis" if known is AXES[subject] else "a key of the grammar")

    return unknown_key


def not_known(key: str, known: Iterable[str], what: str) -> str:
    """Say that a key is none of the known ones, with the nearest of them or all."""
    return f"is not {what}{did_you_mean(key, known) or '; known are ' + ', '.join(known)}"


def _known_keys(path: Path, subject: str) -> Mapping[str, Any]:
    """Name the keys allowed beside a key that is not."""
    names = [part for part in path[:-1] if isinstance(part, str)]
    if not names:
        return SWEEPS[subject].model_fields
    if names[0] == "measure":
        return Measure.model_fields
    if names == ["when"]:
        return dict.fromkeys(("if", "axes"))
    if names[-1] == "range":
        return dict.fromkeys(_RANGE_KEYS)
    return dict.fromkeys(("range",)) if names[-1] in AXES[subject] else AXES[subject]


def _rule(kind: str, detail: ErrorDetails, path: Path, value: object) -> str:
    context = detail.get("ctx", {})
    if kind == "value_error":
        return str(context["error"])
    if kind == "literal_error":
        return _choice_rule(_SUBJECTS if path == ("subject",) else context["expected"], value)
    if kind == "string_pattern_mismatch":
        return _NAME_RULES.get(_last_name(path), _PATTERN_RULE)
    if kind in _BOUNDS:
        return f"must be {_BOUNDS[kind](context)}"
    return _type_rule(kind, detail, path, value)


def _choice_rule(expected: str, value: object) -> str:
    near = did_you_mean(value, _QUOTED.findall(expected)) if isinstance(value, str) else ""
    return f"must be {expected.replace(chr(39), chr(34))}{near}"


def _type_rule(kind: str, detail: ErrorDetails, path: Path, value: object) -> str:
    if kind == "too_short":
        return "must not be empty"
    if kind == "tuple_type" and _last_name(path) in {**AXES["network"], **AXES["layer"]}:
        return f"must be a list of values, such as [{', '.join(map(str, _axis(path).examples))}]"
    quotes = ", without quotes" if isinstance(value, str) and kind in ("int_type", "float_type") else ""
    return f"must be {_TYPES[kind]}{quotes}" if kind in _TYPES else detail["msg"]


def _axis(path: Path) -> AxisRule:
    return {**AXES["network"], **AXES["layer"]}[_last_name(path)]


def _last_name(path: Path) -> str:
    return next((part for part in reversed(path) if isinstance(part, str)), "")


_TYPES: Final[Mapping[str, str]] = {
    "int_type": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "string_type": "text",
    "string_unicode": "text without stray surrogates",
    "tuple_type": "a list",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "dict_type": "a mapping",
}
_BOUNDS: Final[Mapping[str, Callable[[dict[str, Any]], str]]] = {
    "greater_than_equal": lambda context: f"at least {context['ge']:g}",
    "less_than_equal": lambda context: f"at most {context['le']:.12g}",
    "greater_than": lambda context: f"above {context['gt']:g}",
    "less_than": lambda context: f"below {context['lt']:g}",
    "string_too_long": lambda context: f"at most {context['max_length']} characters long",
}
