"""One set of weights at several alphas: shared parameters, statistics of each alpha."""

import copy
from decimal import Decimal

import pytest
import torch
from torch import Tensor, nn

from octprobe.accuracy.elastic_network import ElasticNetwork
from octprobe.accuracy.standalone import STATISTICS_BATCH
from octprobe.errors import ConversionError, UsageError
from octprobe.networks import build_network
from octprobe.octave import octavize
from octprobe.plan.recipe import Alpha

NONE, HALF, MOST = Decimal(0), Decimal("0.5"), Decimal("0.75")
MAP = (("layer1", Decimal("0.25")), ("layer2", Decimal("0.5")))
EXAMPLE = torch.zeros(1, 1, 28, 28)


@pytest.fixture
def vanilla() -> nn.Module:
    """A small network with weights of its own everywhere."""
    with torch.random.fork_rng([]):
        torch.manual_seed(3)
        network = build_network("octprobe:resnet8").train()
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.add_(0.1 * torch.randn_like(parameter))
    return network


@pytest.fixture
def images() -> Tensor:
    """Two batches of noise."""
    return torch.randn(2 * STATISTICS_BATCH, 1, 28, 28, generator=torch.Generator().manual_seed(0))


def elastic(vanilla: nn.Module, *alphas: Alpha) -> ElasticNetwork:
    """Give the network at some alphas."""
    return ElasticNetwork(vanilla, alphas or (NONE, HALF, MOST), EXAMPLE)


def means_and_variances(network: nn.Module, name: str, images: Tensor) -> tuple[Tensor, Tensor]:
    """Give the plain means over batches of what comes into a plain norm in training mode."""
    seen: list[Tensor] = []
    network = copy.deepcopy(network).train()
    handle = network.get_submodule(name).register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    with torch.no_grad():
        for batch in images.split(STATISTICS_BATCH):
            network(batch)
    handle.remove()
    means = torch.stack([each.mean((0, 2, 3)) for each in seen]).mean(0)
    return means, torch.stack([each.var((0, 2, 3)) for each in seen]).mean(0)


@pytest.mark.parametrize("alpha", [NONE, HALF, MOST, MAP], ids=str)
def test_at_an_alpha_it_is_the_octave_form_of_the_same_weights(
    vanilla: nn.Module, images: Tensor, alpha: Alpha
) -> None:
    """To the bit, once both have the statistics of the alpha."""
    network = elastic(vanilla, NONE, alpha)
    network.estimate_statistics(images)
    found = network.network_at(alpha, images)
    expected = octavize(vanilla, dict(alpha) if isinstance(alpha, tuple) else alpha, EXAMPLE)
    assert list(found.state_dict()) == list(expected.state_dict())
    expected.load_state_dict(found.state_dict())
    with torch.inference_mode():
        assert torch.equal(found(images[:8]), expected.eval()(images[:8]))


def test_a_gradient_at_any_alpha_reaches_the_shared_parameters(vanilla: nn.Module, images: Tensor) -> None:
    """Each form holds the vanilla network's own Parameter objects, all of them."""
    network = elastic(vanilla)
    own = {name: id(parameter) for name, parameter in vanilla.named_parameters()}
    for alpha in network.alphas:
        vanilla.zero_grad()
        network.form(alpha)(images[:8]).square().sum().backward()
        assert {name: id(p) for name, p in network.form(alpha).named_parameters()} == own
        assert all(p.grad is not None and p.grad.any() for p in vanilla.parameters())


def test_statistics_are_of_each_alpha_alone(vanilla: nn.Module, images: Tensor) -> None:
    """A forward in training mode at one alpha leaves those of the others, and of the vanilla network."""
    network = elastic(vanilla)
    others = [network.form(NONE), network.form(MOST), vanilla]
    before = [{name: each.clone() for name, each in other.named_buffers()} for other in others]
    network.form(HALF)(images[:8])
    for other, buffers in zip(others, before, strict=True):
        assert all(torch.equal(buffers[name], each) for name, each in other.named_buffers())
    assert network.form(HALF).get_buffer("bn1.running_mean").any()


def test_statistics_are_the_plain_means_of_batches(vanilla: nn.Module, images: Tensor) -> None:
    """The closed form: nothing of what they were before stays, and each batch weighs the same."""
    network = elastic(vanilla)
    network.form(HALF).get_buffer("bn1.running_mean").fill_(1e6)
    network.estimate_statistics(images)
    for name in ("bn1", "layer3.0.bn2"):
        mean, variance = means_and_variances(network.form(HALF), name, images)
        torch.testing.assert_close(network.form(HALF).get_buffer(f"{name}.running_mean"), mean)
        torch.testing.assert_close(network.form(HALF).get_buffer(f"{name}.running_var"), variance)
    assert not network.form(HALF).training


