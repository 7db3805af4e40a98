"""A store as a sweep leaves it: plausible figures of networks and layers, every ending, two batches."""

from dataclasses import replace
from pathlib import Path
from random import Random

from fakes_store import ended, layer_point, network_point, row
from fakes_store import measured as measured_row
from octprobe.plan.point import Conditions
from octprobe.store.records import PATHS, Breakdown, Doubt, Latency, Measurement, PartTime, PathMacs, Status
from octprobe.store.row import Row
from octprobe.store.store import Store

ALPHAS = ("0", "0.125", "0.25", "0.5", "0.75")
NETWORKS = {"resnet26": (2_342_000_000, 52.0), "resnet50": (4_089_000_000, 92.0)}
# Share of vanilla's time by alpha: at batch 1 the glue eats the saving, at batch 8 it does not.
RATIOS = {1: (1.0, 1.12, 1.08, 1.01, 0.97), 8: (1.0, 0.98, 0.9, 0.69, 0.58)}
_OCTAVE_SHARES = {"h2h": 0.3, "h2l": 0.12, "l2h": 0.12, "l2l": 0.12, "plain": 0.1, "pool": 0.05}
_GLUE = {"upsample": 0.04, "norm": 0.09, "add": 0.04, "other": 0.02}
_VANILLA_SHARES = {"plain": 0.82, "pool": 0.02, "norm": 0.1, "add": 0.04, "other": 0.02}


def demo_rows(seed: int = 0) -> list[Row]:
    """Give the rows: two networks at two batches, a compiled form, single layers, and points that failed."""
    chance = Random(seed)
    rows = [
        _network_row(name, alpha, place, batch, chance)
        for name in NETWORKS
        for batch in RATIOS
        for place, alpha in enumerate(ALPHAS)
    ]
    rows += [_compiled_row(alpha, place, chance) for place, alpha in enumerate(ALPHAS[:4])]
    rows += _layer_rows(chance)
    return [*rows, *_missed_rows()]


def write_demo(path: Path) -> Path:
    """Write the rows to a new store and give its path."""
    Store.create(path).append(demo_rows())
    return path


def _relative_macs(alpha: float) -> float:
    return 1 - 0.75 * alpha * (2 - alpha)


def _latency(median_ms: float, ratio: float | None, chance: Random, count: int = 60) -> Latency:
    samples = tuple(
        median_ms * (1 + abs(chance.gauss(0, 0.02)) + chance.gauss(0, 0.004)) for _ in range(count)
    )
    ratios = () if ratio is None else tuple(ratio * (1 + chance.gauss(0, 0.015)) for _ in range(count))
    plain = measured_row(median_ms).latency
    assert plain is not None
    return replace(plain, samples_ms=samples, pair_ratios=ratios)


def _breakdown(whole_ms: float, *, is_vanilla: bool) -> Breakdown:
    shares = _VANILLA_SHARES if is_vanilla else _OCTAVE_SHARES | _GLUE
    parts = tuple(
        PartTime(layer="layer1.0.conv1", path=path, time_ms=whole_ms * shares[path], kernels=None)
        for path in PATHS
        if path in shares
    )
    return Breakdown(device_time_ms=whole_ms, kernels=None, host_bound=None, parts=parts)


def _measured(median_ms: float, ratio: float, macs: int, alpha: float, chance: Random) -> Measurement:
    anchor = alpha == 0
    found = measured_row(
        median_ms,
        macs=macs,
        peak=int(51_380_224 * (1 - 0.55 * alpha)),
        doubts=(Doubt.UNKNOWN_CLOCK, *((Doubt.BIMODAL,) if chance.random() < 0.1 else ())),
    )
    cost = found.cost
    assert cost is not None
    low, whole = PathMacs(plain=macs), int(macs * 0.9)
    paths = (
        low
        if anchor
        else PathMacs(h2h=whole // 2, h2l=whole // 6, l2h=whole // 6, l2l=whole // 6, plain=macs // 10)
    )
    return replace(
        found,
        latency=_latency(median_ms, None if anchor else ratio, chance),
        breakdown=_breakdown(0.95 * median_ms, is_vanilla=anchor),
        cost=replace(cost, path_macs=paths),
    )


def _network_row(name: str, alpha: str, place: int, batch: int, chance: Random) -> Row:
    macs, vanilla_ms = NETWORKS[name]
    ratio = RATIOS[batch][place]
    share = _relative_macs(float(alpha))
    found = _measured(vanilla_ms * batch * 0.8 * ratio, ratio, int(macs * share), float(alpha), chance)
    return row(network_point(alpha, name, batch=batch), found)


def _compiled_row(alpha: str, place: int, chance: Random) -> Row:
    """Give a row whose device time is not known by path."""
    ratio = (1.0, 1.05, 0.96, 0.81)[place]
    macs = int(4_089_000_000 * _relative_macs(float(alpha)))
    found = _measured(70 * ratio, ratio, macs, float(alpha), chance)
    whole = Breakdown(
        device_time_ms=66 * ratio, kernels=None, host_bound=None, parts_reason="a compiled graph"
    )
    point = network_point(alpha, "resnet50", batch=1, execution="compiled")
    return row(point, replace(found, breakdown=whole))


def _layer_rows(chance: Random) -> list[Row]:
    rows = []
    for channels, side, stride in (
        (64, 56, 1),
        (128, 28, 1),
        (256, 14, 1),
        (512, 7, 1),
        (128, 56, 2),
        (256, 28, 2),
    ):
        for alpha in ("0", "0.25", "0.5"):
            point = layer_point(alpha, alpha, in_channels=channels, out_channels=channels, stride=stride)
            point = replace(point, conditions=Conditions(resolution=side, batch=8))
            ratio = 1 if alpha == "0" else (0.75 + 0.6 * (channels / 512) - 0.2 * float(alpha))
            macs = int(9 * channels**2 * side**2 * _relative_macs(float(alpha)))
            rows.append(row(point, _measured(2.0 * ratio, ratio, macs, float(alpha), chance)))
    return rows


def _missed_rows() -> list[Row]:
    crashed = Measurement(
        status=Status.CRASHED, reason="the worker ended with signal 9", log_tail="line one\nKilled <b>now</b>"
    )
    return [
        row(network_point("0.5", "resnet101", batch=64), crashed),
        ended(
            network_point("1", "resnet50"),
            Status.SKIPPED,
            "alpha 1 leaves no high channels for layer1.0.conv1",
        ),
        ended(network_point("0.5", batch=512), Status.OUT_OF_MEMORY, "2.1 GB asked for, 1.4 GB free"),
    ]
