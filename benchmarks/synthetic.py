"""Stores of any size whose rows are like a sweep's: made of columns at once, never of one row after another.

Row `n` is design point `n` of a space of networks, alphas, forms and conditions in several environments; one
row in twenty is a layer's, one in a hundred ended otherwise than measured, one in two hundred is a second
attempt. Raw samples, log tails and breakdowns are null: no choice reads them.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from octprobe.store.schema import SCHEMA
from octprobe.store.store import PARTS_FOLDER

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Columns = dict[str, Any]

ROWS_A_PART = 500_000
# Of a large part a few rows are read without the others.
ROWS_A_GROUP = 50_000
# Keeps products with numbers apart in 64 bits.
_ODD = 0x9E3779B97F4A7C15
_LAYERS_EVERY = 20
_FAILED_EVERY = 100
_RETRIED_EVERY = 200
_RECORDED_FROM_US = 1_760_000_000_000_000

# Names with the MACs of vanilla at 224 pixels, and parameters, both in millions: of real networks, rounded.
NETWORKS: Sequence[tuple[str, int, int]] = (
    ("resnet18", 1814, 12),
    ("resnet34", 3664, 22),
    ("resnet26", 2350, 16),
    ("resnet50", 4089, 26),
    ("resnet101", 7801, 45),
    ("resnet152", 11513, 60),
    ("resnet200", 15051, 65),
    ("seresnet50", 4091, 28),
    ("resnext50_32x4d", 4230, 25),
    ("resnext101_32x4d", 7991, 44),
    ("densenet121", 2834, 8),
    ("mobilenetv1_100", 569, 4),
    ("mobilenetv2_100", 301, 4),
    ("torchvision:resnet50", 4089, 26),
)
ALPHAS = (0.0, 0.0625, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75)
# What turns fastest counts first: the free axes, then the given ones.
FREE: Mapping[str, Sequence[Any]] = {
    "alpha": ALPHAS,
    "network": range(len(NETWORKS)),
    "execution": ("eager", "compiled", "cudagraph"),
    "memory_format": ("contiguous", "channels_last"),
    "variant": (
        ("both", "average", "all", "policy"),
        ("both", "max", "all", "policy"),
        ("none", "average", "all", "policy"),
        ("h2l", "average", "spatial", "policy"),
        ("l2h", "strided", "all", "end"),
    ),
}
CONDITIONS: Mapping[str, Sequence[Any]] = {
    "batch": (1, 8, 32, 64, 128, 256),
    "dtype": ("float32", "tf32", "float16", "bfloat16"),
    "resolution": (224, 160, 192, 256, 288),
    "mode": ("infer", "train"),
}
LAYERS: Mapping[str, Sequence[int]] = {
    "kernel_size": (3, 1),
    "in_channels": (64, 128, 256, 512),
    "out_channels": (64, 128, 256, 512),
    "stride": (1, 2),
}
# So many points are measured in each environment; a point's id does not know where it is measured.
_DESIGN_POINTS = math.prod(map(len, (FREE | CONDITIONS).values()))
_GPUS = (
    "H100",
    "A100",
    "L4",
    "T4",
    "V100",
    "RTX 4090",
    "RTX 3090",
    "Xeon 8480",
    "EPYC 9654",
    "Core i7-12700",
)


@dataclass(frozen=True)
class Digits:
    """The axes of rows: place of each value among its choices, read off the row's number."""

    places: Mapping[str, Ints]

    @classmethod
    def of(cls, numbers: Ints, axes: Mapping[str, Sequence[Any]]) -> "Digits":
        """Read numbers in a base that mixes the axes' sizes; what is left over is the environment."""
        places, rest = {}, numbers
        for name, choices in axes.items():
            rest, places[name] = np.divmod(rest, len(choices))
        return cls({**places, "environment": rest})


