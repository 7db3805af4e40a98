"""Names to networks, and what a wrong name is told."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import nn

from octprobe.errors import UsageError
from octprobe.networks import build_network, is_registered, network_fault, without_values

FACTORIES = """
import torch
NUMBER = 3
def tiny():
    return torch.nn.Conv2d(1, 1, 1)
def raises():
    raise RuntimeError("no weights\\nhere")
def leaves():
    raise SystemExit(3)
def number():
    return 3
def wants(argument):
    return argument
"""


@pytest.fixture
def factories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A module of factories in the working folder, as a user's own would be."""
    (tmp_path / "their_factories.py").write_text(FACTORIES, encoding="utf-8")
    (tmp_path / "their_broken.py").write_text("import a_module_that_is_not_there\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield
    for name in ("their_factories", "their_broken"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize("name", ["resnet18", "torchvision:resnet18"])
def test_the_same_seed_gives_the_same_network_in_eval(name: str) -> None:
    """Random weights of the usual size, from torch's own random state."""
    networks = []
    for _ in range(2):
        torch.manual_seed(7)
        networks.append(build_network(name))
    assert not any(module.training for module in networks[0].modules())
    assert sum(p.numel() for p in networks[0].parameters()) == 11_689_512
    assert all(torch.equal(a, b) for a, b in zip(*(n.parameters() for n in networks), strict=True))
    assert network_fault(name) is None


@pytest.mark.parametrize(
    ("name", "registered"),
    [
        ("resnet18", True),
        ("torchvision:resnet18", True),
        ("my.module:net", False),
        ("torchvision.x:y", False),
    ],
)
def test_only_registered_networks_are_built_without_values(name: str, registered: bool) -> None:
    """A person's own factory may look at its weights, and may change between two calls."""
    assert is_registered(name) is registered
    with without_values(name):
        assert torch.empty(1).is_meta is registered


def test_looking_at_names_loads_no_torch() -> None:
    """Plans are made by commands that must start at once."""
    code = (
        "import sys, octprobe.cost.ledger; from octprobe.networks import is_registered; "
        "print(is_registered('resnet18'), 'torch' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["True", "False"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("resnet5", "network 'resnet5' is not known to timm; did you mean 'resnet50'?"),
        ("torchvision:resnet5", "network 'torchvision:resnet5' is not known to torchvision; did you mean "),
        ("torchvision:build", "network 'torchvision:build' is not known to torchvision"),
        ("zzzz", "network 'zzzz' is not known to timm"),
        ("", "network '' is no network's name"),
        ("../resnet50", "network '../resnet50' is no network's name"),
        ("hf-hub:timm/resnet50.a1_in1k", "is no network's name"),
        ("hf_hub:timm/resnet50", "is no network's name"),
        ("local-dir:/tmp/model", "is no network's name"),
        ("torchvision:../x", "is no network's name"),
        ("resnet50\n", "is no network's name"),
        ("a.b:c.d", "is no network's name"),
        ("os:getcwd", "network 'os:getcwd' would import code of yours; pass --allow-import to allow it"),
    ],
)
def test_wrong_names_are_told_why_in_one_line(name: str, message: str) -> None:
    """The fault and the error say the same, and nothing is imported or fetched."""
    fault = network_fault(name)
    assert fault is not None
    assert message in fault
    assert "\n" not in fault
    with pytest.raises(UsageError) as caught:
        build_network(name)
    assert str(caught.value) == fault


@pytest.mark.usefixtures("factories")
def test_a_factory_of_your_own_is_called() -> None:
    """Found in the working folder once importing is allowed."""
    name = "their_factories:tiny"
    assert network_fault(name, allow_import=True) is None
    network = build_network(name, allow_import=True)
    assert isinstance(network, nn.Conv2d)
    assert not network.training


@pytest.mark.usefixtures("factories")
@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "their_factories:tinny",
            "their_factories has no function 'tinny'; did you mean 'their_factories:tiny'?",
        ),
        ("their_factories:NUMBER", "their_factories has no function 'NUMBER'"),
        ("their_broken:tiny", "importing their_broken failed: ModuleNotFoundError: No module named "),
        ("their_absent.part:tiny", "importing their_absent.part failed: ModuleNotFoundError"),
    ],
)
def test_factories_that_are_not_there(name: str, message: str) -> None:
    """Known before anything is built."""
    fault = network_fault(name, allow_import=True)
    assert fault is not None
    assert message in fault
    with pytest.raises(UsageError, match=r"^network 'their_[^\n]*$"):
        build_network(name, allow_import=True)


@pytest.mark.usefixtures("factories")
@pytest.mark.parametrize("name", ["resnet18", "torchvision:resnet18", "their_factories:tiny"])
def test_a_checkpoint_takes_the_place_of_random_weights(name: str, tmp_path: Path) -> None:
    """Whoever builds the network; without one, each network is another."""
    torch.save(build_network(name, allow_import=True).state_dict(), tmp_path / "weights.pth")
    networks = [
        build_network(name, allow_import=True, weights=weights)
        for weights in (str(tmp_path / "weights.pth"), str(tmp_path / "weights.pth"), None)
    ]
    loaded, again, random = (next(network.parameters()) for network in networks)
    assert torch.equal(loaded, again)
    assert not torch.equal(loaded, random)
    assert not any(module.training for network in networks for module in network.modules())


def test_weights_of_no_file_are_refused() -> None:
    """A path, whatever else it might mean."""
    for weights in ("", "pretraind", "https://example.org/resnet18.pth"):
        with pytest.raises(UsageError, match=f"^weights '{weights}' (are a folder|cannot be read)"):
            build_network("resnet18", weights=weights)


@pytest.mark.usefixtures("factories")
@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("raises", "building it failed: RuntimeError: no weights"),
        ("leaves", "building it failed: SystemExit: 3"),
        ("number", "the factory gave a int; it must give a torch.nn.Module"),
        ("wants", "building it failed: TypeError: "),
    ],
)
def test_factories_that_fail_say_so_in_one_line(function: str, message: str) -> None:
    """Whatever the user's code does, it is one line with the network's name."""
    with pytest.raises(UsageError) as caught:
        build_network(f"their_factories:{function}", allow_import=True)
    assert f"network 'their_factories:{function}': {message}" in str(caught.value)
    assert "\n" not in str(caught.value)
