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


@pytest.mark.parametrize("factor", [2.01, -2.0])
def test_another_networks_output_is_refused(file: Path, factor: float) -> None:
    """Half a percent, and a sign."""
    with pytest.raises(ConversionError) as caught:
        check_file(file, Scaled(factor), EXAMPLE)
    assert str(caught.value).startswith("nothing is written: in ")
    assert str(caught.value).endswith("; try the other format")


def test_outputs_of_another_shape_are_refused(file: Path) -> None:
    """Broadcasting would hide them."""

    class Kept(Scaled):
        def forward(self, x: Tensor) -> dict[str, Tensor]:
            return {name: output[..., None] for name, output in super().forward(x).items()}

    with pytest.raises(ConversionError) as caught:
        check_file(file, Kept(2.0), EXAMPLE)
    assert str(caught.value).endswith(
        "the file's outputs are of shape [(1, 3, 4, 4), (1,)], the eager network's of "
        "[(1, 3, 4, 4, 1), (1, 1)]; try the other format"
    )


@pytest.mark.parametrize("factor", [float("nan"), float("inf")])
def test_a_network_of_broken_weights_is_told_so(file: Path, factor: float) -> None:
    """Which output, and which weights; the file is not what is wrong."""
    with pytest.raises(ConversionError) as caught:
        check_file(file, Scaled(factor), EXAMPLE)
    assert str(caught.value) == (
        "nothing is written: the network itself gives NaN or infinity in output['image']; "
        "1 of its weights hold NaN or infinity (factor); give a checkpoint that is sound"
    )


def test_many_broken_weights_are_counted_and_the_first_named(file: Path) -> None:
    """Statistics of norms are among them."""
    norm = nn.BatchNorm2d(3).eval()
    for tensor in norm.state_dict().values():
        if tensor.is_floating_point():
            tensor.fill_(float("nan"))
    with pytest.raises(ConversionError, match=r"in output; 4 of its .* \(weight, bias, running_mean, ...\)"):
        check_file(file, norm, EXAMPLE)


def test_finite_weights_that_give_infinity_are_told_so(file: Path) -> None:
    """As where a network divides by nothing, or a number format is outgrown."""

    class Divided(Scaled):
        def forward(self, x: Tensor) -> dict[str, Tensor]:
            return {"image": x, "sum": x.sum((1, 2, 3)) / 0}

    with pytest.raises(ConversionError) as caught:
        check_file(file, Divided(2.0), EXAMPLE)
    assert str(caught.value).endswith(
        "in output['sum']; its weights are finite, but what it computes is not; "
        "give trained weights, or float32"
    )


def test_a_file_that_gives_nan_where_the_network_does_not_is_refused(tmp_path: Path) -> None:
    """It is the file's fault then."""

    class Mended(Scaled):
        def forward(self, x: Tensor) -> dict[str, Tensor]:
            return {name: output.nan_to_num() for name, output in super().forward(x).items()}

    program = torch.export.export(Scaled(float("nan")), (EXAMPLE,))
    torch.export.save(program, tmp_path / "model.pt2")
    with pytest.raises(
        ConversionError, match=r"the file gives NaN or infinity in output\['image'\], the eager"
    ):
        check_file(tmp_path / "model.pt2", Mended(float("nan")), EXAMPLE)


def test_outputs_that_are_no_fractions_are_compared_as_well(tmp_path: Path) -> None:
    """Whole numbers and truths."""

    class Judged(Scaled):
        def forward(self, x: Tensor) -> dict[str, Tensor]:
            return {"which": x.flatten(1).argmax(1), "above": x > 0}

    done = export_network(Judged(2.0), EXAMPLE, tmp_path / "model.pt2")
    assert done.check is not None
    assert done.check.differences == {1: 0.0, 3: 0.0}


def test_without_onnxruntime_nothing_is_claimed(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only ONNX needs it."""
    monkeypatch.setattr("octprobe.export.runner.installed", lambda _: False)
    assert (check_file(file, Scaled(2.0), EXAMPLE) is None) == (file.suffix == ".onnx")
