"""ImageNet accuracies of octave networks as their authors print them, each with its source."""

import csv
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from importlib.resources import files

from octprobe.store.accuracy import PUBLISHED, Accuracy

_FILE = "published_accuracy.csv"
# All sources take a single centre crop of this side.
_RESOLUTION = 224


@cache
def published_accuracies() -> tuple[Accuracy, ...]:
    """Give every published accuracy, in the order of the file; deltas hold within a source family only."""
    text = files("octprobe.facts").joinpath(_FILE).read_text(encoding="utf-8")
    return tuple(_accuracy(line) for line in csv.DictReader(text.splitlines()))


def _accuracy(line: Mapping[str, str]) -> Accuracy:
    """Read a line; an empty cell is absent."""
    return Accuracy(
        network=line["network"],
        architecture=line["architecture"] or None,
        variant=line["variant"] or None,
        alpha=float(line["alpha"]),
        dataset=line["dataset"],
        top1_percent=float(line["top1_percent"]),
        top5_percent=_number(line["top5_percent"]),
        baseline_top1_percent=_number(line["baseline_top1_percent"]),
        resolution=_RESOLUTION,
        macs=_scaled(line["gmacs"], 9),
        parameters=_scaled(line["params_millions"], 6),
        kind=PUBLISHED,
        source_family=line["source_family"],
        source=line["source"],
    )


def _number(text: str) -> float | None:
    return float(text) if text else None


def _scaled(text: str, decimals: int) -> int | None:
    return int(Decimal(text).scaleb(decimals)) if text else None
