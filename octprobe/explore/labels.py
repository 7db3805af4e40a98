"""How rows, groups and alphas are named to a person."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from octprobe.explore.axes import CONDITION_AXES, FORM_AXES, FREE_AXES, GIVEN_AXES
from octprobe.explore.groups import Record, is_anchor
from octprobe.plan.variant import variant_label
from octprobe.units import ABSENT

# What all groups share is said once above a table; these are said of each group where they differ.
_VARYING = ("resolution", "batch", "dtype", "mode", "threads", *FORM_AXES)
# What tells rows and groups apart, and how a row ended.
_IDS, _OUTCOME = ("point_id", "group_id", "env_id"), ("status", "verdict", "doubts", "torch")
LABEL_COLUMNS = tuple(dict.fromkeys((*_IDS, *GIVEN_AXES, *FREE_AXES, *_OUTCOME)))


def alpha_label(record: Record) -> str:
    """Name alpha: `0.5`, `layer1:0.5/layer2:0.25`, or `0.25->0.5` for a layer."""
    if record.get("alpha") is not None:
        return f"{record['alpha']:g}"
    if record.get("alpha_map") is not None:
        return _map_label(str(record["alpha_map"]))
    if record.get("alpha_in") is None or record.get("alpha_out") is None:
        return ABSENT
    low_in, low_out = record["alpha_in"], record["alpha_out"]
    return f"{low_in:g}" if low_in == low_out else f"{low_in:g}->{low_out:g}"


def member_label(record: Record) -> str:
    """Name a row within its group: `alpha 0.5`, with what is not usual of its variant."""
    variant = "" if is_anchor(record) else variant_label(record)
    return f"alpha {alpha_label(record)} {variant}".rstrip()


def subject_label(record: Record) -> str:
    """Name what runs: a network's name, or a convolution by its shape."""
    if record.get("subject") != "layer":
        return str(record.get("network") or ABSENT)
    shape = "conv {in_channels}->{out_channels} k{kernel_size} s{stride} p{padding}".format_map(record)
    extras = [
        f"{name[0]}{record[name]}" for name in ("dilation", "groups") if record.get(name) not in (None, 1)
    ]
    return " ".join([shape, *extras])


def condition_labels(record: Record, names: Iterable[str]) -> list[str]:
    """Name the conditions asked for: `batch 8`, `224 px`, `2 threads`, `channels_last`."""
    return [_condition(name, record.get(name)) for name in names if record.get(name) is not None]


def group_label(record: Record, varying: Sequence[str]) -> str:
    """Name a group by its subject and the conditions in which the groups shown beside it differ."""
    return ", ".join([subject_label(record), *condition_labels(record, varying)])


def row_label(record: Record) -> str:
    """Name a row by all of its axes: `resnet50 alpha 0.5, 224 px, batch 8, ...`."""
    name = f"{subject_label(record)} {member_label(record)}"
    return ", ".join([name, *condition_labels(record, (*CONDITION_AXES, *FORM_AXES))])


def environment_label(record: Record, *, with_id: bool = False) -> str:
    """Name the environment by device and torch version, and by its id where these do not tell apart."""
    parts = [record.get("device_name") or record.get("device"), _prefixed("torch ", record.get("torch"))]
    if with_id:
        parts.append(_prefixed("env ", record.get("env_id")))
    return ", ".join(str(part) for part in parts if part)


def varying_conditions(rows: Sequence[Record]) -> list[str]:
    """Give the conditions of running that take more than one value over the rows."""
    return [name for name in _VARYING if len({row.get(name) for row in rows}) > 1]


def shared_conditions(rows: Sequence[Record]) -> list[str]:
    """Give the conditions of running that all rows share."""
    varying = varying_conditions(rows)
    return [name for name in (*CONDITION_AXES, *FORM_AXES) if name not in varying]


def _condition(name: str, value: object) -> str:
    shown = {"batch": f"batch {value}", "resolution": f"{value} px", "threads": f"{value} threads"}
    return shown.get(name, str(value))


def _prefixed(prefix: str, value: object) -> str | None:
    return None if value is None else f"{prefix}{value}"


def _map_label(text: str) -> str:
    try:
        pairs: Any = json.loads(text)
        return "/".join(f"{pattern}:{alpha:g}" for pattern, alpha in pairs.items())
    except (ValueError, AttributeError, TypeError, RecursionError):
        return text
