"""An exported file run beside the network it was made from."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from octprobe.errors import ConversionError
from octprobe.export.runner import Outputs, named_outputs, open_file
from octprobe.export.target import ONNX, PT2
from octprobe.export.told import told

# Neither is the batch that a file is made with.
_BATCHES = (1, 3)
# Of the largest output. torch runs the same kernels; onnxruntime fuses, and sums in an order of its own.
_TOLERANCES = {PT2: 1e-5, ONNX: 1e-4}
# Steps of the number format, for formats in which a step is more than the tolerance above.
_STEPS = 8
_SEED = 0
_MOST_NAMES = 3


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
        ConversionError: the outputs differ by more than rounding, or are no finite numbers.
        MachineError: onnxruntime is installed and broken.
    """
    runner = open_file(file)
    if runner is None:
        return None
    generator = torch.Generator().manual_seed(_SEED)
    differences, largest = {}, 0.0
    for batch in _BATCHES:
        image = torch.randn((batch, *example.shape[1:]), generator=generator, dtype=example.dtype)
        expected = named_outputs(network(image))
        _demand_finite(expected, network)
        with told(f"nothing is written: {runner.name} cannot run the file"):
            found = runner.run(image)
        differences[batch] = _difference(found, expected, runner.name)
        largest = max((largest, *map(_largest, expected.values())))
    check = Check(runner.name, differences, largest)
    _demand_equal(check, max(_TOLERANCES[file.suffix], _STEPS * torch.finfo(example.dtype).eps))
    return check


def _demand_finite(expected: Outputs, network: nn.Module) -> None:
    for name, output in expected.items():
        if not output.isfinite().all():
            raise ConversionError(
                f"nothing is written: the network itself gives NaN or infinity in output{name}; "
                + _cause(network)
            )


def _cause(network: nn.Module) -> str:
    """Say where what is not finite comes from, and the way out."""
    held = [name for name, tensor in network.state_dict().items() if not tensor.isfinite().all()]
    if not held:
        return "its weights are finite, but what it computes is not; give trained weights, or float32"
    more = ", ..." if len(held) > _MOST_NAMES else ""
    named = ", ".join(held[:_MOST_NAMES])
    return f"{len(held)} of its weights hold NaN or infinity ({named}{more}); give a checkpoint that is sound"


def _difference(found: list[Tensor], expected: Outputs, runtime: str) -> float:
    shapes = [tuple(output.shape) for output in found]
    wanted = [tuple(output.shape) for output in expected.values()]
    if shapes != wanted:
        raise ConversionError(
            f"nothing is written: in {runtime} the file's outputs are of shape {shapes}, the eager network's "
            f"of {wanted}; try the other format"
        )
    pairs = zip(found, expected.items(), strict=True)
    return max((0.0, *(_distance(output, name, own, runtime) for output, (name, own) in pairs)))


def _distance(found: Tensor, name: str, expected: Tensor, runtime: str) -> float:
    if not found.isfinite().all():
        raise ConversionError(
            f"nothing is written: in {runtime} the file gives NaN or infinity in output{name}, "
            "the eager network does not; try the other format"
        )
    return _largest(found.double() - expected.double())


def _largest(output: Tensor) -> float:
    return float(output.double().abs().max()) if output.numel() else 0.0


def _demand_equal(check: Check, tolerance: float) -> None:
    allowed, difference = tolerance * check.largest_output, max(check.differences.values())
    if difference > allowed:
        raise ConversionError(
            f"nothing is written: in {check.runtime} the file's outputs differ from the eager network's by "
            f"{difference:.2g}, where they reach {check.largest_output:.2g} and rounding explains "
            f"{allowed:.2g}; try the other format"
        )
