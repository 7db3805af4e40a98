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
from export.nets import SIDE, octave_blocks
from octave.nets import Small, with_random_statistics
from octprobe.errors import ConversionError, UsageError
from octprobe.export import Exported, export_network
from octprobe.export.write import packed_program
from octprobe.networks import build_network
from octprobe.octave import octavize

BATCHES = (1, 2, 5)
# After the stem 9 x 12, whose low part is 5 x 6, and after the last convolution 5 x 6 of 3 x 3.
ODD = (17, 23)


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
def test_files_of_either_format_give_the_networks_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The blocks of three families, traced once: read back, they answer as the network does at any batch."""
    need("onnx")
    program = packed_program(octave_blocks(), torch.zeros(1, 3, SIDE, SIDE))
    monkeypatch.setattr("octprobe.export.write.packed_program", lambda *_: program)
    for suffix in (".pt2", ".onnx"):
        assert_file_answers(octave_blocks(), SIDE, tmp_path / f"model{suffix}")


@pytest.mark.slow
def test_resnet50_as_onnx_gives_the_networks_output(tmp_path: Path) -> None:
    """A whole network, as deep as those that are exported."""
    need("onnx")
    torch.manual_seed(0)
    vanilla = with_random_statistics(build_network("resnet50"))
    octave = octavize(vanilla, 0.5, torch.zeros(1, 3, 64, 64)).eval()
    assert_file_answers(octave, 64, tmp_path / "model.onnx")


def assert_file_answers(network: nn.Module, side: int, file: Path) -> None:
    """Export a network and compare what the file answers."""
    done = export_network(network, torch.zeros(1, 3, side, side), file)
    onnx = file.suffix == ".onnx"
    assert (done.opset is not None) == onnx
    assert done.input_shape == (None, 3, side, side)
    run = onnx_runner(file) if onnx else torch.export.load(file).module()
    assert_same_outputs(run, network, (side, side), 1e-4 if onnx else 1e-5)


@pytest.mark.slow
def test_dynamo_takes_a_network_as_one_graph() -> None:
    """No graph break; tracing ahead of time, without code generation, gives the same numbers."""
    torch.compiler.reset()
    compiled = torch.compile(octave_blocks(), fullgraph=True, backend="aot_eager")
    assert_same_outputs(compiled, octave_blocks(), (SIDE, SIDE), 1e-5, batches=(2,))


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
        export_network(Small().eval(), torch.zeros(1, 3, *ODD), tmp_path / "model.onnx")
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
        export_network(Small().eval(), torch.zeros(1, 3, *ODD), file)
    with pytest.raises(ConversionError):
        export_network(Head("pairs").eval(), torch.zeros(1, 3, 8, 8), file, force=True)
    assert file.read_text() == "mine"
    export_network(Small().eval(), torch.zeros(1, 3, *ODD), file, force=True)
    assert file.stat().st_size > 1000


def test_the_readmes_python_runs(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As it stands there, with a small network in the place of a large one."""
    monkeypatch.chdir(tmp_path)
    small = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1), nn.MaxPool2d(2)
    ).eval()
    monkeypatch.setattr("octprobe.networks.build_network", lambda _: small)
    _, section = (repository / "README.md").read_text().split("\n### Export\n")
    code = section.split("```python\n")[1].split("```")[0]
    exec(code, {})  # noqa: S102 - our own document
    size_bytes = (tmp_path / "model.pt2").stat().st_size
    assert capsys.readouterr().out.startswith(f"{size_bytes} {{1: ")


def test_a_network_in_training_mode_is_refused(tmp_path: Path) -> None:
    """Its norms would read the batch, and its file answer otherwise for every batch."""
    with pytest.raises(ConversionError, match="in training mode; call eval"):
        export_network(Small().train(), torch.zeros(1, 3, *ODD), tmp_path / "model.pt2")
    assert not list(tmp_path.iterdir())


def half_network(dtype: torch.dtype) -> nn.Module:
    """Give an octave network of two convolutions in another number format."""
    torch.manual_seed(0)
    vanilla = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 4, 3, padding=1)).eval()
    return octavize(vanilla, {"0": 0.5}, torch.zeros(1, 3, *ODD)).to(dtype)


@pytest.mark.parametrize(
    ("dtype", "suffix"), [(torch.float16, ".pt2"), (torch.float16, ".onnx"), (torch.bfloat16, ".pt2")]
)
def test_half_precision_is_kept(dtype: torch.dtype, suffix: str, tmp_path: Path) -> None:
    """Rounding is that of the format, weights are half as many bytes; a target may be a string."""
    need("onnx")
    image = torch.zeros(1, 3, *ODD, dtype=dtype)
    done = export_network(half_network(dtype), image, str(tmp_path / f"model{suffix}"))
    assert done.check is not None
    assert max(done.check.differences.values()) <= 0.01 * done.check.largest_output
    assert done.size_bytes == (tmp_path / f"model{suffix}").stat().st_size


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_formats_that_onnxruntime_does_not_take_are_refused_at_once(
    dtype: torch.dtype, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With those that it takes, before the network is traced."""
    need("onnx")
    monkeypatch.setattr("torch.export.export", lambda *_, **__: pytest.fail("the network was traced"))
    with pytest.raises(ConversionError) as caught:
        export_network(half_network(dtype), torch.zeros(1, 3, *ODD, dtype=dtype), tmp_path / "model.onnx")
    assert str(caught.value) == (
        f"{tmp_path / 'model.onnx'}: onnxruntime has no convolution of {dtype} on the processor; "
        "export in float32 or float16, or name a .pt2 file"
    )


def test_a_network_and_an_example_of_two_formats_are_refused(tmp_path: Path) -> None:
    """Torch would say so from within some layer."""
    with pytest.raises(ConversionError) as caught:
        export_network(half_network(torch.float16), torch.zeros(1, 3, *ODD), tmp_path / "model.pt2")
    assert str(caught.value) == (
        "the network is torch.float16 and the example torch.float32; give both in one number format"
    )
