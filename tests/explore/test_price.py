"""What trainings took, an elastic one counted once."""

from typing import Any

from octprobe.explore.price import elastic_trainings, price_of
from octprobe.store.accuracy_run import AccuracyRun
from runs import run_of


def run(**changed: Any) -> AccuracyRun:
    """Give a row of a standalone training of 10 s."""
    return run_of(9, 10, **{"seconds": 10.0, "cpu_seconds": 20.0, "images_seen": 100} | changed)


def elastic(**changed: Any) -> AccuracyRun:
    """Give a row of an elastic training of 12 s."""
    usual = {"kind": "elastic", "recipe_digest": "bbbb", "seconds": 12.0, "images_seen": 150}
    return run(**usual | changed)


def test_an_elastic_training_counts_once() -> None:
    """It stands beside both alphas of each of two seeds: 2 x 12 s against 4 x 10 s."""
    both = [(alpha, seed) for alpha in (0.0, 0.5) for seed in (0, 1)]
    price = price_of(
        [run(alpha=alpha, seed=seed) for alpha, seed in both],
        [elastic(alpha=alpha, seed=seed) for alpha, seed in both],
    )
    assert (price.standalone_seconds, price.elastic_seconds, price.share_of_seconds) == (40, 24, 0.6)
    assert (price.standalone_cpu_seconds, price.elastic_cpu_seconds, price.share_of_cpu_seconds) == (
        80,
        40,
        0.5,
    )
    assert (price.standalone_images, price.elastic_images) == (400, 300)


def test_one_training_a_seed_recipe_and_data_set() -> None:
    """Not a seed alone."""
    rows = [
        *(elastic(alpha=alpha, seed=seed) for alpha in (0.0, 0.5) for seed in (0, 1)),
        *(elastic(dataset="other"), elastic(network="other"), elastic(recipe_digest="other")),
    ]
    assert len(elastic_trainings(rows)) == 2 + 3


def test_a_time_that_is_not_known_makes_no_sum() -> None:
    """Absent is absent, and not 0."""
    price = price_of([run(images_seen=None)], [elastic(cpu_seconds=None)])
    assert (price.standalone_images, price.elastic_images) == (None, 150)
    assert (price.share_of_cpu_seconds, price.share_of_seconds) == (None, 1.2)
    assert price_of([run(seconds=0.0)], [elastic()]).share_of_seconds is None
