"""Networks through torch.export, torch.compile and ONNX: equal output, batch dynamic, each weight once."""

import functools
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from components import need
from octave.nets import Small, with_random_statistics
from octprobe.errors import ConversionError, UsageError
from octprobe.export import Exported, export_network
from octprobe.export.write import packed_program
from octprobe.networks import build_network
from octprobe.octave import octavize

NETWORKS = (
    "resnet18",
    "resnet50",
    "mobilenetv2_100",
    "regnety_002",
)
RESOLUTION = 64
BATCHES = (1, 2, 5)
# After the stem 9 x 12, whose low part is 5 x 6, and after the last convolution 5 x 6 of 3 x 3.
ODD = (17, 23)


@functools.cache
def octave_network(name: str) -> nn.Module:
    """Build a network at alpha 0.5 once, with random statistics."""
    torch.manual_seed(0)
    vanilla = with_random_statistics(build_network(name))
    return octavize(vanilla, 0.5, torch.zeros(1, 3, RESOLUTION, RESOLUTION)).eval()


@functools.cache
def small_octave() -> nn.Module:
    """Build a residual network whose sizes are odd, down to its low parts."""
    torch.manual_seed(0)
    vanilla = with_random_statistics(Small()).eval()
    return octavize(vanilla, {"block*": 0.5, "*.conv1": 0.25}, torch.zeros(1, 3, *ODD))


def assert_same_outputs(
    found: Any, network: nn.Module, size: tuple[int, int], tolerance: float, batches: Iterable[int] = BATCHES
) -> None:
    """Compare two callables at each batch, relative to the largest output."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for batch in batches:
            image = torch.randn(batch, 3, *size, generator=generator)
            expected = network(image)
            assert expected.shape[0] == batch
            bound = tolerance * float(expected.abs().max())
            torch.testing.assert_close(found(image), expected, rtol=0, atol=bound)


def onnx_runner(file: Path) -> Any:
    """Open an ONNX file."""
    session = pytest.importorskip("onnxruntime").InferenceSession(str(file))
    return lambda image: torch.from_numpy(session.run(None, {"image": image.numpy()})[0])


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_torch_export_gives_the_networks_output(name: str, tmp_path: Path) -> None:
    """Written at one batch and read back, it answers as the network does at others."""
    example = torch.zeros(1, 3, RESOLUTION, RESOLUTION)
    done = export_network(octave_network(name), example, tmp_path / "model.pt2")
    assert (done.opset, done.input_shape) == (None, (None, 3, RESOLUTION, RESOLUTION))
    loaded = torch.export.load(tmp_path / "model.pt2").module()
    assert_same_outputs(loaded, octave_network(name), (RESOLUTION, RESOLUTION), 1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_onnx_gives_the_networks_output(name: str, tmp_path: Path) -> None:
    """onnxruntime answers as the network does, at batches that the file was not made with."""
    need("onnx")
    example = torch.zeros(1, 3, RESOLUTION, RESOLUTION)
    done = export_network(octave_network(name), example, tmp_path / "model.onnx")
    assert done.opset is not None
    assert done.input_shape == (None, 3, RESOLUTION, RESOLUTION)
    run = onnx_runner(tmp_path / "model.onnx")
    assert_same_outputs(run, octave_network(name), (RESOLUTION, RESOLUTION), 1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_dynamo_takes_the_network_as_one_graph(name: str) -> None:
    """No graph break; tracing ahead of time, without code generation, gives the same numbers."""
    torch.compiler.reset()
    compiled = torch.compile(octave_network(name), fullgraph=True, backend="aot_eager")
    assert_same_outputs(compiled, octave_network(name), (RESOLUTION, RESOLUTION), 1e-5, batches=(2,))


@pytest.mark.slow
def test_inductor_takes_a_network_of_odd_sizes() -> None:
    """Generated code gives the same numbers."""
    need("compiler")
    torch.compiler.reset()
    compiled = torch.compile(small_octave(), fullgraph=True)
    assert_same_outputs(compiled, small_octave(), ODD, 1e-5, batches=(2,))


@pytest.fixture(scope="module", params=[".pt2", ".onnx"])
def written(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Exported]:
    """The network of odd sizes in either format, in a folder of its own."""
    need("onnx")
    file = tmp_path_factory.mktemp("written") / f"model{request.param}"
    return file, export_network(small_octave(), torch.zeros(7, 3, *ODD), file)


def test_odd_sizes_and_every_batch(written: tuple[Path, Exported]) -> None:
    """Poolings in ceil mode and up-sampling to odd sizes are the same in either format."""
    need("onnx")
    file, done = written
    assert done.size_bytes == file.stat().st_size
    assert done.check is not None
    assert set(done.check.differences) == {1, 3}
    onnx = file.suffix == ".onnx"
    run = onnx_runner(file) if onnx else torch.export.load(file).module()
    assert_same_outputs(run, small_octave(), ODD, 1e-4 if onnx else 1e-5)


def test_a_file_is_alone_and_names_no_path_of_this_machine(written: tuple[Path, Exported]) -> None:
    """Where the code lay that built the network is nobody's business."""
    file, _ = written
    assert list(file.parent.iterdir()) == [file]
    content = file.read_bytes()
    assert b"octprobe/octave/" not in content
    assert str(file.parent).encode() not in content


