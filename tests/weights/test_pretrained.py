"""Published weights come from a cache or are fetched; without a network that is told in one line, at once."""

import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.error import HTTPError, URLError

import huggingface_hub
import pytest
import timm
import torch
import torchvision
from torch import nn

from octprobe.errors import MachineError, OctprobeError, UsageError
from octprobe.networks import build_network
from octprobe.weights import pretrained

HUB = "https://huggingface.co/timm/resnet18.a1_in1k/resolve/main/model.safetensors"
TORCH = "https://download.pytorch.org/models/resnet18-f37072fd.pth"
WAY_OUT = "; give the path of a checkpoint instead"


class Network:
    """A stand-in for the network: what was asked for, and what is answered.

    Attributes:
        asked: addresses that were asked for, in order.
        answer: is raised, or None for an answer without a fault.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answer: Exception | None = None

    def __call__(self, request: Any, *, timeout: float) -> SimpleNamespace:
        assert (request.get_method(), timeout) == ("HEAD", 5)
        self.asked.append(request.full_url)
        if self.answer:
            raise self.answer
        return SimpleNamespace(close=lambda: None)


@pytest.fixture(autouse=True)
def network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Network:
    """No test reaches out, and all caches are empty."""
    stand_in = Network()
    monkeypatch.setattr("urllib.request.urlopen", stand_in)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *_: None)
    monkeypatch.setattr(
        huggingface_hub, "hf_hub_url", lambda repo, file: f"https://huggingface.co/{repo}/resolve/main/{file}"
    )
    return stand_in


Maker = Callable[..., nn.Module]


@pytest.fixture
def makers(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """The libraries' own makers, replaced: what they were called with."""
    calls: list[tuple[str, dict[str, Any]]] = []

    def make(name: str, **settings: Any) -> nn.Module:
        calls.append((name, settings))
        return nn.Linear(1, 1)

    monkeypatch.setattr(timm, "create_model", make)
    monkeypatch.setattr(torchvision.models, "get_model", make)
    return calls


def refusal(name: str, error: type[OctprobeError]) -> str:
    """Give what is said where pretrained weights cannot be had."""
    with pytest.raises(error) as caught:
        build_network(name, allow_import=True, weights="pretrained")
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_timm_is_asked_for_its_own_weights(
    network: Network, makers: list[tuple[str, dict[str, Any]]]
) -> None:
    """After its hub has answered; the network comes in evaluation mode."""
    assert not build_network("resnet18", weights="pretrained").training
    assert makers == [("resnet18", {"pretrained": True, "pretrained_cfg_overlay": None})]
    assert network.asked == [HUB]


def test_torchvision_is_asked_for_its_best_weights(
    network: Network, makers: list[tuple[str, dict[str, Any]]]
) -> None:
    """By its own name of the network."""
    build_network("torchvision:resnet18", weights="pretrained")
    assert makers == [("resnet18", {"weights": "DEFAULT", "progress": False})]
    assert network.asked == [TORCH]


@pytest.mark.parametrize(("name", "host"), [("resnet18", HUB), ("torchvision:resnet18", TORCH)])
@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (URLError(socket.gaierror(-2, "Name or service not known")), "[Errno -2] Name or service not known"),
        (TimeoutError("timed out"), "timed out"),
        (ConnectionResetError(104, "Connection reset by peer"), "[Errno 104] Connection reset by peer"),
    ],
)
def test_without_a_network_nothing_is_begun(
    name: str, host: str, answer: Exception, reason: str, network: Network, makers: list[Any], tmp_path: Path
) -> None:
    """The reason, where from, and the way out; the makers, who would try for minutes, are not called."""
    network.answer = answer
    server = host.split("/")[2]
    expected = f"network {name!r}: no pretrained weights could be had from {server}: {reason}{WAY_OUT}"
    assert refusal(name, MachineError) == expected
    assert makers == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "answer",
    [
        HTTPError(HUB, 405, "Method Not Allowed", {}, None),  # type: ignore[arg-type]  # no headers
        URLError(ssl.SSLCertVerificationError("self-signed certificate")),
    ],
)
def test_whoever_answers_is_there(answer: Exception, network: Network, makers: list[Any]) -> None:
    """What the library's own request gets may be better, with its headers and its certificates."""
    network.answer = answer
    build_network("resnet18", weights="pretrained")
    assert len(makers) == 1


