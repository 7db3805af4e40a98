"""Rows as plain values, gathered in the groups they were measured in."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from octprobe.explore.axes import ALPHA_AXES, FORM_AXES, GIVEN_AXES, VARIANT_AXES
from octprobe.plan.variant import USUAL
from octprobe.store.query import records

Record = Mapping[str, Any]

# Thousands of figures a row that no table, front or verdict reads: the derived figures stand beside them.
RAW_COLUMNS = (
    "latency_ms_samples",
    "pair_ratios",
    "foreign_cpu_seconds",
    "steal_seconds",
    "breakdown_parts",
)


@dataclass(frozen=True)
class Group:
    """The points of one subject, conditions and environment; they differ in alpha or variant."""

    members: tuple[Record, ...]

    @property
    def anchor(self) -> Record | None:
        """Give the alpha 0 row, where the store has one."""
        return next((member for member in self.members if is_anchor(member)), None)

    @property
    def conditions(self) -> Record:
        """Give what all members share: the given axes, the network, memory format and execution."""
        return {name: self.members[0].get(name) for name in ("network", *GIVEN_AXES, *FORM_AXES)}

    def share_of_anchor(self, member: Record, column: str) -> float | None:
        """Give a member's figure over the anchor's; None where either is absent or the anchor's is 0."""
        whole = self.anchor.get(column) if self.anchor else None
        part = member.get(column)
        return None if part is None or not whole else part / whole


def is_anchor(record: Record) -> bool:
    """Say whether a row is the alpha 0 point of its group."""
    return record.get("point_id") == record.get("group_id")


def plain_records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Give a frame's rows as plain values, without the raw samples; absent is None."""
    return records(frame.drop(columns=list(RAW_COLUMNS), errors="ignore"))


def gather(rows: Iterable[Record]) -> list[Group]:
    """Gather rows in groups, in the order of their conditions; members in the order of alpha."""
    found: dict[tuple[Any, Any], list[Record]] = {}
    for row in rows:
        found.setdefault((row.get("group_id"), row.get("env_id")), []).append(row)
    groups = [Group(tuple(sorted(members, key=_member_order))) for members in found.values()]
    return sorted(groups, key=lambda group: in_order(group.conditions.values()))


def in_order(values: Iterable[Any]) -> tuple[tuple[bool, Any], ...]:
    """Give a sort key in which an absent value comes last and is never compared with a present one."""
    return tuple((value is None, 0 if value is None else value) for value in values)


def _member_order(record: Record) -> tuple[tuple[bool, Any], ...]:
    """Give a sort key: by alpha, then by variant, the usual one first."""
    unusual = [None if record.get(name) == USUAL[name] else record.get(name) for name in VARIANT_AXES]
    plainness = [value is not None for value in unusual]
    return in_order([*(record.get(name) for name in ALPHA_AXES), *plainness, *unusual])