def write_store(folder: Path, rows: int) -> None:
    """Write a store of so many rows in parts; one that is there already is left alone."""
    parts = folder / PARTS_FOLDER
    if parts.exists():
        return
    making = folder.with_name(f"_{folder.name}")
    (making / PARTS_FOLDER).mkdir(parents=True, exist_ok=True)
    for first in range(0, rows, ROWS_A_PART):
        numbers = np.arange(first, min(first + ROWS_A_PART, rows))
        part = making / PARTS_FOLDER / f"{first:010d}.parquet"
        pq.write_table(_table(numbers), part, compression="zstd", row_group_size=ROWS_A_GROUP)
    making.rename(folder)


def env_id(number: int) -> str:
    """Name an environment; the first is on an H100."""
    return f"{(number * _ODD + 1) % 2**64:016x}"


def _table(numbers: Ints) -> pa.Table:
    """Lay rows of given numbers out; a retried row has the number of the row before it."""
    points = np.where(numbers % _RETRIED_EVERY == 1, numbers - 1, numbers)
    is_layer = points % _LAYERS_EVERY == _LAYERS_EVERY - 1
    columns = _networks(points) | _conditions(points)
    columns = _spliced(columns, _layers(points), is_layer)
    columns |= _outcome(numbers, points, columns, np.random.default_rng(int(numbers[0])))
    size = len(numbers)
    return pa.Table.from_arrays(
        [_array(columns.get(field.name), field.type, size) for field in SCHEMA], schema=SCHEMA
    )


def _array(values: Any, kind: pa.DataType, size: int) -> pa.Array:
    if values is None:
        return pa.nulls(size, kind)
    if isinstance(values, pa.Array):
        return values.cast(kind)
    if isinstance(values, np.ndarray):
        return pa.array(values, from_pandas=True).cast(kind)
    return pa.array([values], kind).take(pa.array(np.zeros(size, np.int64)))


def _of(choices: Sequence[Any], places: Ints) -> pa.Array:
    """Take choices by place; -1 is null."""
    return pa.array(list(choices)).take(pa.array(np.where(places < 0, 0, places), mask=places < 0))


def _networks(points: Ints) -> Columns:
    at = Digits.of(points, FREE | CONDITIONS).places
    octave = at["alpha"] > 0
    variants = list(zip(*FREE["variant"], strict=True))
    names = ("exchange", "downsample", "octave_kernels", "return_at")
    return {
        "subject": "network",
        "network": _of([name for name, _, _ in NETWORKS], at["network"]),
        "alpha": np.asarray(ALPHAS)[at["alpha"]],
        "kernel": _of(["four"], np.where(octave, 0, -1)),
        **{
            name: _of(choices, np.where(octave, at["variant"], -1))
            for name, choices in zip(names, variants, strict=True)
        },
        "execution": _of(FREE["execution"], at["execution"]),
        "memory_format": _of(FREE["memory_format"], at["memory_format"]),
        "macs": _network_macs(at),
        "parameters": np.asarray([size for _, _, size in NETWORKS])[at["network"]] * 1_000_000,
        "point_number": points,
        "group_number": points - at["alpha"] - at["variant"] * _variant_step(),
    }


def _variant_step() -> int:
    """Give by how much a row's number grows with its variant; the anchor has alpha 0 and no variant."""
    sizes = [len(choices) for name, choices in FREE.items() if name != "variant"]
    return int(np.prod(sizes))


def _network_macs(at: Mapping[str, Ints]) -> Ints:
    alpha = np.asarray(ALPHAS)[at["alpha"]]
    size = np.asarray(CONDITIONS["resolution"])[at["resolution"]] / 224
    vanilla = np.asarray([macs for _, macs, _ in NETWORKS])[at["network"]] * 1e6
    saved = np.asarray([1.0, 1.0, 1.1, 0.6, 1.05])[at["variant"]]
    macs: Ints = (vanilla * size**2 * (1 - saved * 0.75 * alpha * (2 - alpha) * 0.85)).astype(np.int64)
    return macs


