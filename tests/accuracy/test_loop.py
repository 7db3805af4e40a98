"""The training loop: it learns, and to the same bits however often it is killed."""

import copy
from decimal import Decimal
from typing import Any

import pytest
import torch

from octprobe.accuracy.build import vanilla_for
from octprobe.accuracy.elastic import Elastic
from octprobe.accuracy.learner import Learner
from octprobe.accuracy.loop import Progress, Training
from octprobe.accuracy.standalone import Standalone
from octprobe.plan.recipe import Recipe
from trainings import recipe, small_data

OPTIMISERS = ["sgd", "momentum", "adam", "adamw", "nadamw", "rmsprop", "lamb", "lion"]


def begun(asked: Recipe, *, elastic: bool = False, seed: int = 0) -> tuple[Learner, Training]:
    """Begin a training of the tiny network."""
    vanilla, data, example = vanilla_for(asked.network, small_data(), seed=seed, allow_import=True)
    learner: Learner = (
        Elastic(vanilla, asked.alphas, asked, example)
        if elastic
        else Standalone(vanilla, Decimal("0.5") if "tiny" in asked.network else Decimal(0), asked, example)
    )
    return learner, Training(learner, asked, data, seed=seed, epochs=asked.epochs)


def same(one: Any, other: Any) -> bool:
    """Compare states to the bit."""
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    return bool(one == other)


def test_the_loss_falls() -> None:
    """Ten classes that a bright row tells are learned."""
    plain = {"augmentation": {"flip": True}, "label_smoothing": 0.0, "ema": 0.0}  # a shift moves the row
    _, training = begun(recipe(epochs=20, **plain))
    losses = training.run().losses
    assert len(losses) == 20
    assert losses[-1] < losses[0] / 2


@pytest.mark.parametrize(
    ("changed", "elastic"),
    [
        *(({"optimiser": name, "learning_rate": 0.01}, False) for name in OPTIMISERS),
        ({"schedule": "poly", "ema": 0.0}, False),
        ({"network": "trainings:dropping"}, False),
        ({"elastic": {"alphas_a_step": 1}}, True),
        ({"elastic": {"alphas_a_step": 2, "distillation": 0.5}}, True),
    ],
    ids=str,
)
def test_resumed_equals_unbroken(changed: dict[str, Any], *, elastic: bool) -> None:
    """From the state after any epoch, in a learner of other weights, the rest gives the same bits."""
    asked = recipe(epochs=3, **changed)
    states: list[dict[str, Any]] = []
    learner, training = begun(asked, elastic=elastic)
    progress = training.run(save=lambda state: states.append(copy.deepcopy(state)))
    assert len(states) == 3
    for state in states:
        torch.manual_seed(99)  # what else runs in the process makes no difference
        other, resumed = begun(asked, elastic=elastic)
        with torch.no_grad():
            for parameter in other.module.parameters():
                parameter.add_(1)
        resumed.load_state_dict(copy.deepcopy(state))
        again = resumed.run()
        assert (again.losses, again.images_seen) == (progress.losses, progress.images_seen)
        assert same(learner.state_dict(), other.state_dict())


def test_another_seed_is_another_training() -> None:
    """Weights, order and augmentation come from it."""
    losses = [begun(recipe(), seed=seed)[1].run().losses for seed in (0, 0, 1)]
    assert losses[0] == losses[1] != losses[2]


def test_torchs_own_random_state_stays() -> None:
    """A training draws from its own."""
    _, training = begun(recipe(network="trainings:dropping"))
    torch.manual_seed(5)
    before = torch.get_rng_state()
    training.run()
    assert torch.equal(torch.get_rng_state(), before)


def test_what_was_seen_is_counted() -> None:
    """64 images in batches of 30 are two steps; elastic, each image is run at two alphas."""
    asked = recipe(batch=30, elastic={"alphas_a_step": 2})
    assert begun(asked)[1].run().images_seen == 2 * 60
    assert begun(asked, elastic=True)[1].run().images_seen == 2 * 60 * 2


def test_fewer_images_than_a_batch_are_one() -> None:
    """Nothing is divided by 0."""
    assert begun(recipe(batch=1000))[1].run().images_seen == 2 * 64


def test_a_loss_that_is_no_number_ends_the_training() -> None:
    """It is told with its epoch and a way out, and no state of it is kept."""
    states: list[object] = []
    heard: list[Progress] = []
    _, training = begun(recipe(learning_rate=1e30, warmup=0, label_smoothing=0.0))
    progress = training.run(save=states.append, watch=heard.append)
    assert progress.fault in (
        "the loss became nan in epoch 1; lower learning_rate or lengthen warmup",
        "the loss became inf in epoch 1; lower learning_rate or lengthen warmup",
    )
    assert states == []
    assert heard == [progress]


def test_a_loss_far_above_guessing_ends_the_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten times ln 10 is 23; a finite loss above is divergence too."""
    learner, training = begun(recipe())
    monkeypatch.setattr(learner, "step", lambda *_: torch.tensor(24.0))
    assert training.run().fault == "the loss rose to 24 in epoch 1; lower learning_rate or lengthen warmup"


def test_the_averaged_weights_are_kept_with_their_own_statistics() -> None:
    """The end is at the means, and running statistics are of those."""
    states: list[dict[str, Any]] = []
    learner, training = begun(recipe())
    training.run(save=lambda state: states.append(copy.deepcopy(state)))
    means = states[-1]["average"]
    assert all(torch.equal(p, m) for p, m in zip(learner.module.parameters(), means, strict=True))
    last = states[-1]["learner"]
    assert not torch.equal(learner.state_dict()["bn1.running_mean"], last["bn1.running_mean"])


def test_a_state_holds_nothing_but_values(tmp_path: Any) -> None:
    """So a checkpoint can be read without running code."""
    states: list[dict[str, Any]] = []
    _, training = begun(recipe())
    training.run(save=states.append)
    torch.save(states[-1], tmp_path / "state.pt")
    read = torch.load(tmp_path / "state.pt", weights_only=True)
    assert read["losses"] == states[-1]["losses"]
    assert set(read) == set(states[-1])
