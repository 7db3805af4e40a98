"""A file beside the network: what differs is refused."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from components import need
from octprobe.errors import ConversionError
from octprobe.export import export_network
from octprobe.export.check import check_file

EXAMPLE = torch.zeros(1, 3, 4, 4)


class Scaled(nn.Module):
    """Give an image times a factor, and its sum."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(factor), requires_grad=False)
        self.eval()

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Give two outputs."""
        return {"image": x * self.factor, "sum": x.sum((1, 2, 3))}


@pytest.fixture(scope="module", params=[".pt2", ".onnx"])
def file(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of either format with two outputs."""
    need("onnx")
    target = tmp_path_factory.mktemp("files") / f"model{request.param}"
    assert export_network(Scaled(2.0), EXAMPLE, target).check is not None
    return target


def test_what_was_found_is_told(file: Path) -> None:
    """Who ran it, the difference of every batch, and the size of the outputs."""
    check = check_file(file, Scaled(2.0), EXAMPLE)
    assert check is not None
    assert check.runtime.split()[0] == {".pt2": "torch", ".onnx": "onnxruntime"}[file.suffix]
    assert list(check.differences) == [1, 3]
    assert max(check.differences.values()) <= 1e-5
    assert check.largest_output > 2.0


@pytest.mark.parametrize("factor", [2.01, -2.0, float("nan"), float("inf")])
def test_another_networks_output_is_refused(file: Path, factor: float) -> None:
    """Half a percent, a sign, and what is not a number."""
    with pytest.raises(ConversionError) as caught:
        check_file(file, Scaled(factor), EXAMPLE)
    assert str(caught.value).startswith("nothing is written: in ")
    assert str(caught.value).endswith("; try the other format")


def test_outputs_of_another_shape_are_refused(file: Path) -> None:
    """Broadcasting would hide them."""

    class Kept(Scaled):
        def forward(self, x: Tensor) -> dict[str, Tensor]:
            return {name: output[..., None] for name, output in super().forward(x).items()}

    with pytest.raises(ConversionError, match="by inf"):
        check_file(file, Kept(2.0), EXAMPLE)


def test_without_onnxruntime_nothing_is_claimed(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only ONNX needs it."""
    monkeypatch.setattr("octprobe.export.check.installed", lambda _: False)
    assert (check_file(file, Scaled(2.0), EXAMPLE) is None) == (file.suffix == ".onnx")