def _conditions(points: Ints) -> Columns:
    at = Digits.of(points, FREE | CONDITIONS).places
    device = at["environment"] % len(_GPUS)
    return {
        **{name: _of(list(choices), at[name]) for name, choices in CONDITIONS.items()},
        "environment": at["environment"],
        "speed": _speed(at),
        "device": _of(["cuda", "cpu"], (device >= 7).astype(np.int64)),
        "device_name": _of(_GPUS, device),
        "cpu_model": _of(_GPUS[7:], at["environment"] % 3),
        "torch": _of(["2.9.0", "2.10.0", "2.11.0"], at["environment"] // len(_GPUS) % 3),
        "deterministic": False,
        "cpu_count": 32,
        "default_threads": 16,
        "os": "Linux 6.8",
    }


def _speed(at: Mapping[str, Ints]) -> Floats:
    """Give MACs a millisecond: by device, number format, form and how well a batch fills the device."""
    device = np.asarray([30e9, 10e9, 4e9, 3e9, 6e9, 14e9, 9e9, 1e9, 0.8e9, 0.2e9])
    dtype, form = np.asarray([1.0, 2.0, 3.5, 3.3]), np.asarray([1.0, 1.3, 1.5])
    batch = np.asarray(CONDITIONS["batch"])[at["batch"]]
    octave = np.where(at["alpha"] > 0, 0.82, 1.0)
    formed = form[at["execution"]] * np.where(at["memory_format"] == 1, 1.2, 1.0)
    speed: Floats = device[at["environment"] % len(_GPUS)] * dtype[at["dtype"]] * formed * octave
    return speed * batch / (batch + 12)


def _layers(points: Ints) -> Columns:
    axes = {"alpha": ALPHAS, "execution": FREE["execution"], "memory_format": FREE["memory_format"], **LAYERS}
    numbers = points // _LAYERS_EVERY
    at = Digits.of(numbers, axes).places
    shape = {name: np.asarray(choices)[at[name]] for name, choices in LAYERS.items()}
    rest = at["environment"]
    resolution = np.asarray([56, 28, 14])[rest % 3]
    alpha = np.asarray(ALPHAS)[at["alpha"]]
    macs = np.prod([shape["in_channels"], shape["out_channels"], shape["kernel_size"] ** 2], axis=0)
    macs = (macs * (resolution // shape["stride"]) ** 2 * (1 - 0.6 * alpha)).astype(np.int64)
    return {
        **{name: values.astype(float) for name, values in shape.items()},
        **{name: np.ones(len(points)) for name in ("dilation", "groups")},
        "padding": _of(["0", "1"], (shape["kernel_size"] == 3).astype(np.int64)),
        "alpha_in": alpha,
        "alpha_out": alpha,
        "alpha": np.full(len(points), np.nan),
        "subject": "layer",
        "network": _of([""], np.full(len(points), -1)),
        "octave_kernels": _of([""], np.full(len(points), -1)),
        "return_at": _of([""], np.full(len(points), -1)),
        "exchange": _of(["both"], np.where(alpha > 0, 0, -1)),
        "downsample": _of(["average"], np.where(alpha > 0, 0, -1)),
        "kernel": _of(["four"], np.where(alpha > 0, 0, -1)),
        "execution": _of(FREE["execution"], at["execution"]),
        "memory_format": _of(FREE["memory_format"], at["memory_format"]),
        "resolution": pa.array(resolution),
        "macs": macs,
        "parameters": macs // resolution**2,
        "group_number": points - _LAYERS_EVERY * at["alpha"],
    }


def _spliced(networks: Columns, layers: Columns, is_layer: npt.NDArray[np.bool_]) -> Columns:
    """Put the layers' figures in the rows that are layers'; what only layers have is null elsewhere."""
    size, mask = len(is_layer), pa.array(is_layer)
    joined = dict(networks)
    for name, values in layers.items():
        mine = _array(values, SCHEMA.field(name).type if name in SCHEMA.names else pa.int64(), size)
        other = _array(networks.get(name), mine.type, size)
        joined[name] = pa.compute.if_else(mask, mine, other)
    return joined


def _outcome(numbers: Ints, points: Ints, columns: Columns, chance: np.random.Generator) -> Columns:
    """Give what measuring would: times from MACs and speed, with noise; a few rows ended otherwise."""
    macs = np.asarray(columns["macs"], dtype=float)
    size, batch = len(numbers), np.asarray(columns["batch"], dtype=float)
    measured = chance.random(size) >= 1 / _FAILED_EVERY
    latency = (0.05 + batch * macs / columns["speed"]) * chance.lognormal(0, 0.15, size)
    latency[~measured] = np.nan
    ratio = np.where(
        np.asarray(columns["group_number"]) == points, np.nan, chance.lognormal(-0.1, 0.25, size)
    )
    ratio[~measured] = np.nan
    memory = np.where(measured, (batch * macs * 0.003 * chance.lognormal(0, 0.05, size)) // 256 * 256, np.nan)
    counted = {
        name: np.where(measured, macs, np.nan) for name in ("macs", "macs_dispatched", "macs_executed")
    }
    return (
        _spread("latency_ms", latency, 0.008, chance)
        | _spread("period_ms", latency * 0.93, 0.006, chance)
        | _spread("time_ratio", ratio, 0.01, chance)
        | counted
        | _identity(numbers, points, columns)
        | {
            "status": _of(["out_of_memory", "measured"], measured.astype(np.int64)),
            "reason": _of(["the allocator asked for 2.1 GB"], np.where(measured, -1, 0)),
            "doubts": _doubts(measured, chance),
            "verdict": _verdicts(ratio),
            "verdict_band": 0.01,
            "throughput": batch / (latency * 0.93) * 1e3,
            "latency_samples": np.where(measured, 41.0, np.nan),
            "period_samples": np.where(measured, 9.0, np.nan),
            "pairs": np.where(np.isnan(ratio), np.nan, 41.0),
            "peak_memory_allocator_bytes": memory,
            "peak_memory_live_bytes": memory * 0.9 // 4 * 4,
            "weights_bytes": np.asarray(columns["parameters"], dtype=float) * 4,
            "operators": np.where(measured, 120.0, np.nan),
            "device_time_ms": latency * 0.9,
            "first_call_ms": latency * 5,
            "build_seconds": np.where(measured, 0.5, np.nan),
        }
    )


def _identity(numbers: Ints, points: Ints, columns: Columns) -> Columns:
    """Give what tells rows apart, and who wrote them when."""
    environments = [env_id(number) for number in range(int(columns["environment"].max()) + 1)]
    return {
        "point_id": _ids(points % _DESIGN_POINTS),
        "group_id": _ids(np.asarray(columns["group_number"]) % _DESIGN_POINTS),
        "env_id": _of(environments, columns["environment"]),
        "attempt": np.where(numbers == points, 1, 2),
        "recorded_at": _RECORDED_FROM_US + numbers * 1000,
        "sweep": "scale",
        "protocol": 3,
        "octprobe": "0.1.0",
    }


def _spread(name: str, median: Floats, share: float, chance: np.random.Generator) -> Columns:
    half = median * share * chance.lognormal(0, 0.4, len(median))
    return {f"{name}_median": median, f"{name}_ci_low": median - half, f"{name}_ci_high": median + half}


def _ids(numbers: Ints) -> pa.Array:
    """Give 16 hexadecimal digits a number, as ids have them: an odd factor keeps numbers apart."""
    mixed = (numbers.astype(np.uint64) + np.uint64(1)) * np.uint64(_ODD)
    digits = np.frombuffer(mixed.byteswap().tobytes().hex().encode(), "S16")
    offsets = np.arange(len(numbers) + 1, dtype=np.int32) * 16
    return pa.StringArray.from_buffers(len(numbers), pa.py_buffer(offsets), pa.py_buffer(digits.tobytes()))


def _doubts(measured: npt.NDArray[np.bool_], chance: np.random.Generator) -> pa.Array:
    """Give lists: most rows of a virtual machine doubt the clock, a few something else too; failures none."""
    kinds = pa.array([[], ["unknown_clock"], ["not_converged", "unknown_clock"], ["unstable"]])
    places = chance.choice(4, len(measured), p=[0.5, 0.4, 0.05, 0.05])
    return kinds.take(pa.array(np.where(measured, places, 0)))


def _verdicts(ratio: Floats) -> pa.Array:
    places = np.select([np.isnan(ratio), ratio < 0.98, ratio > 1.02], [-1, 0, 1], 2)
    return _of(["FASTER", "SLOWER", "SAME"], places)
