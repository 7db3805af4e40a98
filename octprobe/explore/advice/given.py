"""Which rows a recommendation is among: measured networks under one value of each given axis."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from octprobe.errors import StoreError, UsageError
from octprobe.explore.advice.arrays import Flags
from octprobe.store.query import plain
from octprobe.store.records import Status

# A given axis by its flag, and the column that holds it; one value of each is needed.
GIVEN: Mapping[str, str] = {
    "device": "device_name",
    "environment": "env_id",
    "batch": "batch",
    "resolution": "resolution",
    "dtype": "dtype",
    "mode": "mode",
    "threads": "threads",
}
# Free axes that a flag may narrow.
NARROWED: Mapping[str, str] = {
    "network": "network",
    "execution": "execution",
    "memory_format": "memory_format",
}
# What rows are selected by.
SELECTED_BY = ("subject", "status", "device", "torch", *GIVEN.values(), *NARROWED.values())
# The column that says which row of the store a row is, counted from 0.
ROW = "row_of_store"
# How the null of `threads`, the machine's own number, is written as a value.
DEFAULT = "default"
# So many characters of an environment's id name it.
_MIN_ID_CHARACTERS = 4
_MOST_LISTED = 12
# What a shell takes as one word, and a terminal as text.
_PLAIN_WORD = re.compile(r"[A-Za-z0-9_.:/+-]+")


@dataclass(frozen=True)
class Selection:
    """The rows that may be chosen among, and what became of the others.

    Attributes:
        frame: measured rows of networks, one value of each given axis; numbered from 0, with `ROW`.
        given: the given axes, by their flags.
        counts: rows of the store by what became of them.
    """

    frame: pd.DataFrame
    given: Mapping[str, Any]
    counts: Mapping[str, Any]


def select(frame: pd.DataFrame, where: Mapping[str, Any]) -> Selection:
    """Keep the rows that a recommendation is among.

    Args:
        frame: rows of a store.
        where: by flag, the value that rows must have.

    Raises:
        StoreError: there are no rows, or none of a measured network.
        UsageError: a flag that no row meets, or a given axis with several values.
    """
    networks = _networks(_numbered(frame))
    kept = _kept(networks, _is(networks["status"], Status.MEASURED))
    unmeasured = Counter(
        str(status) for status in networks["status"][~_is(networks["status"], Status.MEASURED)]
    )
    if not len(kept):
        endings = ", ".join(f"{count} {word(status)}" for status, count in unmeasured.items())
        raise StoreError(
            f"no network of the store was measured ({endings}); run the sweep again with --retry"
        )
    rest = kept
    for flag, value in where.items():
        rest = _narrowed(rest, flag, value)
    _demand_one(rest)
    counts = {
        "rows": len(frame),
        "layers": len(frame) - len(networks),
        "not_measured": dict(unmeasured),
        "other_flags": len(kept) - len(rest),
    }
    given = {flag: _plain_value(rest[column].iloc[0]) for flag, column in GIVEN.items()}
    return Selection(rest.reset_index(drop=True), given, counts)


def word(value: object) -> str:
    """Make text from a store inert in a line of a terminal: it is quoted where it is not plain."""
    text = str(value)
    return text if _PLAIN_WORD.fullmatch(text) else repr(text)


def _numbered(frame: pd.DataFrame) -> pd.DataFrame:
    numbers = pd.DataFrame({ROW: frame.index.to_numpy()}, index=frame.index)
    return pd.concat([frame, numbers], axis=1)


def _networks(frame: pd.DataFrame) -> pd.DataFrame:
    if not len(frame):
        raise StoreError("the store holds no rows yet; run `octprobe sweep` first")
    networks = _kept(frame, _is(frame["subject"], "network"))
    if not len(networks):
        raise StoreError(
            f"the store holds layers only ({_rows(len(frame))}), and a layer is no choice of network; "
            "sweep networks, or see `octprobe front`"
        )
    return networks


def _narrowed(frame: pd.DataFrame, flag: str, value: object) -> pd.DataFrame:
    kept = _kept(frame, _matches(frame, flag, value))
    if len(kept):
        return kept
    column = {**GIVEN, **NARROWED}[flag]
    raise UsageError(
        f"{_option(flag)} {value}: no measured row of a network has it; there "
        f"{_listed(_values(frame, column), 'and')}"
    )


def _matches(frame: pd.DataFrame, flag: str, value: object) -> Flags:
    """Say which rows meet a flag; a device is named by its model or its kind, an environment by its id."""
    wanted = str(value).strip().casefold()
    if flag == "device":
        named: Flags = _named(frame["device_name"], wanted) | _named(frame["device"], wanted)
        return named
    if flag == "environment":
        is_long = len(wanted) >= _MIN_ID_CHARACTERS
        known = [name for name in frame["env_id"].unique() if is_long and str(name).startswith(wanted)]
        return frame["env_id"].isin(known).to_numpy()
    if flag == "threads" and wanted == DEFAULT:
        return frame["threads"].isna().to_numpy()
    column = {**GIVEN, **NARROWED}[flag]
    if flag in ("batch", "resolution", "threads"):
        return _is(frame[column], int(wanted)) if wanted.isascii() and wanted.isdigit() else _none(frame)
    return _named(frame[column], wanted)


def _none(frame: pd.DataFrame) -> Flags:
    return np.zeros(len(frame), dtype=bool)


def _named(column: "pd.Series[Any]", wanted: str) -> Flags:
    known = [name for name in column.dropna().unique() if str(name).casefold() == wanted]
    return column.isin(known).to_numpy(dtype=bool, na_value=False)


def _demand_one(frame: pd.DataFrame) -> None:
    found = {flag: _values(frame, column) for flag, column in GIVEN.items()}
    several = {flag: values for flag, values in found.items() if len(values) > 1}
    if "device" in several:  # another device is another environment: said once
        several.pop("environment", None)
    notes = {"environment": _releases(frame)} if "environment" in several else {}
    told = [f"{_option(flag)} {_listed(values, 'or', notes.get(flag))}" for flag, values in several.items()]
    if told:
        raise UsageError(
            f"results under different conditions are never mixed; give one value of each: {'; '.join(told)}"
        )


def _releases(frame: pd.DataFrame) -> dict[object, str]:
    """Give, by environment, the release of torch: what most often tells two apart."""
    if "torch" not in frame:
        return {}
    first = frame.drop_duplicates("env_id")
    return {env: f"torch {word(torch)}" for env, torch in zip(first["env_id"], first["torch"], strict=True)}


def _values(frame: pd.DataFrame, column: str) -> list[tuple[object, int]]:
    counts = frame[column].value_counts(dropna=False)
    found = [(value, int(count)) for value, count in counts.items() if count]
    return sorted(found, key=lambda pair: _sort_key(pair[0]))


def _sort_key(value: object) -> tuple[bool, float, str]:
    known = plain(value)
    number = float(known) if isinstance(known, int | float) else 0.0
    return (known is None, number, str(known))


def _listed(
    values: Iterable[tuple[object, int]], joined: str, notes: Mapping[object, str] | None = None
) -> str:
    told = [
        f"{word(_plain_value(value))} ({', '.join(filter(None, [_rows(count), (notes or {}).get(value)]))})"
        for value, count in values
    ]
    if len(told) > _MOST_LISTED:
        told = [*told[:_MOST_LISTED], f"{len(told) - _MOST_LISTED} more"]
    lead = ("are " if len(told) > 1 else "is ") if joined == "and" else ""
    return lead + (told[0] if len(told) == 1 else f"{', '.join(told[:-1])} {joined} {told[-1]}")


def _plain_value(value: object) -> object:
    """Give a value of a given axis; null, as of threads, is the machine's default."""
    known = plain(value)
    if known is None:
        return DEFAULT
    return int(known) if isinstance(known, float) and known.is_integer() else known


def _rows(count: int) -> str:
    return f"{count} row{'' if count == 1 else 's'}"


def _option(flag: str) -> str:
    return f"--{flag.replace('_', '-')}"


def _is(column: "pd.Series[Any]", value: object) -> Flags:
    found: Flags = (column == value).to_numpy(dtype=bool, na_value=False)
    return found


def _kept(frame: pd.DataFrame, mask: Flags) -> pd.DataFrame:
    """Keep rows; a frame of which all are kept is not copied."""
    return frame if mask.all() else frame[mask]
