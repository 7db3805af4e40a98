"""The learner of one training for every alpha: what a step draws, asks and teaches."""

import copy
from decimal import Decimal
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from octprobe.accuracy.data import ImageSet, split
from octprobe.accuracy.elastic import Elastic
from octprobe.accuracy.loop import Training
from octprobe.networks import build_network
from octprobe.octave import octavize
from octprobe.plan.recipe import ElasticPart, Recipe

ALPHAS = (Decimal(0), Decimal("0.25"), Decimal("0.5"), Decimal("0.75"))
EXAMPLE = torch.zeros(1, 1, 28, 28)


def recipe(smoothing: float = 0.0, **elastic: Any) -> Recipe:
    """Give a recipe with an elastic part."""
    return Recipe(
        version=1,
        name="small",
        network="octprobe:resnet8",
        dataset="fashion-mnist",
        epochs=1,
        learning_rate=0.1,
        label_smoothing=smoothing,
        alphas=ALPHAS,
        elastic=ElasticPart(**elastic),
    )


def vanilla() -> nn.Module:
    """Give the same small network each time, with weights of its own everywhere."""
    with torch.random.fork_rng([]):
        torch.manual_seed(3)
        network = build_network("octprobe:resnet8").train()
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.add_(0.1 * torch.randn_like(parameter))
    return network


def learner(smoothing: float = 0.0, **elastic: Any) -> Elastic:
    """Give a learner at its initial weights."""
    return Elastic(vanilla(), ALPHAS, recipe(smoothing, **elastic), EXAMPLE)


def noise(count: int) -> ImageSet:
    """Give images of noise, and classes."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(256, (count, 1, 28, 28), generator=generator, dtype=torch.uint8)
    return ImageSet(images, torch.arange(count) % 10)


@pytest.fixture
def batch() -> tuple[Tensor, Tensor]:
    """Eight images of noise, and classes."""
    generator = torch.Generator().manual_seed(0)
    return torch.randn(8, 1, 28, 28, generator=generator), torch.arange(8)


def gradients(network: nn.Module) -> dict[str, Tensor]:
    """Give a copy of all gradients."""
    return {name: p.grad.clone() for name, p in network.named_parameters() if p.grad is not None}


def logits_at(alpha: Decimal, images: Tensor, network: nn.Module) -> Tensor:
    """Run the octave form of a network, which shares its parameters, in training mode."""
    logits: Tensor = octavize(network, alpha, EXAMPLE, share_parameters=True).train()(images)
    return logits


def test_a_step_at_all_alphas_is_the_mean_of_their_losses(batch: tuple[Tensor, Tensor]) -> None:
    """Loss and gradients are those of the four octave networks, added up by hand."""
    images, labels = batch
    one = learner(smoothing=0.1, alphas_a_step=4)
    loss = one.step(images, labels, torch.Generator().manual_seed(0))
    other = vanilla()
    losses = [
        functional.cross_entropy(logits_at(alpha, images, other), labels, label_smoothing=0.1)
        for alpha in ALPHAS
    ]
    mean = torch.stack(losses).mean()
    mean.backward()
    torch.testing.assert_close(loss, mean.detach())
    assert not loss.requires_grad
    expected = gradients(other)
    for name, gradient in gradients(one.module).items():
        torch.testing.assert_close(gradient, expected.pop(name), rtol=1e-4, atol=1e-5)
    assert not expected


@pytest.mark.parametrize("alphas_a_step", [1, 2, 3])
def test_alphas_are_drawn_without_return_and_alike(alphas_a_step: int) -> None:
    """Over many steps each comes as often as any other; the generator alone decides."""
    one, generator = learner(alphas_a_step=alphas_a_step), torch.Generator().manual_seed(0)
    drawn = [one._drawn(generator) for _ in range(400)]
    assert all(len(set(alphas)) == alphas_a_step for alphas in drawn)
    counts = [sum(alpha in alphas for alphas in drawn) for alpha in ALPHAS]
    assert all(abs(count - 100 * alphas_a_step) < 40 for count in counts)
    generator = torch.Generator().manual_seed(0)
    assert drawn == [one._drawn(generator) for _ in range(400)]


def test_one_that_teaches_is_always_drawn_and_first() -> None:
    """Its answers are asked of the others."""
    one, generator = learner(alphas_a_step=2, distillation=0.5), torch.Generator().manual_seed(0)
    drawn = [one._drawn(generator) for _ in range(300)]
    assert {alphas[0] for alphas in drawn} == {Decimal(0)}
    assert {alphas[1] for alphas in drawn} == set(ALPHAS[1:])


def test_a_pupil_is_asked_for_labels_and_answers(batch: tuple[Tensor, Tensor]) -> None:
    """The loss by hand: alpha 0 by labels alone, the other by a mixture, softened by the temperature."""
    images, labels = batch
    one = learner(alphas_a_step=2, distillation=0.25, temperature=2.0)
    pupil = one._drawn(torch.Generator().manual_seed(1))[1]
    loss = one.step(images, labels, torch.Generator().manual_seed(1))
    teacher, answers = (logits_at(alpha, images, one.module).detach() for alpha in (Decimal(0), pupil))
    by_labels = [functional.cross_entropy(each, labels) for each in (teacher, answers)]
    asked, given = (teacher / 2).softmax(1), (answers / 2).softmax(1)
    apart = (asked * (asked / given).log()).sum(1).mean() * 4
    torch.testing.assert_close(loss, (by_labels[0] + 0.75 * by_labels[1] + 0.25 * apart) / 2)


def test_no_gradient_goes_through_the_teacher(batch: tuple[Tensor, Tensor]) -> None:
    """With answers alone asked of the pupil, the teacher's part of the gradient is that of its own labels."""
    images, labels = batch
    one = learner(alphas_a_step=2, distillation=1.0)
    pupil = one._drawn(torch.Generator().manual_seed(1))[1]
    one.step(images, labels, torch.Generator().manual_seed(1))
    other = vanilla()
    teacher, answers = (logits_at(alpha, images, other) for alpha in (Decimal(0), pupil))
    asked = teacher.detach().softmax(1)
    apart = functional.kl_div(answers.log_softmax(1), asked, reduction="batchmean")
    ((functional.cross_entropy(teacher, labels) + apart) / 2).backward()  # type: ignore[no-untyped-call]
    expected = gradients(other)
    for name, gradient in gradients(one.module).items():
        torch.testing.assert_close(gradient, expected[name], rtol=1e-4, atol=1e-5)


