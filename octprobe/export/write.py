"""A network to a program of packed weights, and the program to a file of either format."""

import io
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from octprobe.errors import ConversionError
from octprobe.export.check import Check, check_file
from octprobe.export.fold import fold_weights
from octprobe.export.runner import INPUT_NAME
from octprobe.export.target import ONNX, PT2, appearing, check_target
from octprobe.export.told import told

# torch.export takes a batch of 1 for a constant.
_TRACED_BATCH = 2
_DYNAMIC = ({0: Dim("batch")},)
# One ONNX file is one protobuf message, which ends at 2 GiB; the graph takes a part of that.
_MOST_ONNX_BYTES = 2**31 - 2**26
# What onnxruntime's convolutions do not take on the processor, where a file is checked.
_NOT_RUN = (torch.bfloat16, torch.float64)


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        size_bytes: of the file.
        opset: of its ONNX operators; None for torch.export.
        input_shape: of its images (B, C, ...); None is an axis of any size.
        check: None where nothing installed here runs the file.
    """

    size_bytes: int
    opset: int | None
    input_shape: tuple[int | None, ...]
    check: Check | None


def export_network(
    network: nn.Module, example: Tensor, target: Path | str, *, force: bool = False
) -> Exported:
    """Write a network as a file whose batch is dynamic; all other sizes are the example's.

    The file appears whole, once its outputs at other batches have been found to be the network's own, or not
    at all. It holds every weight once, cut to the kernels of the octave paths.

    Args:
        network: takes one image batch; vanilla or octave, in eval mode.
        example: (B, C, ...), of which the shape but for the batch and the dtype matter.
        target: ends with `.pt2` for torch.export, with `.onnx` for ONNX.
        force: whether a file that is there may be replaced.

    Raises:
        UsageError: the file cannot be written there.
        ConversionError: the network cannot be exported, or the file answers otherwise than the network.
        MachineError: the packages that write ONNX are not installed, or what is installed is broken.
    """
    place = Path(target)
    check_target(place, force=force)
    fault = _fault(network, example, place)
    if fault:
        raise ConversionError(fault)
    with torch.no_grad():
        program = packed_program(network, example)
        with appearing(place) as file:
            opset = _write(program, file)
            check = check_file(file, network, example)
            size_bytes = file.stat().st_size
    return Exported(size_bytes, opset, _input_shape(program), check)


def packed_program(network: nn.Module, example: Tensor) -> ExportedProgram:
    """Give the program of a network, which holds each weight once and computes nothing of weights alone.

    Args:
        network: as for `export_network`.
        example: as for `export_network`.

    Raises:
        ConversionError: torch.export cannot take the network.
    """
    image = example.new_zeros((_TRACED_BATCH, *example.shape[1:]))
    with told("torch.export cannot take the network with a batch of any size"):
        module = torch.export.export(network, (image,), dynamic_shapes=_DYNAMIC).module(check_guards=False)
        fold_weights(module)
        program = torch.export.export(module, (image,), dynamic_shapes=_DYNAMIC)
    for node in program.graph.nodes:
        # It names files of this machine, which mean nothing where the program goes.
        node.meta.pop("stack_trace", None)
    return program


def _fault(network: nn.Module, example: Tensor, target: Path) -> str | None:
    """Say why no export is worth a try."""
    if network.training:
        return "the network is in training mode; call eval() on it before the export"
    dtypes = {tensor.dtype for tensor in network.parameters() if tensor.is_floating_point()}
    if dtypes and example.dtype not in dtypes:
        held = " and ".join(sorted(map(str, dtypes)))
        return f"the network is {held} and the example {example.dtype}; give both in one number format"
    if target.suffix == ONNX and example.dtype in _NOT_RUN:
        return (
            f"{target}: onnxruntime has no convolution of {example.dtype} on the processor; "
            f"export in float32 or float16, or name a {PT2} file"
        )
    return None


def _write(program: ExportedProgram, file: Path) -> int | None:
    if file.suffix != PT2:
        return _write_onnx(program, file)
    # By way of memory: where a disk is full, torch's own writer takes the whole process with it.
    content = io.BytesIO()
    with told(f"{file.name}: torch.export cannot save the network"):
        torch.export.save(program, content)
    file.write_bytes(content.getbuffer())
    return None


def _write_onnx(program: ExportedProgram, file: Path) -> int:
    """Write one ONNX file, with its weights inside; give the opset."""
    weights_bytes = sum(tensor.nbytes for tensor in program.state_dict.values())
    if weights_bytes > _MOST_ONNX_BYTES:
        raise ConversionError(
            f"{file.name}: an ONNX file holds at most {_MOST_ONNX_BYTES} bytes of weights, "
            f"the network has {weights_bytes}; name a {PT2} file"
        )
    with told(f"{file.name}: ONNX cannot take the network"):
        model = torch.onnx.export(
            program, dynamo=True, verbose=False, input_names=[INPUT_NAME], dynamic_shapes=_DYNAMIC
        )
        if model is None:
            raise ConversionError("torch.onnx gave no model")
        model.save(file, external_data=False)
    return int(model.model.opset_imports[""])


def _input_shape(program: ExportedProgram) -> tuple[int | None, ...]:
    (name,) = program.graph_signature.user_inputs
    (image,) = (node for node in program.graph.nodes if node.name == name)
    return tuple(size if isinstance(size, int) else None for size in image.meta["val"].shape)
