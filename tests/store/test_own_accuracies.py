"""Rows a seed, gathered over seeds to accuracies that can be compared."""

import numpy as np

from octprobe.stats import share_over_seeds
from octprobe.store.accuracy_run import Split, percent
from octprobe.store.own_accuracies import own_accuracies
from runs import run_of, run_that


def test_seeds_are_gathered() -> None:
    """Mean, interval over seeds and images, and what all rows of it share."""
    right = [[1, 1, 1, 0, 1, 1, 0, 1, 1, 1], [1, 0, 1, 0, 1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 1, 1, 1, 0, 1, 1]]
    (half,) = own_accuracies(run_that(answers, seed=seed) for seed, answers in enumerate(right))
    assert half.top1_percent == percent(25 / 30)
    interval = share_over_seeds(np.array(right, dtype=bool))
    assert (half.top1_ci_low_percent, half.top1_ci_high_percent) == (
        percent(interval.low),
        percent(interval.high),
    )
    assert (half.seeds, half.top5_percent, half.macs, half.parameters) == (3, 99.0, 7_000_000, 300)
    assert (half.split, half.images, half.source) == ("test", 10, "this store, 3 seeds, test images")


def test_the_baseline_is_of_the_same_seeds() -> None:
    """Seeds differ by more than alphas: 90 % at alpha .5 is 2 points below what its own seed gives at 0."""
    rows = [run_of(920, alpha=0.0, seed=0), run_of(880, alpha=0.0, seed=1), run_of(900, seed=0)]
    zero, half = own_accuracies(rows)
    assert (half.baseline_top1_percent, half.delta_top1_percent) == (92.0, -2.0)
    assert (zero.baseline_top1_percent, zero.delta_top1_percent, zero.seeds) == (90.0, 0.0, 2)


def test_without_one_of_its_seeds_there_is_no_baseline() -> None:
    """As where the training at alpha 0 diverged from it; nor from other images, another recipe or split."""
    lacking = [run_of(900, seed=0), run_of(900, seed=1), run_of(920, alpha=0.0, seed=0)]
    others = [
        run_of(92, 100, alpha=0.0, seed=5),
        run_of(920, alpha=0.0, seed=5, recipe_digest="other"),
        run_of(920, alpha=0.0, seed=5, split="validation"),
        run_of(920, alpha=0.0, seed=5, kind="elastic"),
        run_of(900, seed=5),
    ]
    for rows in (lacking, others):
        (half,) = (each for each in own_accuracies(rows) if each.alpha == 0.5)
        assert (half.baseline_top1_percent, half.delta_top1_percent) == (None, None)


def test_test_images_stand_beside_validation_images() -> None:
    """Of the same seeds: what is chosen by the one is reported by the other."""
    rows = [
        *(run_of(450, 500, seed=seed, split="validation") for seed in (0, 1)),
        *(run_of(right, seed=seed) for seed, right in ((0, 880), (1, 890), (2, 100))),
        run_of(460, 500, alpha=0.25, split="validation"),
    ]
    half, quarter = own_accuracies(rows, Split.VALIDATION)
    assert (half.split, half.images, half.top1_percent, half.test_top1_percent) == (
        "validation",
        500,
        90.0,
        88.5,
    )
    assert (quarter.top1_percent, quarter.test_top1_percent) == (92.0, None)
    (test,) = own_accuracies(rows)
    assert (test.seeds, test.top1_percent, test.test_top1_percent) == (
        3,
        percent(1.87 / 3),
        percent(1.87 / 3),
    )


def test_what_is_no_accuracy_is_not_gathered() -> None:
    """Trainings that gave nothing."""
    assert own_accuracies([run_of(9, status="diverged", correct=None, top1_percent=None)]) == ()


def test_families_stay_apart() -> None:
    """Kind, recipe and data set make one."""
    rows = [run_of(9), run_of(9, kind="elastic"), run_of(9, recipe_digest="f"), run_of(9, dataset="other")]
    assert [each.source_family for each in own_accuracies(rows)] == [
        *("trained 01234567 stripes", "elastic 01234567 stripes"),
        *("trained f stripes", "trained 01234567 other"),
    ]