def test_the_optimiser_gets_each_parameter_once() -> None:
    """Norms and biases do not decay."""
    one = learner(alphas_a_step=2)
    plain, decaying = one.parameter_groups(1e-3)
    assert (plain["weight_decay"], decaying["weight_decay"]) == (0.0, 1e-3)
    assert {id(p) for p in (*plain["params"], *decaying["params"])} == {
        id(p) for p in one.module.parameters()
    }
    assert len(plain["params"]) + len(decaying["params"]) == len(list(one.module.parameters()))
    assert all(p.dim() == 1 for p in plain["params"])


def test_every_alpha_answers_after_the_end(batch: tuple[Tensor, Tensor]) -> None:
    """In eval mode, and alpha maps too."""
    images, labels = batch
    one = learner(alphas_a_step=2)
    one.step(images, labels, torch.Generator().manual_seed(0))
    one.finish(images)
    for alpha in (*ALPHAS, Decimal("0.125"), (("layer1", Decimal("0.5")),)):
        network = one.network_at(alpha, images)
        assert not any(module.training for module in network.modules())
        with torch.inference_mode():
            assert network(images).isfinite().all()
    assert one.passes == 2


def test_a_resumed_training_ends_as_an_unbroken_one() -> None:
    """To the bit: the alphas drawn, the statistics of each and the running average of weights go on."""
    data = split("noise", noise(72), noise(8), classes=10, validation=8, resolution=None)
    how = recipe(alphas_a_step=1).model_copy(update={"batch": 16, "ema": 0.9, "momentum": 0.9})
    saved: list[dict[str, Any]] = []

    def training(one: Elastic) -> Training:
        return Training(one, how, data, seed=5, epochs=2)

    unbroken, resumed = (Elastic(vanilla(), ALPHAS, how, EXAMPLE) for _ in range(2))
    training(unbroken).run(save=lambda state: saved.append(copy.deepcopy(state)))
    second = training(resumed)
    second.load_state_dict(saved[0])
    progress = second.run()
    assert (progress.epochs, progress.images_seen) == (2, 2 * 64)
    ours, theirs = resumed.state_dict(), unbroken.state_dict()
    for name, parameter in ours["parameters"].items():
        assert torch.equal(parameter, theirs["parameters"][name]), name
    for alpha, buffers in ours["buffers"].items():
        assert all(torch.equal(each, theirs["buffers"][alpha][name]) for name, each in buffers.items()), alpha
