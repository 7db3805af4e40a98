"""Why two sides have no point in common, in a line."""

from collections.abc import Sequence

from octprobe.explore.axes import ALPHA_AXES, CONDITION_AXES, FORM_AXES, LAYER_AXES, VARIANT_AXES
from octprobe.explore.groups import Record, in_order

_AXES = ("subject", "network", *LAYER_AXES, *CONDITION_AXES, *FORM_AXES, *ALPHA_AXES, "kernel", *VARIANT_AXES)
# Of a long axis so many values are named.
_MOST_VALUES = 4


def why_apart(a: Sequence[Record], b: Sequence[Record]) -> str:
    """Say that no point is on both sides, and the first reason that explains it."""
    return f"no point is in both A and B: {_reason(a, b)}"


def _reason(a: Sequence[Record], b: Sequence[Record]) -> str:
    empty = [side for side, rows in (("A", a), ("B", b)) if not rows]
    if empty:
        return f"{' and '.join(empty)} {'holds' if len(empty) == 1 else 'hold'} no rows"
    apart = [told for name in ("protocol", *_AXES) if (told := _apart(name, a, b))]
    if apart:
        return f"{'; '.join(apart[:_MOST_VALUES])}{_sweeps(a, b)}"
    if {_axes_of(row) for row in a} & {_axes_of(row) for row in b}:
        return "points with equal axes have other ids, so other conversion rules made their networks"
    return f"no two points agree on all axes{_sweeps(a, b)}"


def _apart(name: str, a: Sequence[Record], b: Sequence[Record]) -> str | None:
    """Give an axis of which the sides share no value."""
    before, after = ({row.get(name) for row in rows} for rows in (a, b))
    return None if before & after else f"{name} is {_listed(before)} in A, {_listed(after)} in B"


def _sweeps(a: Sequence[Record], b: Sequence[Record]) -> str:
    told = _apart("sweep", a, b)
    return f" ({told})" if told else ""


def _listed(values: set[object]) -> str:
    ordered = sorted(values, key=lambda value: in_order([value]))
    shown = ", ".join("none" if value is None else str(value) for value in ordered[:_MOST_VALUES])
    return f"{shown}, ..." if len(ordered) > _MOST_VALUES else shown


def _axes_of(row: Record) -> tuple[object, ...]:
    return tuple(row.get(name) for name in _AXES)