def test_the_program_holds_each_weight_once_and_computes_nothing_of_weights() -> None:
    """As many numbers as there are parameters and running statistics; the network itself stays as it was."""
    before = {name: value.clone() for name, value in small_octave().state_dict().items()}
    program = packed_program(small_octave(), torch.zeros(1, 3, *ODD))
    kept = [value for name, value in Small().state_dict().items() if not name.endswith("num_batches_tracked")]
    held = sum(value.numel() for value in program.state_dict.values())
    assert (held, program.constants) == (sum(value.numel() for value in kept), {})
    computed = set(program.graph_signature.user_inputs)
    for node in program.graph.nodes:
        if node.op == "call_function":
            assert node.target.namespace == "aten"
            assert any(source.name in computed for source in node.all_input_nodes), node
            computed.add(node.name)
    after = small_octave().state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(after[name], value) for name, value in before.items())


def test_an_onnx_file_holds_each_weight_once_and_slices_none(written: tuple[Path, Exported]) -> None:
    """Weights feed convolutions, norms and the classifier; all else reads sizes and axes of a few numbers."""
    need("onnx")
    onnx = import_module("onnx")
    if written[0].suffix != ".onnx":
        return
    graph = onnx.load(written[0]).graph
    sizes = {each.name: onnx.numpy_helper.to_array(each).size for each in graph.initializer}
    weighty = {name for name, size in sizes.items() if size > 4}
    readers = {node.op_type for node in graph.node if weighty & set(node.input)}
    assert readers == {"Conv", "BatchNormalization", "Gemm"}
    # Norms that follow a convolution are a part of it.
    assert sum(sizes.values()) <= sum(value.numel() for value in Small().state_dict().values())
    names = [axis.dim_param or axis.dim_value for axis in graph.input[0].type.tensor_type.shape.dim]
    assert (graph.input[0].name, names) == ("image", ["batch", 3, *ODD])


def test_a_vanilla_network_is_exported_as_well(tmp_path: Path) -> None:
    """Alpha 0 is a network like others."""
    vanilla = Small().eval()
    done = export_network(vanilla, torch.zeros(1, 3, 16, 16), tmp_path / "model.pt2")
    assert done.check is not None
    assert done.check.differences == {1: 0.0, 3: 0.0}


class Head(nn.Module):
    """A convolution and something that an exporter cannot take."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.conv, self.kind = nn.Conv2d(3, 4, 3), kind

    def forward(self, x: Tensor) -> Tensor:
        """Give what the kind says."""
        y = self.conv(x).mean((2, 3))
        if self.kind == "pairs":
            return y.reshape(2, -1)
        if self.kind == "branch":
            return y if y.sum() > 0 else -y
        if self.kind == "random":
            return nn.functional.dropout(y, 0.5, training=True)
        return torch.linalg.svdvals(y)


@pytest.mark.parametrize(
    ("kind", "suffix", "words"),
    [
        ("pairs", ".pt2", "torch.export cannot take the network with a batch of any size: UserError: "),
        ("branch", ".pt2", "torch.export cannot take the network with a batch of any size: Guard"),
        (
            "svd",
            ".onnx",
            "model.onnx: ONNX cannot take the network: DispatchError: No ONNX function found for ",
        ),
        ("random", ".pt2", "nothing is written: in torch "),
    ],
)
def test_what_cannot_be_exported_is_told_in_a_line(
    kind: str, suffix: str, words: str, tmp_path: Path
) -> None:
    """The first cause, and no file."""
    need("onnx")
    with pytest.raises(ConversionError) as caught:
        export_network(Head(kind).eval(), torch.zeros(1, 3, 8, 8), tmp_path / f"model{suffix}")
    assert str(caught.value).startswith(words)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_weights_that_one_onnx_file_cannot_hold_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No second file appears beside it; the other format is named."""
    need("onnx")
    monkeypatch.setattr("octprobe.export.write._MOST_ONNX_BYTES", 100)
    with pytest.raises(ConversionError, match=r"at most 100 bytes of weights, .* name a \.pt2 file$"):
        export_network(small_octave(), torch.zeros(1, 3, *ODD), tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []


def test_a_want_of_memory_stays_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is no fault of the network's."""

    def hungry(*_: object, **__: object) -> None:
        raise MemoryError("cannot allocate memory")

    monkeypatch.setattr("torch.export.export", hungry)
    with pytest.raises(MemoryError):
        export_network(small_octave(), torch.zeros(1, 3, *ODD), tmp_path / "model.pt2")


def test_a_file_that_is_there_is_replaced_only_by_force(tmp_path: Path) -> None:
    """And stays where the new one cannot be made."""
    file = tmp_path / "model.pt2"
    file.write_text("mine")
    with pytest.raises(UsageError, match="exists"):
        export_network(small_octave(), torch.zeros(1, 3, *ODD), file)
    with pytest.raises(ConversionError):
        export_network(Head("pairs").eval(), torch.zeros(1, 3, 8, 8), file, force=True)
    assert file.read_text() == "mine"
    export_network(small_octave(), torch.zeros(1, 3, *ODD), file, force=True)
    assert file.stat().st_size > 1000


def test_a_network_in_training_mode_is_refused(tmp_path: Path) -> None:
    """Its norms would read the batch, and its file answer otherwise for every batch."""
    with pytest.raises(ConversionError, match="in training mode; call eval"):
        export_network(Small().train(), torch.zeros(1, 3, *ODD), tmp_path / "model.pt2")
    assert not list(tmp_path.iterdir())
