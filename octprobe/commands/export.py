"""`octprobe export`: a network at an alpha as one file, checked against the network itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from octprobe.commands.axis_options import (
    DownsampleOption,
    ExchangeOption,
    OctaveKernelsOption,
    ReturnAtOption,
    network_point,
)
from octprobe.errors import MachineError, OctprobeError, wants_memory
from octprobe.plan.variant import variant_label

if TYPE_CHECKING:
    from torch import Tensor, nn

    from octprobe.export import Check, Exported
    from octprobe.plan.point import DesignPoint, NetworkSubject

_SEED = 0
# After batch, by how many there are: of signals, images and clips.
_AXES = {
    2: ("channels", "length"),
    3: ("channels", "height", "width"),
    4: ("channels", "frames", "height", "width"),
}


def export(
    network: Annotated[
        str,
        typer.Argument(
            help="timm's name, torchvision:NAME, octprobe:NAME or module:function.", show_default=False
        ),
    ],
    *,
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", help="The file: NAME.onnx, or NAME.pt2 for torch.export.", show_default=False
        ),
    ],
    alpha: Annotated[
        str, typer.Option(help="Share of low channels, or pairs such as layer1=0.5,layer2=0.25.")
    ] = "0",
    resolution: Annotated[
        int, typer.Option(min=1, max=16384, help="Side of the square image, pixels; fixed in the file.")
    ] = 224,
    exchange: ExchangeOption = "both",
    downsample: DownsampleOption = "average",
    octave_kernels: OctaveKernelsOption = "all",
    return_at: ReturnAtOption = "policy",
    weights: Annotated[
        str | None,
        typer.Option(
            help="A checkpoint of the vanilla network, or pretrained; else random.", show_default=False
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    allow_import: Annotated[bool, typer.Option(help="Allow module:function, which runs that code.")] = False,
) -> None:
    """Write NETWORK at an alpha to one file that runs without octprobe, and check its output."""
    from octprobe.export import check_target, export_network
    from octprobe.plan.point import Conditions

    check_target(output, force=force)
    point = network_point(
        network,
        alpha,
        Conditions(resolution=resolution),
        exchange=exchange,
        downsample=downsample,
        octave_kernels=octave_kernels,
        return_at=return_at,
    )
    asked = _Asked(point, alpha, weights, allow_import)
    with _told_of_memory(asked):
        octave, example = asked.built()
        found = export_network(octave, example, output, force=force)
    typer.echo(f"{asked}: {output}")
    for heading, text in _lines(output, found, weights, octave):
        typer.echo(f"  {heading:<8} {text}")


@dataclass(frozen=True)
class _Asked:
    """The network that is to be written, as a person names it."""

    point: "DesignPoint"
    alpha: str
    weights: str | None
    allow_import: bool

    def __str__(self) -> str:
        variant = variant_label(asdict(self.point.variant))
        named = f"{self.subject.network} alpha {self.alpha} {variant}".rstrip()
        return f"{named}, {self.point.conditions.resolution} px"

    @property
    def subject(self) -> "NetworkSubject":
        """Give the network: the options of a command name no layer."""
        return cast("NetworkSubject", self.point.subject)

    def built(self) -> "tuple[nn.Module, Tensor]":
        """Build what the sweeps measure, and an input for it: what has no octave form runs plain."""
        import torch

        from octprobe.networks import build_network
        from octprobe.octave.example import example_of
        from octprobe.workload import at_alpha

        torch.manual_seed(_SEED)
        vanilla = build_network(self.subject.network, allow_import=self.allow_import, weights=self.weights)
        size = self.point.conditions.resolution
        example = torch.zeros_like(example_of(vanilla, size), device="cpu")
        return at_alpha(vanilla, self.subject, example, self.point.variant), example


@contextmanager
def _told_of_memory(asked: _Asked) -> Iterator[None]:
    """Tell a want of memory in a line with a way out; all else goes its way."""
    try:
        yield
    except Exception as error:  # whatever a lack of memory raises; all else is a fault of ours
        if isinstance(error, OctprobeError) or not wants_memory(error):
            raise
        raise MachineError(f"{asked}: out of memory; ask for less, with a smaller --resolution") from error


def _lines(
    output: Path, found: "Exported", weights: str | None, octave: "nn.Module"
) -> list[tuple[str, str]]:
    from octprobe.octave.network import OctaveNetwork
    from octprobe.units import show_bytes

    kind = "torch.export" if found.opset is None else f"ONNX, opset {found.opset}"
    axes = list(zip(("batch", *_AXES[len(found.input_shape) - 1]), found.input_shape, strict=True))
    dynamic = ", ".join(axis for axis, size in axes if size is None) or "nothing"
    fixed = ", ".join(f"{axis} {size}" for axis, size in axes if size is not None) or "nothing"
    exits = len(octave.conversion.merged) if isinstance(octave, OctaveNetwork) else 0
    lines = [
        ("format", f"{kind}; {show_bytes(found.size_bytes)} ({found.size_bytes:,} bytes), weights inside"),
        ("input", f"image: {dynamic} is dynamic; {fixed} are fixed"),
        ("weights", weights or f"random, of seed {_SEED}; trained ones with --weights FILE or pretrained"),
        ("checked", _checked(output, found.check)),
    ]
    if exits:
        lines.append(("exits", f"{exits} octave exits: what follows has no octave form and runs plain"))
    return lines


def _checked(output: Path, check: "Check | None") -> str:
    if check is None:
        return (
            f"no: onnxruntime is not installed, so the output of {output.name} was not compared; "
            "pip install 'octprobe[onnx]'"
        )
    differences = ", ".join(f"{value:.2g} at batch {batch}" for batch, value in check.differences.items())
    return (
        f"{check.runtime} beside the eager network: max abs difference {differences}, "
        f"of outputs up to {check.largest_output:.3g}"
    )
