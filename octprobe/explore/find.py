"""Rows by what a person calls them: the beginning of an id, or words of a label."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from octprobe.errors import UsageError
from octprobe.explore.groups import Record
from octprobe.explore.labels import row_label, subject_label

# Shorter texts are words: `224` is a resolution, and the beginning of one id in 4,096.
_MIN_ID_CHARACTERS = 4


def find_rows(rows: Sequence[Record], text: str) -> list[Record]:
    """Find the rows whose point_id begins with a text, or whose label holds each of its parts.

    Parts stand between commas and are whole words: `resnet50 alpha 0.5, batch 8` names rows of any resolution
    and none at batch 80.

    Raises:
        UsageError: no row is called so.
    """
    wanted = text.strip().lower()
    parts = [" ".join(part.split()) for part in wanted.split(",")]
    is_id = len(wanted) >= _MIN_ID_CHARACTERS
    found = [
        row
        for row in rows
        if (is_id and row["point_id"].startswith(wanted)) or all(f" {part} " in _words(row) for part in parts)
    ]
    if not found:
        example = f"such as {row_label(rows[0])!r}" if rows else "once the store holds rows"
        raise UsageError(
            f"no row is called {text!r}; give the beginning of a point_id or words of a label, {example}"
        )
    return found


def row_name(record: Mapping[str, Any]) -> str:
    """Name a row for good: `point_id@env_id`."""
    return f"{record['point_id']}@{record['env_id']}"


def places_of(frame: pd.DataFrame, name: str) -> list[int]:
    """Give the labels of a frame's rows by `point_id@env_id`, else by the beginnings of them."""
    point, at, env = name.strip().rpartition("@")
    point, env = (point, env) if at else (env, "")
    if not point:
        return []
    points, environments = frame["point_id"].astype(str), frame["env_id"].astype(str)
    found = (points == point) & (environments == env)
    if not found.any():
        found = points.str.lower().str.startswith(point.lower())
        found &= environments.str.lower().str.startswith(env.lower())
    return [int(place) for place in frame.index[found.to_numpy(dtype=bool, na_value=False)]]


def anchors_of(frame: pd.DataFrame, place: int) -> list[int]:
    """Give the label of a row's vanilla row; none where the frame has none."""
    row = frame.loc[place]
    same = (frame["point_id"] == row["group_id"]) & (frame["env_id"] == row["env_id"])
    return [int(found) for found in frame.index[same.to_numpy(dtype=bool, na_value=False)]]


def _words(row: Record) -> str:
    """Give a row's label as words with a blank on either side."""
    label = row_label(row)
    if row.get("alpha_in") is not None:
        # As the progress of a sweep names a layer, both alphas even where they are equal.
        label += f" {subject_label(row)} alpha {row['alpha_in']:g}->{row['alpha_out']:g}"
    return f" {' '.join(label.replace(',', ' ').lower().split())} "
