"""An exported file opened to be run, by torch or by onnxruntime."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.utils._pytree import keystr, tree_leaves_with_path

from octprobe.export.packages import RUNTIME, imported, installed
from octprobe.export.target import PT2
from octprobe.export.told import told

INPUT_NAME = "image"
# By their place in what a network gives, such as `['logits']`; that of an only one is empty.
Outputs = dict[str, Tensor]


@dataclass(frozen=True)
class Runner:
    """What runs a file.

    Attributes:
        name: such as `onnxruntime 1.32.0`.
        run: gives the outputs of an image batch (B, C, ...), in the network's order.
    """

    name: str
    run: Callable[[Tensor], list[Tensor]]


def open_file(file: Path) -> Runner | None:
    """Open a file of either format; None where nothing installed here runs it.

    Raises:
        ConversionError: onnxruntime cannot load the file.
        MachineError: onnxruntime is installed and broken.
    """
    return _pt2(file) if file.suffix == PT2 else _onnx(file)


def named_outputs(result: object) -> Outputs:
    """Give the tensors of what a network has given, by place."""
    return {keystr(path): leaf for path, leaf in tree_leaves_with_path(result) if isinstance(leaf, Tensor)}


def _pt2(file: Path) -> Runner:
    module = torch.export.load(file).module()
    return Runner(f"torch {torch.__version__}", lambda image: list(named_outputs(module(image)).values()))


def _onnx(file: Path) -> Runner | None:
    if not installed(RUNTIME):
        return None
    onnxruntime = imported(RUNTIME)  # optional, and takes a part of a second
    name = f"{RUNTIME} {onnxruntime.__version__}"
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors; its warnings are of its own speed
    with told(f"nothing is written: {name} cannot load the file"):
        session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])

    def run(image: Tensor) -> list[Tensor]:
        return [torch.from_numpy(output) for output in session.run(None, {INPUT_NAME: image.numpy()})]

    return Runner(name, run)