def test_the_hubs_cache_needs_no_network(
    network: Network, makers: list[tuple[str, dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file of the cache is handed to timm, which else would ask for a newer one."""
    asked = []

    def cached(*place: str) -> str:
        asked.append(place)
        return "/cache/model.safetensors"

    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", cached)
    build_network("resnet18", weights="pretrained")
    assert asked == [("timm/resnet18.a1_in1k", "model.safetensors")]
    assert makers[0][1]["pretrained_cfg_overlay"] == {"file": "/cache/model.safetensors"}
    assert network.asked == []


def test_what_the_hub_knows_to_be_absent_is_not_cached(
    network: Network, makers: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hub's cache also remembers, by an object, that there is no such file."""
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *_: object())
    build_network("resnet18", weights="pretrained")
    assert network.asked == [HUB]
    assert len(makers) == 1


def test_torchs_cache_needs_no_network(network: Network, makers: list[Any], tmp_path: Path) -> None:
    """torch.hub looks there by itself."""
    (tmp_path / "hub" / "checkpoints").mkdir(parents=True)
    (tmp_path / "hub" / "checkpoints" / "resnet18-f37072fd.pth").touch()
    build_network("torchvision:resnet18", weights="pretrained")
    assert network.asked == []
    assert len(makers) == 1


def test_weights_are_really_put_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """timm's own loader reads the cache's file."""
    from safetensors.torch import save_file

    torch.manual_seed(5)
    state = build_network("resnet18").state_dict()
    save_file(state, tmp_path / "model.safetensors")
    monkeypatch.setattr(
        huggingface_hub, "try_to_load_from_cache", lambda *_: str(tmp_path / "model.safetensors")
    )
    loaded = build_network("resnet18", weights="pretrained").state_dict()
    assert all(torch.equal(loaded[key], state[key]) for key in state)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(28, "No space left on device"), "[Errno 28] No space left on device"),
        (RuntimeError("invalid hash value\nfor a file"), "invalid hash value"),
        (ValueError(), "ValueError"),
    ],
)
def test_a_failing_fetch_is_one_line(error: Exception, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the library raises."""

    def fail(*_: object, **__: object) -> nn.Module:
        raise error

    monkeypatch.setattr(timm, "create_model", fail)
    assert refusal("resnet18", MachineError).endswith(f"from huggingface.co: {reason}{WAY_OUT}")


def test_want_of_memory_stays_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another try may not meet it."""

    def fail(*_: object, **__: object) -> nn.Module:
        raise MemoryError

    monkeypatch.setattr(timm, "create_model", fail)
    with pytest.raises(MemoryError):
        build_network("resnet18", weights="pretrained")


def test_networks_without_published_weights(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    """Told before anything is asked for."""
    (untrained, *_) = (name for name in timm.list_models() if not timm.is_model_pretrained(name))
    assert (
        refusal(untrained, UsageError) == f"network {untrained!r} has no pretrained weights in timm{WAY_OUT}"
    )
    monkeypatch.setattr(torchvision.models, "get_model_weights", lambda _: [])
    expected = f"network 'torchvision:resnet18' has no pretrained weights in torchvision{WAY_OUT}"
    assert refusal("torchvision:resnet18", UsageError) == expected
    assert refusal("collections:OrderedDict", UsageError) == (
        "network 'collections:OrderedDict' has no pretrained weights known here; "
        "let the factory load them, or give the path of a checkpoint"
    )
    assert network.asked == []


def test_a_server_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the clock of a real connection to this machine."""
    monkeypatch.undo()
    monkeypatch.setattr(pretrained, "_PROBE_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        source = SimpleNamespace(
            hf_hub_id=None, url=f"http://127.0.0.1:{port}/weights.pth", custom_load=False
        )
        monkeypatch.setattr(timm, "get_pretrained_cfg", lambda _: source)
        message = refusal("resnet18", MachineError)
    assert message.startswith(
        f"network 'resnet18': no pretrained weights could be had from 127.0.0.1:{port}: "
    )
    assert "timed out" in message
