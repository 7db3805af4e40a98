"""Rows under chosen values of axes: `batch=8`."""

import difflib
from collections.abc import Sequence

import numpy as np
import pandas as pd

from octprobe.errors import UsageError
from octprobe.explore.advice.arrays import Flags
from octprobe.explore.axes import FREE_AXES, GIVEN_AXES
from octprobe.plan.variant import VARIANT_AXES
from octprobe.store.query import plain

# How null is written, as of `threads`, where the machine's own number counts.
ABSENT_VALUE = "none"
# So many characters of an id name it.
_MIN_ID_CHARACTERS = 4
_MOST_LISTED = 12
# What vanilla has no value of.
FORMS = frozenset({*VARIANT_AXES, "kernel"})


def narrowed(
    frame: pd.DataFrame, pairs: Sequence[str], option: str = "--given", *, keeps_vanilla: bool = False
) -> pd.DataFrame:
    """Keep the rows that have the value asked for on each axis; they keep their labels.

    Args:
        frame: rows.
        pairs: `AXIS=VALUE` each; an environment by the beginning of its id, null as `none`.
        option: how the pairs are named to a person.
        keeps_vanilla: whether a vanilla row, which has no octave form, stays beside the form asked for; then
            the frame has `point_id` and `group_id`.

    Raises:
        UsageError: no such axis, or no row has the value; the message lists those there are.
    """
    for pair in pairs:
        axis, value = _parsed(pair, option)
        kept = _having(frame, axis, value)
        if keeps_vanilla and axis in FORMS:
            kept = kept | (frame["point_id"] == frame["group_id"]).to_numpy(dtype=bool, na_value=False)
        if len(frame) and not kept.any():
            raise UsageError(f"{option} {pair}: no row has it; {axis} is {_listed(frame, axis)}")
        frame = frame[kept]
    return frame


def axis_of(pair: str, option: str = "--given") -> str:
    """Give the axis that a pair names.

    Raises:
        UsageError: it names none.
    """
    return _parsed(pair, option)[0]


def _parsed(pair: str, option: str) -> tuple[str, str]:
    axis, equals, value = (part.strip() for part in pair.partition("="))
    axes = (*GIVEN_AXES, *FREE_AXES)
    if not equals or not axis or not value:
        raise UsageError(f"{option} {pair}: write AXIS=VALUE, such as batch=8")
    if axis not in axes:
        near = difflib.get_close_matches(axis, axes, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise UsageError(f"{option} {pair}: {axis!r} is no axis.{hint} Choose from: {', '.join(axes)}.")
    return axis, value


def _having(frame: pd.DataFrame, axis: str, value: str) -> Flags:
    column = frame[axis]
    known = [found for found in column.dropna().unique() if _is_called(found, axis, value)]
    if value.casefold() == ABSENT_VALUE and not known:  # a form may exchange none
        return np.asarray(column.isna())
    return column.isin(known).to_numpy(dtype=bool, na_value=False)


def _is_called(found: object, axis: str, value: str) -> bool:
    text = str(plain(found)).casefold()
    if axis == "env_id" and len(value) >= _MIN_ID_CHARACTERS:
        return text.startswith(value.casefold())
    if text == value.casefold():
        return True
    try:
        return not isinstance(found, str) and float(text) == float(value)
    except ValueError:
        return False


def _listed(frame: pd.DataFrame, axis: str) -> str:
    values = sorted(frame[axis].dropna().unique().tolist())
    told = [repr(value) if isinstance(value, str) else str(value) for value in values[:_MOST_LISTED]]
    told += [ABSENT_VALUE] if frame[axis].isna().any() else []
    told += [f"{len(values) - _MOST_LISTED} more"] if len(values) > _MOST_LISTED else []
    return " or ".join(told)
