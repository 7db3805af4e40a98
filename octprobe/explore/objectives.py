"""What can stand on an axis of a front: columns with a direction, under short names."""

import difflib
from dataclasses import dataclass, fields
from enum import StrEnum

from octprobe.errors import UsageError
from octprobe.store.accuracy import Accuracy
from octprobe.store.row import Row

_PERCENT = "_percent"
_ROW_COLUMNS = frozenset(field.name for field in fields(Row))


class Direction(StrEnum):
    """Which way a figure is better."""

    MINIMIZE = "minimize"
    MAXIMIZE = "maximize"


@dataclass(frozen=True)
class Objective:
    """A column to be made small or large; one with an interval names the column of its number of samples."""

    name: str
    column: str
    direction: Direction = Direction.MINIMIZE
    count: str | None = None

    @property
    def interval(self) -> tuple[str, str] | None:
        """Give the columns of the figure's interval; None for what is counted or read once."""
        if not self.count:
            return None
        stem = self.column.removesuffix("_median").removesuffix(_PERCENT)
        unit = _PERCENT if self.column.endswith(_PERCENT) else ""
        return f"{stem}_ci_low{unit}", f"{stem}_ci_high{unit}"

    @property
    def unit(self) -> str | None:
        """Give the column's unit, as the schema declares it."""
        declared = (*fields(Row), *fields(Accuracy))
        return next((f.metadata.get("unit") for f in declared if f.name == self.column), None)

    @property
    def is_accuracy(self) -> bool:
        """Whether the figure is of an accuracy, which is joined to rows, and not of a row itself."""
        return self.column not in _ROW_COLUMNS

    def cost(self, value: float) -> float:
        """Give a figure that is smaller where the objective is better."""
        return value if self.direction is Direction.MINIMIZE else -value


OBJECTIVES = (
    Objective("latency", "latency_ms_median", count="latency_samples"),
    Objective("period", "period_ms_median", count="period_samples"),
    Objective("throughput", "throughput", Direction.MAXIMIZE),
    Objective("ratio", "time_ratio_median", count="pairs"),
    Objective("macs", "macs"),
    Objective("macs_executed", "macs_executed"),
    Objective("memory", "peak_memory_allocator_bytes"),
    Objective("memory_reserved", "peak_memory_reserved_bytes"),
    Objective("memory_live", "peak_memory_live_bytes"),
    Objective("weights", "weights_bytes"),
    Objective("parameters", "parameters"),
    Objective("elementwise", "elementwise_flops"),
    Objective("read", "bytes_read"),
    Objective("written", "bytes_written"),
    Objective("operators", "operators"),
    Objective("device_time", "device_time_ms"),
    Objective("kernels", "kernels"),
    Objective("first_call", "first_call_ms"),
    Objective("build", "build_seconds"),
    Objective("compile", "compile_seconds"),
    Objective("error", "output_error"),
    Objective("top1", "top1_percent", Direction.MAXIMIZE, count="seeds"),
    Objective("top5", "top5_percent", Direction.MAXIMIZE),
    Objective("delta_top1", "delta_top1_percent", Direction.MAXIMIZE),
)


def objective(name: str) -> Objective:
    """Find an objective by its short name or its column.

    Raises:
        UsageError: there is none of that name; the message names the nearest.
    """
    for known in OBJECTIVES:
        if name in (known.name, known.column):
            return known
    names = [text for known in OBJECTIVES for text in (known.name, known.column)]
    near = difflib.get_close_matches(name, names, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    choices = ", ".join(known.name for known in OBJECTIVES)
    raise UsageError(f"{name!r} cannot stand on an axis of the front.{hint} Choose from: {choices}.")
