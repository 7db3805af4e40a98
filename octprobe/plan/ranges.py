"""A range of an axis: counted by arithmetic, listed only when asked."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, create_model, model_validator

Number = int | Decimal


@dataclass(frozen=True)
class Range:
    """Values from start to stop, stop included where it is hit.

    Attributes:
        step: what is added each time; None for doubling.
    """

    start: Number
    stop: Number
    step: Number | None

    def __len__(self) -> int:
        """Count the values without listing them."""
        if self.step is not None:
            return int((self.stop - self.start) // self.step) + 1
        count, value = 0, self.start
        while value <= self.stop:
            count, value = count + 1, value * 2
        return count

    def __iter__(self) -> Iterator[Number]:
        """List the values, ascending."""
        value = self.start
        for _ in range(len(self)):
            yield value
            value = value * 2 if self.step is None else value + self.step


class Grammar(BaseModel):
    """Base of every part of the grammar: strict types, no unknown keys, frozen."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class RangeBody(Grammar):
    """Values from start to stop, stop included where it is hit."""

    start: Any = Field(description="first value")
    stop: Any = Field(description="last value, included where it is hit")
    scale: Literal["log2", "linear"] = Field(
        default="linear", description="log2 doubles the value each time; linear adds step"
    )
    # 1 is what a reader of `{start: 1, stop: 4}` expects.
    step: Any = Field(default=1, description="what a linear range adds each time")

    @model_validator(mode="after")
    def _ascends(self) -> Self:
        if self.stop < self.start:
            raise ValueError("the range ends before it starts; stop must be at least start")
        if self.scale == "log2" and "step" in self.model_fields_set:
            raise ValueError("step goes with scale: linear; a log2 range doubles")
        if self.scale == "log2" and self.start == 0:
            raise ValueError("a log2 range cannot start at 0, which doubles to 0")
        if self.step == 0:
            raise ValueError("step must be above 0")
        return self

    def range(self) -> Range:
        """Give the range as a plain value."""
        return Range(self.start, self.stop, None if self.scale == "log2" else self.step)


class RangeForm(Grammar):
    """`{range: {start, stop, scale, step}}` in the place of a list."""

    range: Any


def to_range(form: RangeForm) -> Range:
    """Give the plain range of a checked form."""
    body: RangeBody = form.range
    return body.range()


def range_form(name: str, value: Any, step: Any) -> type[RangeForm]:
    """Make the form of one axis, whose start and stop obey the axis' bounds."""
    body = create_model(
        f"{name}_range_body",
        __base__=RangeBody,
        __doc__=RangeBody.__doc__,
        start=(value, Field(description="first value")),
        stop=(value, Field(description="last value, included where it is hit")),
        step=(step, Field(default=1, description="what a linear range adds each time (default 1)")),
    )
    fields: dict[str, Any] = {"range": (body, Field(description="first value, last value and scale"))}
    return create_model(f"{name}_range", __base__=RangeForm, __doc__=RangeForm.__doc__, **fields)
