"""Stores of every kind that a page has to bear, by what is told of them."""

from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

from demo_store import write_demo
from fakes_store import OTHER_ENVIRONMENT, ended, layer_point, measured, network_point, row
from octprobe.store.records import Status
from octprobe.store.row import Row
from octprobe.store.store import Store

HOSTILE = "<script>alert(1)</script> **bold** ![x](http://example.invalid/x.png) $x$ :red[no]\u202e"
# What every row has; all else may be null.
_ALWAYS = {"point_id", "group_id", "env_id", "status", "attempt", "recorded_at"}


def filled(path: Path, *rows: Row) -> Path:
    """Write rows to a new store."""
    store = Store.create(path)
    if rows:
        store.append(rows)
    return path


def empty(path: Path) -> Path:
    """Give a store without rows."""
    return filled(path)


def one_row(path: Path) -> Path:
    """Give a store of one octave row without its vanilla row."""
    return filled(path, row(network_point("0.5"), measured(80.0, 0.9)))


def only_failures(path: Path) -> Path:
    """Give a store in which nothing was measured."""
    return filled(
        path,
        ended(network_point("0.5"), Status.CRASHED, "signal 9"),
        ended(network_point("0.5", batch=64), Status.OUT_OF_MEMORY, "2.1 GB asked for"),
        ended(layer_point("0.5", "0.5"), Status.SKIPPED, "alpha leaves no high channels"),
    )


def nulls(path: Path) -> Path:
    """Give a store of a measured row, its vanilla row and a failed one, null in every column that may be."""
    found = (
        row(network_point("0.5"), measured(80.0, 0.9)),
        row(network_point("0"), measured(90.0)),
        ended(network_point("0.25"), Status.FAILED),
    )
    absent = {field.name: None for field in fields(Row) if field.name not in _ALWAYS}
    return filled(path, *(replace(one, **absent) for one in found))


def hostile(path: Path) -> Path:
    """Give a store whose texts are markup."""
    return filled(
        path,
        row(network_point("0", HOSTILE), measured(90.0), sweep=HOSTILE),
        row(network_point("0.5", HOSTILE), measured(80.0, 0.9), sweep=HOSTILE),
        replace(
            ended(network_point("0.25", HOSTILE), Status.FAILED, HOSTILE, sweep=HOSTILE), log_tail=HOSTILE
        ),
    )


def two_environments(path: Path) -> Path:
    """Give a store of the same points under two releases of torch, the second slower."""
    rows = [row(network_point(alpha), measured(ms, ratio)) for alpha, ms, ratio in _TIMES]
    again = [
        row(network_point(alpha), measured(1.2 * ms, ratio), OTHER_ENVIRONMENT, sweep="later", minutes=90)
        for alpha, ms, ratio in _TIMES
    ]
    return filled(path, *rows, *again)


_TIMES = (("0", 90.0, None), ("0.25", 85.0, 0.94), ("0.5", 70.0, 0.78))
KINDS: dict[str, Callable[[Path], Path]] = {
    "empty": empty,
    "one row": one_row,
    "as a sweep leaves it": write_demo,
    "only failures": only_failures,
    "nulls": nulls,
    "hostile": hostile,
    "two environments": two_environments,
}
