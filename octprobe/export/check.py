"""An exported file run beside the network it was made from."""

import importlib.metadata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from octprobe.errors import ConversionError
from octprobe.export.target import ONNX, PT2, installed

INPUT_NAME = "image"
# Neither is the batch that a file is made with.
_BATCHES = (1, 3)
# Of the largest output. torch runs the same kernels; onnxruntime fuses, and sums in an order of its own.
_TOLERANCES = {PT2: 1e-5, ONNX: 1e-4}
_SEED = 0

Run = Callable[[Tensor], list[Tensor]]


@dataclass(frozen=True)
class Check:
    """How far the outputs of a file are from those of the network it was made from.

    Attributes:
        runtime: what ran the file, such as `onnxruntime 1.32.0`.
        differences: the largest absolute difference, by batch.
        largest_output: the largest absolute output of the network itself.
    """

    runtime: str
    differences: Mapping[int, float]
    largest_output: float


def check_file(file: Path, network: nn.Module, example: Tensor) -> Check | None:
    """Run a file and a network on the same random images; None where nothing installed here runs the file.

    Args:
        file: what `export_network` wrote.
        network: what it was made from, in eval mode.
        example: (B, C, ...), of which the shape but for the batch and the dtype matter.

    Raises:
        ConversionError: the outputs differ by more than rounding.
    """
    loaded = _pt2(file) if file.suffix == PT2 else _onnx(file)
    if loaded is None:
        return None
    runtime, run = loaded
    generator = torch.Generator().manual_seed(_SEED)
    differences, largest = {}, 0.0
    for batch in _BATCHES:
        image = torch.randn((batch, *example.shape[1:]), generator=generator, dtype=example.dtype)
        expected = tree_leaves(network(image))
        differences[batch] = _difference(run(image), expected)
        largest = max(largest, *(_largest(output) for output in expected))
    check = Check(runtime, differences, largest)
    _demand_equal(check, _TOLERANCES[file.suffix])
    return check


def _pt2(file: Path) -> tuple[str, Run]:
    module = torch.export.load(file).module()
    return f"torch {torch.__version__}", lambda image: tree_leaves(module(image))


def _onnx(file: Path) -> tuple[str, Run] | None:
    if not installed("onnxruntime"):
        return None
    session = _session(file)

    def run(image: Tensor) -> list[Tensor]:
        return [torch.from_numpy(output) for output in session.run(None, {INPUT_NAME: image.numpy()})]

    return f"onnxruntime {importlib.metadata.version('onnxruntime')}", run


def _session(file: Path) -> Any:
    import onnxruntime  # optional, and takes a part of a second

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors; its warnings are of its own speed
    return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])


def _difference(found: Sequence[Tensor], expected: Sequence[Tensor]) -> float:
    if [output.shape for output in found] != [output.shape for output in expected]:
        return float("inf")
    return max(_largest(a.double() - b.double()) for a, b in zip(found, expected, strict=True))


def _largest(output: Tensor) -> float:
    return float(output.abs().max()) if output.numel() else 0.0


def _demand_equal(check: Check, tolerance: float) -> None:
    allowed, differences = tolerance * check.largest_output, check.differences.values()
    if not all(isfinite(difference) and difference <= allowed for difference in differences):
        raise ConversionError(
            f"nothing is written: in {check.runtime} the file's outputs differ from the eager network's by "
            f"{max(differences):.2g}, where they reach {check.largest_output:.2g} and rounding explains "
            f"{allowed:.2g}; try the other format"
        )
