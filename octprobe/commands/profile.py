"""`octprobe profile`: where a network's time goes on a device, by layer and octave path."""

import contextlib
import os
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from octprobe.commands.axis_options import (
    DownsampleOption,
    ExchangeOption,
    OctaveKernelsOption,
    ReturnAtOption,
    check_axes,
    network_point,
)
from octprobe.errors import MachineError, OctprobeError, UsageError, wants_memory

if TYPE_CHECKING:
    from octprobe.measure.device import Device
    from octprobe.measure.profile import Profile
    from octprobe.plan.point import DesignPoint

# A person waits for this; a noisy machine's latency then keeps a wider interval, which is shown.
_LATENCY_SECONDS = 10.0
_CHOICES = ("dtype", "memory_format", "execution", "mode")


def profile(
    network: Annotated[
        str,
        typer.Argument(
            help="timm's name, torchvision:NAME, octprobe:NAME or module:function.", show_default=False
        ),
    ],
    *,
    alpha: Annotated[
        str, typer.Option(help="Share of low channels, or pairs such as layer1=0.5,layer2=0.25.")
    ] = "0",
    batch: Annotated[int, typer.Option(min=1, help="Items a call.")] = 1,
    resolution: Annotated[
        int, typer.Option(min=1, max=16384, help="Side of the square image, pixels.")
    ] = 224,
    dtype: Annotated[str, typer.Option(help="float32, tf32, float16 or bfloat16.")] = "float32",
    memory_format: Annotated[str, typer.Option(help="contiguous or channels_last.")] = "contiguous",
    execution: Annotated[str, typer.Option(help="eager, compiled or cudagraph.")] = "eager",
    mode: Annotated[str, typer.Option(help="infer, or train: forward and backward.")] = "infer",
    exchange: ExchangeOption = "both",
    downsample: DownsampleOption = "average",
    octave_kernels: OctaveKernelsOption = "all",
    return_at: ReturnAtOption = "policy",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    calls: Annotated[int, typer.Option(min=1, max=1000, help="Calls under the profiler.")] = 5,
    depth: Annotated[int, typer.Option(min=0, help="Levels of modules shown.")] = 2,
    trace: Annotated[
        Path | None,
        typer.Option(help="Keep the trace here, for Perfetto or chrome://tracing.", show_default=False),
    ] = None,
    allow_import: Annotated[bool, typer.Option(help="Allow module:function, which runs that code.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object with every part; absent is null.")
    ] = False,
) -> None:
    """Show where the time of NETWORK goes at an alpha: by layer, by octave path and by operator."""
    from octprobe.commands.profile_view import as_object, print_profile
    from octprobe.commands.terminal import print_json
    from octprobe.measure.device import open_device
    from octprobe.plan.point import Conditions

    conditions = Conditions(
        batch=batch,
        resolution=resolution,
        dtype=dtype,
        memory_format=memory_format,
        execution=execution,
        mode=mode,
    )
    check_axes({name: getattr(conditions, name) for name in _CHOICES})
    point = network_point(
        network,
        alpha,
        conditions,
        exchange=exchange,
        downsample=downsample,
        octave_kernels=octave_kernels,
        return_at=return_at,
    )
    if trace is not None:
        _check_target(trace)
    found = _profile(point, open_device(device), calls=calls, trace=trace, allow_import=allow_import)
    if as_json:
        print_json(as_object(point, found))
        return
    print_profile(point, found, depth)
    if trace is not None:
        typer.echo(f"Trace: {trace}; open it in https://ui.perfetto.dev or chrome://tracing.")


def _check_target(path: Path) -> None:
    """Refuse a file that could not be written, before any work is done."""
    try:
        fault = _target_fault(path.resolve())
    except (OSError, RuntimeError, ValueError) as error:  # too long a name; links in a ring; a null character
        fault = f"cannot be used ({getattr(error, 'strerror', None) or error}); name another file"
    if fault:
        raise UsageError(f"--trace {path}: {fault}")


def _target_fault(path: Path) -> str | None:
    """Say why nothing can be written to a path without links."""
    folder = path.parent
    if not folder.is_dir():
        return f"there is no folder {folder}; make it first"
    with contextlib.suppress(FileNotFoundError):
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            return f"is a folder; name a file in it, such as {path / 'trace.json'}"
        if not stat.S_ISREG(mode):
            return "is a device or a pipe, which the trace would take the place of; name a regular file"
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        reason = error.strerror or error
        return f"nothing can be written to {folder} ({reason}); name a file in another folder"
    return None


def _profile(
    point: "DesignPoint", device: "Device", *, calls: int, trace: Path | None, allow_import: bool
) -> "Profile":
    from octprobe.measure.ability import unable
    from octprobe.measure.execution import lacks_tf32
    from octprobe.measure.failure import reason_of
    from octprobe.measure.profile import profile_point
    from octprobe.networks import network_fault
    from octprobe.plan.spec import Measure

    network = point.axes()["network"]
    fault = network_fault(network, allow_import=allow_import)
    if fault:
        raise UsageError(fault)
    reason = unable(point.conditions, device.kind) or lacks_tf32(point.conditions, device)
    if reason:
        raise MachineError(reason)
    # Or the profiler's library writes to standard error that it starts, and that there is no GPU.
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")
    settings = Measure(max_seconds=_LATENCY_SECONDS)
    try:
        return profile_point(
            point, device, settings, calls=calls, trace_path=trace, allow_import=allow_import
        )
    except Exception as error:  # whatever the device raises; all else is a fault of ours
        if isinstance(error, OctprobeError) or not wants_memory(error):
            raise
        raise MachineError(
            f"{point.label()}: out of memory ({reason_of(error)}); ask for less, with a smaller --batch or "
            "--resolution"
        ) from error
