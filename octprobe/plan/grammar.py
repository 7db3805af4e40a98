"""The grammar of a sweep file as pydantic models, one for each subject, made from the table of axes."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    PlainValidator,
    Strict,
    StringConstraints,
    Tag,
    WithJsonSchema,
    create_model,
)

from octprobe.plan.axes import AXES, NEEDED, AxisRule, Share, condition_names, truly_whole
from octprobe.plan.expression import Condition, parse_condition
from octprobe.plan.ranges import Grammar, range_form, to_range

# A folder of this name is made under results/: no separators, no leading dot, and a length every disk takes.
NAME_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$"
DEVICE_PATTERN: Final = r"^(auto|cpu|cuda(:[0-9]{1,3})?)$"
_MAX_QUESTION_CHARACTERS = 500
# A day: longer waits are a mistyped unit.
_MAX_SECONDS = 86_400


class Measure(Grammar):
    """How sharp, how long and in which order each point is timed."""

    # 1 % is what tells alphas apart whose MACs differ by 5 %, and is reached in seconds on a quiet machine.
    relative_ci: float = Field(
        default=0.01,
        gt=0,
        le=0.5,
        allow_inf_nan=False,
        description="stop when the 95 % interval of the median is within this share of it, to each side",
    )
    # Below half a second clocks and caches have not settled.
    min_seconds: float = Field(
        default=0.5,
        ge=0,
        le=_MAX_SECONDS,
        allow_inf_nan=False,
        description="time every point at least so long",
    )
    # Ten times what a quiet machine needs; a noisy point then ends as `not_converged`.
    max_seconds: float = Field(
        default=30,
        gt=0,
        le=_MAX_SECONDS,
        allow_inf_nan=False,
        description="time a point at most so long, over all rounds",
    )
    # Three rounds are the fewest whose medians show one that went wrong.
    rounds: int = Field(
        default=3,
        ge=1,
        le=1_000,
        description="interleaved rounds that the first 30 samples of a point are spread over",
    )
    # Any fixed number: the order of a round can be had again.
    seed: int = Field(default=0, ge=0, le=2**32 - 1, description="seed of the random order within rounds")
    # With a band of 1 % under 0.5 % of A/A comparisons are called different; without one 5.5 to 8 %.
    band: float = Field(
        default=0.01,
        ge=0,
        le=0.5,
        allow_inf_nan=False,
        description="two times within this share of each other count as the SAME",
    )
    # A compilation of a large network takes minutes; ten are more than any seen.
    timeout_seconds: float = Field(
        default=600, ge=1, le=_MAX_SECONDS, allow_inf_nan=False, description="end a worker silent for so long"
    )


def _printable(text: str) -> str:
    if not all(c.isprintable() or c == "\n" for c in text):
        raise ValueError("must be printable text")
    return text


Version1 = Annotated[Literal[1], BeforeValidator(truly_whole)]
Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
Device = Annotated[str, StringConstraints(pattern=DEVICE_PATTERN)]
Question = Annotated[str, StringConstraints(max_length=_MAX_QUESTION_CHARACTERS), AfterValidator(_printable)]


class Sweep(Grammar):
    """A sweep of octprobe: which points of the design space are measured, and how."""

    version: Version1 = Field(description="version of this grammar")
    name: Name = Field(description="name of the sweep and of its folder of results", examples=["resnet"])
    question: Question = Field(default="", description="the question that the sweep answers")
    device: Device = Field(
        default="auto",
        description="device to measure on: auto (a GPU if there is one), cpu, cuda, cuda:N",
        examples=["auto", "cpu", "cuda", "cuda:1"],
    )
    measure: Measure = Field(default=Measure(), description="precision and duration of the timing")


Parts = Mapping[str, tuple[Any, Any]]


def _list_of(item: Any, at_least: int = 1) -> Any:
    # A YAML list is a Python list, which a strict tuple would refuse; its items stay strict.
    items: Any = tuple.__class_getitem__((item, ...))
    return Annotated[items, Strict(False), Field(min_length=at_least)]


def _range_or_list(value: object) -> str:
    return "<range>" if isinstance(value, dict) else "<list>"


def _values_of(name: str, rule: AxisRule) -> Any:
    values: Any = _list_of(rule.value)
    if rule.endpoint is None:
        return values
    step = Share if rule.endpoint is Share else Annotated[int, Field(ge=1)]
    form: Any = Annotated[range_form(name, rule.endpoint, step), AfterValidator(to_range)]
    return Annotated[
        Annotated[values, Tag("<list>")] | Annotated[form, Tag("<range>")], Discriminator(_range_or_list)
    ]


# The default is never read: `model_fields_set` says what was given. A null in the file is a fault.
def _optional(description: str, examples: tuple[Any, ...] = ()) -> Any:
    shown = [list(examples)] if examples else None
    return Field(default=(), description=description, examples=shown)


def _of_point(name: str, rule: AxisRule, subject: str) -> Any:
    if name in NEEDED[subject]:
        return Field(description=rule.meaning)
    return Field(default=(), description=rule.meaning)


def _part(name: str, doc: str, parts: Parts) -> type[Grammar]:
    fields: dict[str, Any] = dict(parts)
    return create_model(name, __base__=Grammar, __doc__=doc, **fields)


def _condition_of(subject: str) -> Any:
    names = condition_names(subject)

    def read(value: object) -> Condition:
        if not isinstance(value, str):
            raise ValueError("must be text, a condition in quotes")
        return parse_condition(value, names)

    said = f"a condition over {', '.join(names)}"
    return Annotated[Condition, PlainValidator(read), WithJsonSchema({"type": "string", "description": said})]


def _sweep_model(subject: str) -> type[Sweep]:
    rules, title = AXES[subject], subject.title()
    condition = _condition_of(subject)
    axes = _part(
        f"{title}Axes",
        "Axes, whose product is measured.",
        {n: (_values_of(n, r), _optional(r.meaning, r.examples)) for n, r in rules.items()},
    )
    rows = _part(
        f"{title}Zip",
        "Axes that move together: their lists are equally long.",
        {n: (_list_of(r.value), _optional(r.meaning, r.examples)) for n, r in rules.items()},
    )
    when = _part(
        f"{title}When",
        "Axes, or more values of axes, that exist only under a condition.",
        {
            "if": (condition, Field(description="the condition", examples=["device_kind == 'cuda'"])),
            "axes": (axes, Field(description="what it adds")),
        },
    )
    include = _part(
        f"{title}Point",
        "One further point.",
        {n: (r.value, _of_point(n, r, subject)) for n, r in rules.items()},
    )
    fields: dict[str, Any] = {
        "subject": (
            Literal[subject],
            Field(description="what is measured: whole networks, or single layers"),
        ),
        "axes": (axes, _optional("axes, whose product is measured")),
        "zip": (_list_of(rows, 0), _optional("axes whose values move together, crossed with the others")),
        "when": (_list_of(when, 0), _optional("axes, or more values of axes, under a condition")),
        "exclude": (
            _list_of(condition, 0),
            _optional("points left out: those of which one of these conditions holds"),
        ),
        "include": (_list_of(include, 0), _optional("further points, which no exclusion touches")),
    }
    return create_model(f"{title}Sweep", __base__=Sweep, __doc__=Sweep.__doc__, **fields)


SWEEPS: Final[Mapping[str, type[Sweep]]] = {subject: _sweep_model(subject) for subject in AXES}
