"""One network at one alpha."""

from decimal import Decimal

import pytest
import torch
from timm.layers.drop import DropPath
from timm.layers.norm_act import BatchNormAct2d
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.swa_utils import update_bn

from octprobe.accuracy.standalone import Standalone, estimate_statistics
from octprobe.errors import UsageError
from octprobe.octave.network import OctaveNetwork
from trainings import SIDE, recipe, small_data, tiny

EXAMPLE = torch.zeros(1, 1, SIDE, SIDE)


def test_alpha_0_is_the_vanilla_network_itself() -> None:
    """A map of zeros is no map."""
    vanilla = tiny()
    learner = Standalone(vanilla, (("layer1", Decimal(0)),), recipe(), EXAMPLE)
    assert learner.module is vanilla
    assert learner.network_at(Decimal(0), EXAMPLE) is vanilla


def test_its_state_dict_is_the_vanilla_networks() -> None:
    """So its checkpoint loads into the network at any alpha, and into the vanilla one."""
    learner = Standalone(tiny(), Decimal("0.5"), recipe(), EXAMPLE)
    assert isinstance(learner.module, OctaveNetwork)
    tiny().load_state_dict(learner.state_dict(), strict=True)


def test_another_alpha_is_refused() -> None:
    """Its statistics are of one alpha."""
    learner = Standalone(tiny(), Decimal("0.5"), recipe(), EXAMPLE)
    with pytest.raises(
        UsageError, match=r"was trained at alpha 0\.5 alone, not at layer1=0\.25; a checkpoint"
    ):
        learner.network_at((("layer1", Decimal("0.25")),), EXAMPLE)


def test_a_state_of_another_network_is_refused() -> None:
    """In one line, with the keys; nothing is changed."""
    learner = Standalone(tiny(), Decimal(0), recipe(), EXAMPLE)
    before = {name: value.clone() for name, value in learner.state_dict().items()}
    with pytest.raises(UsageError, match=r"^the checkpoint is of another network: \d+ keys missing \(conv1"):
        learner.load_state_dict({"weight": torch.zeros(1)})
    assert all(torch.equal(value, before[name]) for name, value in learner.state_dict().items())
    with pytest.raises(UsageError, match="the checkpoint is damaged: it does not hold plain tensors"):
        learner.load_state_dict(before | {"conv1.weight": 5})


def test_a_step_leaves_gradients_and_no_graph() -> None:
    """The loop steps the optimiser."""
    learner = Standalone(tiny(), Decimal("0.5"), recipe(), EXAMPLE)
    loss = learner.step(torch.randn(4, 1, SIDE, SIDE), torch.arange(4), torch.Generator())
    assert not loss.requires_grad
    assert all(parameter.grad is not None for parameter in learner.module.parameters())


def test_weight_decay_spares_norms_and_biases() -> None:
    """As timm does."""
    learner = Standalone(tiny(), Decimal("0.5"), recipe(), EXAMPLE)
    groups = {group["weight_decay"]: group["params"] for group in learner.parameter_groups(0.1)}
    assert all(parameter.ndim == 1 for parameter in groups[0.0])
    assert all(parameter.ndim > 1 for parameter in groups[0.1])


def test_statistics_are_the_plain_mean_over_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two batches of 3 the mean of means; the seventh image fills no batch; the mode stays."""
    monkeypatch.setattr("octprobe.accuracy.standalone.STATISTICS_BATCH", 3)
    norm = nn.BatchNorm2d(1).eval()
    images = torch.arange(7.0).view(7, 1, 1, 1).expand(7, 1, 2, 2)
    estimate_statistics(norm, images)
    assert norm.running_mean is not None
    assert norm.running_mean.item() == pytest.approx((1 + 4) / 2)
    assert not norm.training
    assert norm.momentum == 0.1


class Dropping(nn.Module):
    """Drops values in all the ways there are before the norm whose statistics are wanted."""

    def __init__(self) -> None:
        super().__init__()
        self.first = BatchNormAct2d(1, drop_layer=nn.Dropout)
        self.path, self.last = DropPath(0.5), nn.BatchNorm2d(1)

    def forward(self, x: Tensor) -> Tensor:
        """Norm, drop, norm."""
        out: Tensor = self.last(functional.dropout(self.path(self.first(x)), 0.5, self.training))
        return out


def test_statistics_are_those_of_what_the_network_answers_with() -> None:
    """Nothing is dropped while they are estimated, and nothing drawn: they are the same each time."""
    images = torch.randn(8, 1, 3, 3, generator=torch.Generator().manual_seed(0)) + 1
    network = Dropping().train()
    assert isinstance(network.first.drop, nn.Dropout)
    before = torch.get_rng_state()
    estimate_statistics(network, images)
    assert torch.equal(torch.get_rng_state(), before)
    assert all(module.training for module in network.modules())
    assert network.last.running_mean is not None
    kept = functional.batch_norm(images, None, None, training=True).relu()
    assert network.last.running_mean.item() == pytest.approx(kept.mean().item(), abs=1e-6)
    network.eval()
    estimate_statistics(network, images)
    assert not any(module.training for module in network.modules())


@pytest.mark.parametrize("alpha", [Decimal(0), Decimal("0.5")])
def test_statistics_without_dropout_are_torchs_own(alpha: Decimal) -> None:
    """To the bit, whatever runs in eval mode beside the norms."""
    images = small_data().sample(64)
    ours, theirs = (Standalone(tiny(), alpha, recipe(), EXAMPLE).module for _ in range(2))
    theirs.load_state_dict(ours.state_dict())
    estimate_statistics(ours, images)
    update_bn([images], theirs)  # type: ignore[no-untyped-call]  # as torch has it
    assert all(torch.equal(value, theirs.state_dict()[name]) for name, value in ours.state_dict().items())


def test_few_images_are_one_batch() -> None:
    """Fewer than a batch are all taken."""
    norm = nn.BatchNorm2d(1)
    estimate_statistics(norm, small_data().sample(5))
    assert norm.num_batches_tracked is not None
    assert norm.num_batches_tracked.item() == 1
