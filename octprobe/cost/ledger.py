"""Counts kept between runs: the same point is counted once on a machine."""

import hashlib
from collections.abc import Callable
from dataclasses import asdict
from functools import cache, partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from octprobe.cache import Cache
from octprobe.networks import is_registered, without_values
from octprobe.plan.point import DesignPoint
from octprobe.store.records import Cost, PathMacs

# Counts follow from these packages and from octprobe's own operator and counters.
_PACKAGES = ("torch", "torchvision", "timm", "fvcore")
_SOURCES = (
    "octave",
    "cost",
    "networks.py",
    "workload.py",
    "plan/point.py",
    "plan/variant.py",
    "store/records.py",
)


class Ledger:
    """Costs by design point, on disk.

    Args:
        count: counts a point that is not in the ledger yet; loads torch, so it is called only then.
        kind: which counts these are; kinds never mix.
        cache: where they are kept.
    """

    def __init__(self, count: Callable[[DesignPoint], Cost], kind: str, cache: Cache | None = None) -> None:
        self._count = count
        self._kind = kind
        self._cache = cache or Cache("costs")

    def known(self, point: DesignPoint) -> Cost | None:
        """Give a cost that was counted before."""
        kept = self._cache.get(self._question(point))
        if kept is None or not is_registered(_network(point)):
            return None
        try:
            return Cost(**(kept | {"path_macs": PathMacs(**kept["path_macs"])}))
        except (TypeError, KeyError):
            return None

    def cost(self, point: DesignPoint) -> Cost:
        """Give a point's cost an item of the batch, counting it the first time."""
        known = self.known(point)
        if known is not None:
            return known
        counted = self._count(point)
        self._cache.put(self._question(point), asdict(counted))
        return counted

    def _question(self, point: DesignPoint) -> dict[str, Any]:
        # A training call has the weights' gradients once: an item's share of its peak depends on the batch.
        matters = {"batch"} if point.conditions.mode == "train" else set()
        without_effect = _WITHOUT_EFFECT - matters
        axes = {name: value for name, value in point.exact_axes().items() if name not in without_effect}
        return axes | {"kind": self._kind, "method": _method()}


# Axes that no count of inference depends on, as counts are for one float32 item.
_WITHOUT_EFFECT = frozenset({"batch", "dtype", "memory_format", "execution", "threads"})


def _network(point: DesignPoint) -> str:
    """Give the network's name, whose code is versioned unless it is a person's own; empty for a layer."""
    return str(point.axes().get("network") or "")


@cache
def _method() -> str:
    """Digest what the counts follow from: versions of packages and octprobe's own sources."""
    digest = hashlib.sha256()
    for package in _PACKAGES:
        try:
            digest.update(f"{package} {version(package)}\n".encode())
        except PackageNotFoundError:
            continue
    root = Path(__file__).parents[1]
    for source in _SOURCES:
        path = root / source
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            digest.update(file.read_bytes())
    return digest.hexdigest()


def known_cost(point: DesignPoint) -> Cost | None:
    """Give a cost that was counted before, fully or quickly, without counting; loads no torch."""
    for kind, count in (("full", count_fully), ("quick", count_quickly)):
        known = Ledger(partial(count, allow_import=False), kind).known(point)
        if known is not None:
            return known
    return None


def count_fully(point: DesignPoint, *, allow_import: bool) -> Cost:
    """Build a point at batch 1 and count it with fvcore, the meta walk and the closed form."""
    from octprobe.cost.count import full_cost  # torch and fvcore are loaded for what was never counted only
    from octprobe.workload import build_workload, one_item

    return full_cost(build_workload(one_item(point), allow_import=allow_import), point.conditions.batch)


def count_quickly(point: DesignPoint, *, allow_import: bool) -> Cost:
    """Build a point at batch 1 and count it on meta tensors."""
    from octprobe.cost.count import quick_cost  # as above
    from octprobe.workload import build_workload, one_item

    with without_values(_network(point)):
        workload = build_workload(one_item(point), allow_import=allow_import)
    return quick_cost(workload, point.conditions.batch)