def test_a_map_never_trained_takes_its_statistics_from_images(vanilla: nn.Module, images: Tensor) -> None:
    """As if it had been one of the alphas; the network that learns stays as it is."""
    network, knowing = elastic(vanilla), elastic(vanilla, NONE, MAP)
    knowing.estimate_statistics(images)
    found = network.network_at(MAP, images)
    for name, buffer in knowing.form(MAP).named_buffers():
        assert torch.equal(buffer, found.get_buffer(name)), name
    with torch.no_grad():
        vanilla.get_parameter("conv1.weight").zero_()
    assert found.get_parameter("conv1.weight").any()
    assert network.form(HALF).training


def test_a_known_alpha_keeps_its_statistics(vanilla: nn.Module, images: Tensor) -> None:
    """However it is written; other images change nothing."""
    network = elastic(vanilla)
    network.estimate_statistics(images)
    found = network.network_at(Decimal("0.50"), images[:8])
    for name, buffer in network.form(HALF).named_buffers():
        assert torch.equal(buffer, found.get_buffer(name)), name


def test_a_map_of_zeros_is_alpha_0(vanilla: nn.Module) -> None:
    """It counts once, and alphas stand in their order."""
    assert elastic(vanilla, MAP, MOST, (("layer1", NONE),), NONE, HALF).alphas == (NONE, HALF, MOST, MAP)


def test_the_state_holds_each_parameter_once(vanilla: nn.Module, images: Tensor) -> None:
    """And all of it comes back in another network of the same kind."""
    network = elastic(vanilla)
    network.estimate_statistics(images)
    state = copy.deepcopy(network.state_dict())
    assert list(state["parameters"]) == [name for name, _ in vanilla.named_parameters()]
    assert list(state["buffers"]) == ["0", "0.5", "0.75"]
    other = elastic(build_network("octprobe:resnet8"))
    other.load_state_dict(state)
    for alpha in network.alphas:
        pair = (network.network_at(alpha, images), other.network_at(alpha, images))
        with torch.inference_mode():
            assert torch.equal(*(each(images[:8]) for each in pair))


def test_a_state_that_does_not_fit_changes_nothing(vanilla: nn.Module) -> None:
    """One line says of what it is."""
    network = elastic(vanilla)
    before = copy.deepcopy(network.state_dict())
    wide = elastic(build_network("octprobe:resnet14"))
    cases = {
        "another network": wide.state_dict(),
        "alphas 0, 0.5, not of 0, 0.5, 0.75": elastic(vanilla, NONE, HALF).state_dict(),
        "no elastic training": dict(vanilla.state_dict()),
        "of no elastic training": before | {"buffers": [1]},
        "alphas 5, not of": before | {"buffers": {5: {}}},
        "is damaged: it does not hold plain tensors": before | {"parameters": 5},
        "is damaged: it does not hold plain tensors by name": before
        | {"buffers": {alpha: {"bn1.running_mean": 1.0} for alpha in before["buffers"]}},
    }
    for said, state in cases.items():
        with pytest.raises(UsageError, match=said) as caught:
            network.load_state_dict(state)
        assert "\n" not in str(caught.value)
    after = network.state_dict()["parameters"]
    assert all(torch.equal(each, before["parameters"][name]) for name, each in after.items())


def test_an_older_state_without_counts_of_batches(vanilla: nn.Module, images: Tensor) -> None:
    """Is taken all the same; the counts stay as they are."""
    network = elastic(vanilla)
    network.estimate_statistics(images)
    state = copy.deepcopy(network.state_dict())
    for alpha, buffers in state["buffers"].items():
        state["buffers"][alpha] = {n: each + 1 for n, each in buffers.items() if "num_batches" not in n}
    network.load_state_dict(state)
    found = network.form(HALF)
    assert torch.equal(found.get_buffer("bn1.running_mean"), state["buffers"]["0.5"]["bn1.running_mean"])
    assert found.get_buffer("bn1.num_batches_tracked").item() == 2


def test_an_alpha_without_an_octave_form_is_refused(vanilla: nn.Module, images: Tensor) -> None:
    """By the converter's own words."""
    with pytest.raises(ConversionError, match="matches no convolution"):
        elastic(vanilla).network_at((("layer9", HALF),), images)
