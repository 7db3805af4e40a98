"""An exported file opened: who runs it, what it gives, and what cannot be opened."""

from pathlib import Path

import pytest
import torch
from torch import nn

from components import need
from octprobe.errors import ConversionError, MachineError
from octprobe.export import export_network
from octprobe.export.runner import named_outputs, open_file


@pytest.fixture(scope="module", params=[".pt2", ".onnx"])
def file(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of either format that takes what is below nought away."""
    need("onnx")
    target = tmp_path_factory.mktemp("files") / f"model{request.param}"
    assert export_network(nn.ReLU().eval(), torch.zeros(1, 3, 4, 4), target).check is not None
    return target


def test_a_file_of_either_format_is_run(file: Path) -> None:
    """Who runs it is told with the version."""
    runner = open_file(file)
    assert runner is not None
    assert runner.name.split()[0] == {".pt2": "torch", ".onnx": "onnxruntime"}[file.suffix]
    image = torch.arange(-48.0, 48.0).reshape(2, 3, 4, 4)
    (output,) = runner.run(image)
    assert torch.equal(output, image.clamp(min=0))


def test_outputs_are_named_by_their_place() -> None:
    """What is no tensor is no output."""
    one, two = torch.zeros(1), torch.ones(1)
    assert named_outputs(one) == {"": one}
    assert named_outputs({"logits": one, "parts": [two, None, 3]}) == {"['logits']": one, "['parts'][0]": two}


def test_a_broken_onnxruntime_is_told(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An ONNX file alone needs it."""

    def broken(package: str) -> None:
        raise MachineError(f"{package} is broken")

    monkeypatch.setattr("octprobe.export.runner.imported", broken)
    if file.suffix == ".onnx":
        with pytest.raises(MachineError, match="onnxruntime is broken"):
            open_file(file)
    else:
        assert open_file(file) is not None


def test_what_onnxruntime_cannot_load_is_one_line(tmp_path: Path) -> None:
    """Its own reason is in it."""
    need("onnx")
    (tmp_path / "model.onnx").write_text("no model")
    with pytest.raises(
        ConversionError, match=r"^nothing is written: onnxruntime \S+ cannot load the file: .*$"
    ):
        open_file(tmp_path / "model.onnx")
