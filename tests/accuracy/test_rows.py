"""From answers to rows: what was learned, and what cannot be called learned."""

from decimal import Decimal

import numpy as np
import pytest

from octprobe.accuracy.checkpoint import Task
from octprobe.accuracy.evaluate import Answers
from octprobe.accuracy.loop import Progress
from octprobe.accuracy.rows import Origin, answered_row
from octprobe.cost.count import quick_cost
from octprobe.plan.recipe import Kind
from octprobe.store.accuracy_run import AccuracyRun
from octprobe.store.accuracy_runs import answered, flags_of
from octprobe.store.records import Cost
from octprobe.workload import Workload
from trainings import recipe, small_data, tiny

DATA = small_data()


@pytest.fixture
def cost() -> Cost:
    """Give what was counted of the network."""
    return quick_cost(Workload(tiny().eval(), DATA.sample(1)))


def row(no_numbers: int, cost: Cost, split: str = "test") -> AccuracyRun:
    """Give the row of three answers, two of them right."""
    task = Task(recipe=recipe(), kind=Kind.TRAINED, alpha=Decimal("0.5"), seed=3, dataset=DATA.name)
    found = Answers(np.array([True, False, True]), None, no_numbers)
    progress = Progress(seconds=5.0, images_seen=128, losses=(2.0, 1.5))
    return answered_row(
        Origin(task=task, env_id="here", data=DATA), Decimal("0.5"), split, found, progress, cost, "w.pt"
    )


def test_answers_and_what_they_took(cost: Cost) -> None:
    """Shares in percent, a bit an image, and whose they are."""
    found = row(0, cost)
    assert (found.status, found.images, found.top1_percent) == ("trained", 3, 66.666667)
    assert flags_of(found).tolist() == [True, False, True]
    assert (found.alpha, found.seed, found.dataset, found.kind) == (0.5, 3, "stripes", "trained")
    assert (found.seconds, found.images_seen, found.loss, found.checkpoint) == (5.0, 128, 1.5, "w.pt")
    assert (found.macs, found.parameters) == (cost.macs_dispatched, cost.parameters)


@pytest.mark.parametrize("split", ["test", "validation"])
def test_answers_in_no_numbers_are_no_accuracy(cost: Cost, split: str) -> None:
    """The training diverged at its end, which is told of each split; what it took is kept."""
    found = row(2, cost, split)
    assert (found.status, found.split, found.seconds) == ("diverged", split, 5.0)
    assert found.reason == ("at the end of the training its answers to 2 of 3 images are no finite numbers")
    assert (found.top1_percent, found.correct) == (None, None)
    assert answered([found], split) == []
