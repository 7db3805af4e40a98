"""Device time by layer and octave path of one row, as a table."""

from collections.abc import Mapping, Sequence
from typing import Any

from octprobe.figures.shapes import Table
from octprobe.store.records import PATHS

_MOST_LAYERS = 200


def layer_table(row: Mapping[str, Any]) -> Table:
    """Give a line a layer, the longest first, and a column a path that any layer has."""
    parts: Sequence[Mapping[str, Any]] = row.get("breakdown_parts") or ()
    layers: dict[str, dict[str, float]] = {}
    for part in parts:
        if part.get("time_ms") is not None:
            times = layers.setdefault(str(part.get("layer")), {})
            times[str(part.get("path"))] = times.get(str(part.get("path")), 0.0) + part["time_ms"]
    paths = [path for path in PATHS if any(path in times for times in layers.values())]
    ordered = sorted(layers.items(), key=lambda pair: -sum(pair[1].values()))[:_MOST_LAYERS]
    return Table(
        ("layer", "whole, ms/call", *(f"{path}, ms/call" for path in paths)),
        tuple((name, sum(times.values()), *(times.get(path) for path in paths)) for name, times in ordered),
    )


def host_sentence(row: Mapping[str, Any]) -> str:
    """Say whether the device waits for the host."""
    waits = row.get("host_bound")
    if waits is None:
        return "Whether the device waits for the host is not known: it is measured on accelerators only."
    if waits:
        return "Host-bound: the device waits for the host, so work that octave saves cannot show as time."
    return "Not host-bound: the device is busy for nearly the whole call."
