"""A checkpoint fits as a whole, or what does not is named; an octave network is no exception."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from octprobe.errors import UsageError
from octprobe.networks import build_network
from octprobe.octave import octavize
from octprobe.weights import load_weights
from octprobe.weights.fit import mismatch

WAY_OUT = "; a checkpoint of the vanilla network is needed, with its classes and input channels"
BUILD = (
    "; build the network with the file's classes and input channels in a function of yours, as with "
    "timm.create_model(NAME, num_classes=N, in_chans=C), and name it as package.module:function"
)


def fresh() -> nn.Module:
    """Build a convolution, its norm and a classifier."""
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 2))


def small() -> nn.Module:
    """Build the same, each value another."""
    network = fresh()
    with torch.no_grad():
        for number, tensor in enumerate(network.state_dict().values()):
            tensor.copy_(torch.arange(tensor.numel()).reshape(tensor.shape) + 100 * number)
    return network


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    """Tell whether two state dicts agree in names, order and every value."""
    return list(one) == list(other) and all(torch.equal(one[key], other[key]) for key in one)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where a test's checkpoint goes."""
    return tmp_path / "model.pth"


def refusal(state: dict[str, Tensor], file: Path, way_out: str = WAY_OUT) -> str:
    """Give what is said of a state dict that does not fit the small network, which stays as it was."""
    torch.save(state, file)
    network = small()
    with pytest.raises(UsageError) as caught:
        load_weights(network, str(file), "small")
    assert same(network.state_dict(), small().state_dict())
    message = str(caught.value)
    start = f"weights {str(file)!r} do not fit network 'small': "
    assert message.startswith(start)
    assert message.endswith(way_out)
    assert "\n" not in message
    return message.removeprefix(start).removesuffix(way_out)


@pytest.mark.parametrize("prefix", ["", "module.", "model."])
def test_every_value_arrives(prefix: str, file: Path) -> None:
    """Parameters and running statistics alike."""
    state = small().state_dict()
    torch.save({"state_dict": {f"{prefix}{key}": value for key, value in state.items()}}, file)
    network = fresh()
    assert not same(network.state_dict(), state)
    load_weights(network, str(file), "small")
    assert same(network.state_dict(), state)


def test_checkpoints_from_before_batches_were_counted_fit(file: Path) -> None:
    """As they do with torch's own loader."""
    state = dict(small().state_dict())
    del state["1.num_batches_tracked"]
    torch.save(state, file)
    network = fresh()
    load_weights(network, str(file), "small")
    assert same(network.state_dict(), small().state_dict() | {"1.num_batches_tracked": torch.tensor(0)})


def test_missing_keys_are_counted_and_named(file: Path) -> None:
    """One, or the first three of many; what torch fills by itself is not among them."""
    state = dict(small().state_dict())
    del state["3.bias"]
    assert refusal(state, file) == "1 key missing (3.bias)"
    del state["1.num_batches_tracked"], state["1.weight"], state["1.bias"], state["0.bias"]
    assert refusal(state, file) == "4 keys missing (0.bias; 1.weight; 1.bias; ...)"


def test_unexpected_keys_and_other_shapes_are_named(file: Path) -> None:
    """All three kinds in one line, with both shapes."""
    state = dict(small().state_dict()) | {"3.weight": torch.zeros(10, 4), "4.weight": torch.zeros(1)}
    del state["0.bias"]
    assert refusal(state, file) == (
        "1 key missing (0.bias), 1 key unexpected (4.weight), "
        "1 key of another shape (3.weight: (10, 4) in the file, (2, 4) in the network)"
    )


def test_a_head_of_other_classes_is_named_with_the_way_out(file: Path) -> None:
    """The keys that differ, and how to build the network that the file is of."""
    state = dict(small().state_dict()) | {"3.weight": torch.zeros(10, 4), "3.bias": torch.zeros(10)}
    del state["1.num_batches_tracked"]
    assert refusal(state, file, BUILD) == (
        "2 keys of another shape (3.weight: (10, 4) in the file, (2, 4) in the network; "
        "3.bias: (10,) in the file, (2,) in the network)"
    )


def test_what_torch_cannot_copy_is_told_by_name(file: Path) -> None:
    """Tensors without values fit by name and shape; torch's own line says which."""
    state = dict(small().state_dict())
    torch.save(state | {"3.bias": state["3.bias"].to("meta")}, file)
    with pytest.raises(UsageError, match=r"small': .*\"3\.bias\".*meta tensor.*" + WAY_OUT):
        load_weights(small(), str(file), "small")


def test_what_fits_is_no_mismatch() -> None:
    """The line is empty then."""
    assert mismatch(small().state_dict(), small().state_dict()) == ""


def test_half_precision_is_taken_into_the_networks_own(file: Path) -> None:
    """Checkpoints are often kept in float16; the network's number format stays."""
    torch.save(small().half().state_dict(), file)
    network = fresh()
    load_weights(network, str(file), "small")
    assert {tensor.dtype for tensor in network.parameters()} == {torch.float32}
    assert torch.equal(network[0].weight, small()[0].weight)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Tensor]]:
    """A checkpoint of resnet18 whose every value differs from a fresh network's."""
    file = tmp_path_factory.mktemp("weights") / "resnet18.pth"
    torch.manual_seed(3)
    state = build_network("resnet18").state_dict()
    for tensor in state.values():
        tensor.add_(torch.rand(tensor.shape) / 100 if tensor.is_floating_point() else 5)
    torch.save({"model": state, "epoch": 9}, file)
    return file, state


@pytest.mark.parametrize("alpha", [0, 0.25, 0.5])
def test_an_octave_network_keeps_its_checkpoint(
    alpha: float, trained: tuple[Path, dict[str, Tensor]]
) -> None:
    """Key by key and value by value, in the vanilla network's order."""
    file, state = trained
    vanilla = build_network("resnet18", weights=str(file))
    assert same(vanilla.state_dict(), state)
    assert same(octavize(vanilla, alpha).state_dict(), state)


@pytest.mark.parametrize("alpha", [0.25, 0.5])
def test_checkpoints_go_both_ways(alpha: float, trained: tuple[Path, dict[str, Tensor]], file: Path) -> None:
    """The vanilla's straight into an octave network, and an octave network's into the vanilla one."""
    source, state = trained
    octave = octavize(build_network("resnet18"), alpha)
    load_weights(octave, str(source), "octave resnet18")
    assert same(octave.state_dict(), state)
    image = torch.randn(1, 3, 64, 64)
    expected = octavize(build_network("resnet18", weights=str(source)), alpha).eval()(image)
    assert expected.isfinite().all()
    assert torch.equal(octave.eval()(image), expected)
    torch.save(octave.state_dict(), file)
    assert same(build_network("resnet18", weights=str(file)).state_dict(), state)
